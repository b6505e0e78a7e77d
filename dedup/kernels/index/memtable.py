"""Posting lists in memory: a hash table with linear probing, and a chain for each key."""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN
from ..jit import jit, leaf

# slots   uint64[a power of two, 2]: a key; and the first and the last entry of its chain, each plus
#         one, in the upper and the lower 32 bits, 0 where the slot is free
# marks   uint64[len(slots) // MARKED]: a Bloom filter with one bit for each key. Most keys that are
#         looked up are not in the table, and the marks, a small part of it, say so at once
# nexts   uint32[capacity]: for each entry the next one of its chain plus one, 0 at the end

LOWER = np.uint64(0xFFFFFFFF)
#: Slots for each word of marks: eight bits for a slot.
MARKED = 8


@leaf
def slot_of_key(slots, key):
    """The slot of a key, or the free slot where it belongs."""
    mask = len(slots) - 1
    slot = np.int64((key * GOLDEN) >> np.uint64(20)) & mask
    while slots[slot, 1] != np.uint64(0) and slots[slot, 0] != key:
        slot = (slot + 1) & mask
    return slot


@leaf
def mark_of(marks, key):
    """(word, bit) of a key in ``marks``."""
    mixed = (key * GOLDEN) >> np.uint64(14)
    return np.int64((mixed >> np.uint64(6)) & np.uint64(len(marks) - 1)), np.uint64(1) << (mixed & np.uint64(63))


@jit
def append_chained(slots, marks, nexts, keys, first_entry):
    """Append entries, numbered from ``first_entry`` on, to the chains of their keys, in place.

    Parameters
    ----------
    keys : uint64[n], the key of each entry; there must be a free slot for each that may be new

    Returns
    -------
    int, how many keys are new
    """
    new = 0
    for i in range(len(keys)):
        slot = slot_of_key(slots, keys[i])
        entry = np.uint64(first_entry + i + 1)
        chain = slots[slot, 1]
        nexts[first_entry + i] = 0
        if chain == np.uint64(0):
            slots[slot, 0], slots[slot, 1] = keys[i], (entry << np.uint64(32)) | entry
            word, bit = mark_of(marks, keys[i])
            marks[word] |= bit
            new += 1
        else:
            nexts[np.int64(chain & LOWER) - 1] = np.uint32(entry)
            slots[slot, 1] = (chain & ~LOWER) | entry
    return new


@jit
def rehash_chained(slots, n_slots):
    """The same table with ``n_slots`` slots, and its marks."""
    out, marks = np.zeros((n_slots, 2), np.uint64), np.zeros(n_slots // MARKED, np.uint64)
    for old in range(len(slots)):
        if slots[old, 1] != np.uint64(0):
            slot = slot_of_key(out, slots[old, 0])
            out[slot, 0], out[slot, 1] = slots[old, 0], slots[old, 1]
            word, bit = mark_of(marks, slots[old, 0])
            marks[word] |= bit
    return out, marks


@jit
def find_in_chains(slots, marks, nexts, values, keys, offsets, most):
    """Read what the keys of each row list, like ``segment_reader.find_in_segment``.

    Parameters
    ----------
    slots, marks, nexts : see above; values : uint32[capacity], of each entry
    keys : uint64[n_keys]; offsets : int64[n_rows + 1]
    most : int, of a key that lists more, only this many values are read

    Returns
    -------
    (values uint32[n], offsets int64[n_rows + 1], truncated int64[n_rows])
        ``truncated`` counts the keys of each row that list more than ``most``.
    """
    n_rows = len(offsets) - 1
    out, out_offsets, truncated = np.empty(256, np.uint32), np.zeros(n_rows + 1, np.int64), np.zeros(n_rows, np.int64)
    used = 0
    for row in range(n_rows):
        for i in range(offsets[row], offsets[row + 1]):
            word, bit = mark_of(marks, keys[i])
            if marks[word] & bit == np.uint64(0):
                continue
            entry = np.int64(slots[slot_of_key(slots, keys[i]), 1] >> np.uint64(32))
            read = 0
            while entry != 0 and read < most:
                if used == len(out):
                    out = np.concatenate((out, np.empty(used, np.uint32)))
                out[used] = values[entry - 1]
                used += 1
                read += 1
                entry = np.int64(nexts[entry - 1])
            truncated[row] += np.int64(entry != 0)
        out_offsets[row + 1] = used
    return out[:used].copy(), out_offsets, truncated

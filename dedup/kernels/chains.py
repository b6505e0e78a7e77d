"""Posting lists in memory: a hash table of keys with linear probing, and behind each key a chain of entries.

``slots`` uint64[a power of two, 2]: a key; the first and the last entry of its chain, each plus one, in the upper and the lower 32
bits, 0 where the slot is free. ``nexts`` uint32[room]: for each entry the next one of its chain plus one, 0 at the end.
"""

from __future__ import annotations

import numpy as np

from .hashing import GOLDEN
from .jit import jit, leaf

LOWER = np.uint64(0xFFFFFFFF)


@leaf
def slot_of_key(slots, key):
    """The slot that holds a key, or the free one where it would stand."""
    mask = len(slots) - 1
    slot = np.int64((key * GOLDEN) >> np.uint64(20)) & mask
    while slots[slot, 1] != np.uint64(0) and slots[slot, 0] != key:
        slot = (slot + 1) & mask
    return slot


@jit
def append_chained(slots, nexts, keys, first_entry):
    """Append the entries ``first_entry``, ``first_entry + 1`` ... to the chains of their keys, in place; int, how many keys are new.

    ``keys`` : uint64[n]. There must be free slots left for all that may be new.
    """
    new = 0
    for i in range(len(keys)):
        slot = slot_of_key(slots, keys[i])
        entry = np.uint64(first_entry + i + 1)
        chain = slots[slot, 1]
        nexts[first_entry + i] = 0
        if chain == np.uint64(0):
            slots[slot, 0], slots[slot, 1] = keys[i], (entry << np.uint64(32)) | entry
            new += 1
        else:
            nexts[np.int64(chain & LOWER) - 1] = np.uint32(entry)
            slots[slot, 1] = (chain & ~LOWER) | entry
    return new


@jit
def rehash_chained(slots, n_slots):
    """The same table with more slots: uint64[n_slots, 2]."""
    out = np.zeros((n_slots, 2), np.uint64)
    for old in range(len(slots)):
        if slots[old, 1] != np.uint64(0):
            slot = slot_of_key(out, slots[old, 0])
            out[slot, 0], out[slot, 1] = slots[old, 0], slots[old, 1]
    return out


@jit
def find_chained(slots, nexts, values, keys, offsets, most):
    """What the keys of each row list, as ``find_listed`` of ``lookup.py``.

    Parameters
    ----------
    slots, nexts : see above; values : uint32[room], of each entry
    keys : uint64[n_keys]; offsets : int64[n_rows + 1]
    most : int, of a key that lists more the first so many

    Returns
    -------
    (values uint32[n], offsets int64[n_rows + 1], cut int64[n_rows]), how many keys of each row list more than ``most``
    """
    n_rows = len(offsets) - 1
    out, out_offsets, cut = np.empty(256, np.uint32), np.zeros(n_rows + 1, np.int64), np.zeros(n_rows, np.int64)
    used = 0
    for row in range(n_rows):
        for i in range(offsets[row], offsets[row + 1]):
            entry = np.int64(slots[slot_of_key(slots, keys[i]), 1] >> np.uint64(32))
            read = 0
            while entry != 0 and read < most:
                if used == len(out):
                    out = np.concatenate((out, np.empty(used, np.uint32)))
                out[used] = values[entry - 1]
                used += 1
                read += 1
                entry = np.int64(nexts[entry - 1])
            cut[row] += np.int64(entry != 0)
        out_offsets[row + 1] = used
    return out[:used].copy(), out_offsets, cut

"""Which values of rows stand in kept rows, exactly, one part of the hash range at a time."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from .shingle_weights import span_start

#: Rank of a value that stands in no kept row.
NOWHERE = np.int32(2**31 - 1)


@leaf
def key_of(value):
    """The key of a value: never 0, and different from that of any other value with the same top bit."""
    return value << np.uint64(1) | np.uint64(1)


@leaf
def slot_of(key, keys):
    """The slot of a key in an open table, or the free one where it would go; free slots hold 0."""
    mask = np.uint64(len(keys) - 1)
    slot = key >> np.uint64(1) & mask
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@jit
def note_first_ranks(values, offsets, rows, ranks, part, shift, keys, first, used):
    """Note for each value of kept rows the lowest and the second lowest rank of a row that holds it.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]
    rows : int64[n], kept rows; ranks : int32[n_rows], all different
    part, shift : uint64; only values with ``value >> shift == part`` are read; shift at most 63
    keys : uint64[slots], first : int32[slots, 2], a table, written in place; slots a power of two
    used : slots in use

    Returns
    -------
    Slots in use, or -1 where the table is more than half full: then it is incomplete and must be made larger.
    """
    for row in rows:
        end = offsets[row + 1]
        i = span_start(values, offsets[row], end, part, shift)
        while i < end and values[i] >> shift == part:
            key = key_of(values[i])
            slot = slot_of(key, keys)
            if keys[slot] == np.uint64(0):
                if 2 * used >= len(keys):
                    return -1
                keys[slot] = key
                first[slot, 0], first[slot, 1] = ranks[row], NOWHERE
                used += 1
            elif ranks[row] < first[slot, 0]:
                first[slot, 0], first[slot, 1] = ranks[row], first[slot, 0]
            elif ranks[row] < first[slot, 1]:
                first[slot, 1] = ranks[row]
            i += 1
    return used


@jit
def count_covered(values, offsets, rows, ranks, part, shift, keys, first, before, anywhere):
    """Count for each row how many of its values stand in kept rows of lower rank, and in any other kept row.

    Parameters
    ----------
    values, offsets, ranks, part, shift, keys, first : as of ``note_first_ranks``
    rows : int64[n], kept or not
    before, anywhere : int64[n], added to in place
    """
    for place in range(len(rows)):
        row = rows[place]
        end = offsets[row + 1]
        i = span_start(values, offsets[row], end, part, shift)
        while i < end and values[i] >> shift == part:
            slot = slot_of(key_of(values[i]), keys)
            if keys[slot] != np.uint64(0):
                lowest = first[slot, 0]
                before[place] += np.int64(lowest < ranks[row])
                other = first[slot, 1] if lowest == ranks[row] else lowest
                anywhere[place] += np.int64(other != NOWHERE)
            i += 1

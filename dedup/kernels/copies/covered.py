"""Which values of rows stand in kept rows, exactly, one part of the hash range at a time."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf

#: Rank of a value that stands in no kept row.
NOWHERE = np.int32(2**31 - 1)


@jit
def collect_part(values, offsets, starts, ends, last, found, rows):
    """Copy the values of one part of the hash range from all rows.

    Parameters
    ----------
    values : uint64[n_values], sorted in each row; offsets : int64[n_rows + 1]
    starts : int64[n_rows], the place of the first value of the part in each row
    ends : int64[n_rows], the place after the last one, written
    last : uint64, the largest value of the part
    found : uint64[n], rows : int32[n], the values and their rows, written as far as they fit

    Returns
    -------
    The number of values, even if it is larger than n.
    """
    count = 0
    for row in range(len(offsets) - 1):
        place, end = starts[row], offsets[row + 1]
        while place < end and values[place] <= last:
            if count < len(found):
                found[count], rows[count] = values[place], row
            count += 1
            place += 1
        ends[row] = place
    return count


@leaf
def slot_of(value, keys, first):
    """The slot of a value in an open table, or the free one where it would go."""
    mask = np.uint64(len(keys) - 1)
    slot = value & mask
    while first[slot, 0] != NOWHERE and keys[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return slot


@leaf
def power_of_two(least):
    """The smallest power of two that is at least ``least``."""
    size = np.int64(1)
    while size < least:
        size *= 2
    return size


@jit
def count_covered(values, rows, ranks, kept, before, anywhere):
    """Count for each row how many of its values stand in kept rows of lower rank, and in any other kept row.

    Parameters
    ----------
    values : uint64[n], rows : int32[n], all values of one part of the hash range, each once in a row
    ranks : int32[n_rows], all different; kept : bool[n_rows]
    before, anywhere : int64[n_rows], added to in place

    Notes
    -----
    Most values stand in one row only. A filter of small counters finds most of these without the table, which notes of
    every other value the two lowest ranks of kept rows that hold it.
    """
    counters = np.zeros(power_of_two(4 * len(values)), np.uint8)
    low = np.uint64(len(counters) - 1)
    for i in range(len(values)):
        counters[values[i] & low] = min(counters[values[i] & low] + 1, 2)
    several = np.int64(0)
    for i in range(len(values)):
        several += np.int64(counters[values[i] & low] == 2 and kept[rows[i]])
    slots = power_of_two(2 * several + 1)
    keys, first = np.empty(slots, np.uint64), np.full((slots, 2), NOWHERE, np.int32)
    for i in range(len(values)):
        if counters[values[i] & low] < 2 or not kept[rows[i]]:
            continue
        slot, rank = slot_of(values[i], keys, first), ranks[rows[i]]
        keys[slot] = values[i]
        if rank < first[slot, 0]:
            first[slot, 0], first[slot, 1] = rank, first[slot, 0]
        elif rank < first[slot, 1]:
            first[slot, 1] = rank
    for i in range(len(values)):
        if counters[values[i] & low] < 2:
            continue
        row = rows[i]
        slot, rank = slot_of(values[i], keys, first), ranks[row]
        lowest = first[slot, 0]
        before[row] += np.int64(lowest < rank)
        other = first[slot, 1] if lowest == rank else lowest
        anywhere[row] += np.int64(other != NOWHERE)

"""Sampled values to candidate pairs: an inverted index, built and queried in one pass."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf

#: Marks use other bits than ``count_drawn``, which uses the lowest: values that collide in one
#: should not collide in the other.
MARK_SHIFT = np.uint64(20)


@jit
def mark_drawn(values, offsets, rows, bounds, marks):
    """Mark the values that each chosen row draws, those below its bound, in place.

    Parameters
    ----------
    values : uint64[n_values], hashes, ascending in each row, so that only the first ones are read
    bounds : uint64[len(rows)]
    marks : uint64[a power of two], a bit set: a value belongs to the bit of its bits from
        MARK_SHIFT up

    Returns
    -------
    int64[len(rows)]
        How many values each row draws.
    """
    mask = np.uint64(len(marks) - 1)
    drawn = np.zeros(len(rows), np.int64)
    for place in range(len(rows)):
        for i in range(offsets[rows[place]], offsets[rows[place] + 1]):
            if values[i] >= bounds[place]:
                break
            slot = values[i] >> MARK_SHIFT
            marks[(slot >> np.uint64(6)) & mask] |= np.uint64(1) << (slot & np.uint64(63))
            drawn[place] += 1
    return drawn


@leaf
def is_marked(value, marks):
    """Whether the bit of a value is set; see ``mark_drawn``."""
    slot = value >> MARK_SHIFT
    return (marks[(slot >> np.uint64(6)) & np.uint64(len(marks) - 1)] >> (slot & np.uint64(63))) & np.uint64(1)


@jit
def count_drawn(values, offsets, rows, marks, counters):
    """Count in how many of the chosen rows each marked value occurs, in place, up to 2.

    Parameters
    ----------
    counters : uint8[a power of two], indexed by the low bits of a value
    """
    mask = np.uint64(len(counters) - 1)
    for row in rows:
        for i in range(offsets[row], offsets[row + 1]):
            if is_marked(values[i], marks):
                slot = values[i] & mask
                counters[slot] += np.uint8(counters[slot] < 2)


@jit
def sampled(values, offsets, rows, marks, counters):
    """The values of the chosen rows that some row draws and that occur in at least two rows.

    Parameters
    ----------
    marks, counters : as ``mark_drawn`` and ``count_drawn`` left them. A value that collides with
        others may be returned too.

    Returns
    -------
    (values uint64[n], places int32[n])
        Each value and the place of its row in ``rows``, in the order of the rows.
    """
    mask = np.uint64(len(counters) - 1)
    out, places = np.empty(1024, np.uint64), np.empty(1024, np.int32)
    used = np.int64(0)
    for place in range(len(rows)):
        begin, end = offsets[rows[place]], offsets[rows[place] + 1]
        if used + end - begin > len(out):
            out = np.concatenate((out, np.empty(len(out) + end - begin, np.uint64)))
            places = np.concatenate((places, np.empty(len(out) - len(places), np.int32)))
        for i in range(begin, end):
            # Always written, but kept only if marked and counted: a branch would be mispredicted.
            out[used], places[used] = values[i], np.int32(place)
            used += np.int64(is_marked(values[i], marks) & np.uint64(counters[values[i] & mask] == 2))
    return out[:used].copy(), places[:used].copy()


@jit
def entries_of(members, n_rows):
    """Invert ``members``, int32[n]: the places of each row, ascending.

    Returns (offsets int64[n_rows + 1], places int32[n]).
    """
    offsets = np.zeros(n_rows + 1, np.int64)
    for member in members:
        offsets[member + 1] += 1
    for row in range(n_rows):
        offsets[row + 1] += offsets[row]
    free = offsets[:-1].copy()
    places = np.empty(len(members), np.int32)
    for place in range(len(members)):
        places[free[members[place]]] = np.int32(place)
        free[members[place]] += 1
    return offsets, places


@jit
def posting_pairs(entry_offsets, entry_places, list_starts, members, drawn, needed, first_row, last_row):
    """Pairs of rows that share enough sampled values, for rows ``first_row <= row < last_row``.

    Parameters
    ----------
    entry_offsets : int64[n_rows + 1]; entry_places : int32[n_entries]
        The places of each row in ``members``.
    list_starts : int32[n_entries], for each place the start of its posting list, -1 if the list is
        longer than the cap and proposes nothing
    members : int32[n_entries], the posting lists one after another, rows ascending in each
    drawn : bool[n_entries], whether the member at a place drew the value; a value counts only if
        one of the two rows drew it
    needed : int64[n_rows], how many values a pair must share; the smaller number of its two rows
        counts

    Returns
    -------
    (left int64[n_pairs], right int64[n_pairs])
        left < right, ordered by right. Cost: the lengths of the lists, at most entries * cap.
    """
    n_rows = len(entry_offsets) - 1
    counts = np.zeros(n_rows, np.int32)
    touched = np.empty(n_rows, np.int64)
    left = np.empty(1024, np.int64)
    right = np.empty(1024, np.int64)
    used = 0
    for row in range(first_row, last_row):
        n_touched = 0
        for entry in range(entry_offsets[row], entry_offsets[row + 1]):
            place = entry_places[entry]
            start = list_starts[place]
            if start < 0:
                continue
            for other_place in range(start, place):
                if not (drawn[place] or drawn[other_place]):
                    continue
                other = members[other_place]
                if counts[other] == 0:
                    touched[n_touched] = other
                    n_touched += 1
                counts[other] += 1
        for t in range(n_touched):
            other = touched[t]
            if counts[other] >= min(needed[row], needed[other]):
                if used == len(left):
                    left = np.concatenate((left, np.empty(used, np.int64)))
                    right = np.concatenate((right, np.empty(used, np.int64)))
                left[used] = other
                right[used] = row
                used += 1
            counts[other] = 0
    return left[:used].copy(), right[:used].copy()

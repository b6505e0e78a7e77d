"""Who is looked at with whom: pairs from buckets of equal keys, and from postings of sampled shingles."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf

#: Other bits than those that ``count_hashes`` goes by, or what falls together here would fall together there.
MARK_SHIFT = np.uint64(20)


@jit
def bucket_pairs(keys, members, cap):
    """Pair the members of each run of equal keys.

    Parameters
    ----------
    keys : uint64[n], sorted; members : int64[n], in the order in which a large bucket is walked
    cap : in a bucket of more than ``cap + 1`` a member does not meet all others, but the next ``cap // 8`` of
        the walk and the ``cap // 16`` smallest members: a bucket of m costs m times a constant, never m * m

    Returns
    -------
    (left int64[n_pairs], right int64[n_pairs], capped int64)
        left < right in each pair; ``capped`` counts the members of buckets that were cut.
    """
    reach, n_anchors = max(1, cap // 8), max(1, cap // 16)
    anchors = np.empty(n_anchors, np.int64)
    n = len(keys)
    total = 0
    capped = 0
    begin = 0
    while begin < n:
        end = begin + 1
        while end < n and keys[end] == keys[begin]:
            end += 1
        size = end - begin
        if size - 1 <= cap:
            total += size * (size - 1) // 2
        else:
            total += size * (reach + n_anchors)
            capped += size
        begin = end
    left = np.empty(total, np.int64)
    right = np.empty(total, np.int64)
    used = 0
    begin = 0
    while begin < n:
        end = begin + 1
        while end < n and keys[end] == keys[begin]:
            end += 1
        crowded = end - begin - 1 > cap
        for i in range(begin, end):
            for j in range(i + 1, min(end, i + 1 + (reach if crowded else cap))):
                left[used] = min(members[i], members[j])
                right[used] = max(members[i], members[j])
                used += 1
        if crowded:
            smallest(members[begin:end], anchors)
            for anchor in anchors:
                for i in range(begin, end):
                    if members[i] != anchor:
                        left[used] = min(members[i], anchor)
                        right[used] = max(members[i], anchor)
                        used += 1
        begin = end
    return left[:used], right[:used], capped


@leaf
def smallest(values, out):
    """Write the ``len(out)`` smallest of ``values``, of which there are more, into ``out``, ascending."""
    held = 0
    for value in values:
        if held == len(out) and value >= out[held - 1]:
            continue
        place = held if held < len(out) else held - 1
        while place > 0 and out[place - 1] > value:
            out[place] = out[place - 1]
            place -= 1
        out[place] = value
        held = min(held + 1, len(out))


@jit
def mark_drawn(values, offsets, rows, bounds, marks):
    """Mark what each chosen row draws, its values below a bound, in place; int64[len(rows)], how many each draws.

    Parameters
    ----------
    values : uint64[n_values], hashes, ascending in each row, so that only the first ones of a row are looked at
    bounds : uint64[len(rows)]
    marks : uint64[a power of two], each bit is a slot, and a value has the slot of its bits from MARK_SHIFT on
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


@jit
def sampled(values, offsets, rows, marks):
    """The values of the chosen rows that any row draws: (values uint64[n], offsets int64[len(rows) + 1]).

    ``marks`` as ``mark_drawn`` left them; values that fall together with a drawn one come along.
    """
    mask = np.uint64(len(marks) - 1)
    out_offsets = np.zeros(len(rows) + 1, np.int64)
    out = np.empty(1024, np.uint64)
    used = np.int64(0)
    for place in range(len(rows)):
        begin, end = offsets[rows[place]], offsets[rows[place] + 1]
        if used + end - begin > len(out):
            out = np.concatenate((out, np.empty(len(out) + end - begin, np.uint64)))
        for i in range(begin, end):
            out[used] = values[i]  # it stays if its slot is marked: a branch would be guessed wrong
            slot = values[i] >> MARK_SHIFT
            used += np.int64((marks[(slot >> np.uint64(6)) & mask] >> (slot & np.uint64(63))) & np.uint64(1))
        out_offsets[place + 1] = used
    return out[:used].copy(), out_offsets


@jit
def count_hashes(values, counters):
    """Count hashes in ``counters`` (uint8[a power of two]), by their low bits, in place; nothing is counted beyond 2."""
    mask = np.uint64(len(counters) - 1)
    for value in values:
        slot = value & mask
        counters[slot] += np.uint8(counters[slot] < 2)


@jit
def is_counted_twice(values, counters):
    """bool[n_values]: whether the counter of each hash says 2; it may where two hashes fall together."""
    mask = np.uint64(len(counters) - 1)
    answer = np.empty(len(values), np.bool_)
    for i in range(len(values)):
        answer[i] = counters[values[i] & mask] == 2
    return answer


@jit
def posting_pairs(entry_offsets, entry_places, list_starts, members, drawn, needed, first_row, last_row):
    """Pairs of rows that share enough sampled values, for rows ``first_row <= row < last_row``.

    Parameters
    ----------
    entry_offsets : int64[n_rows + 1], entry_places : int32[n_entries]
        For each row, the places in ``members`` where it stands.
    list_starts : int32[n_entries], for each place the start of its list; members : int32[n_entries]
        Lists of rows, ascending, one after the other. -1: the list is longer than the cap and proposes nothing.
    drawn : bool[n_entries], whether the member at each place drew its value; one that neither row drew is not counted
    needed : int64[n_rows], how many a pair must share; of its two rows' numbers the smaller counts

    Returns
    -------
    (left int64[n_pairs], right int64[n_pairs]), left < right, in order of (right, left as found)
        Cost: the lengths of the lists, at most entries * cap.
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

"""Who is looked at with whom: pairs from buckets of equal keys, and from postings of sampled shingles."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf


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
def sampled(values, offsets, rows, below):
    """The values of the chosen rows that are below a bound: (values uint64[n], offsets int64[len(rows) + 1]).

    Values are sorted in each row, so only the first ones of a row are looked at.
    """
    out_offsets = np.zeros(len(rows) + 1, np.int64)
    for place in range(len(rows)):
        count = 0
        end = offsets[rows[place] + 1]
        while offsets[rows[place]] + count < end and values[offsets[rows[place]] + count] < below:
            count += 1
        out_offsets[place + 1] = out_offsets[place] + count
    out = np.empty(out_offsets[len(rows)], np.uint64)
    used = 0
    for place in range(len(rows)):
        begin = offsets[rows[place]]
        for i in range(begin, begin + out_offsets[place + 1] - out_offsets[place]):
            out[used] = values[i]
            used += 1
    return out, out_offsets


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
def posting_pairs(entry_offsets, entry_places, list_starts, members, sizes, least_share, most_needed, first_row, last_row):
    """Pairs of rows that share enough sampled values, for rows ``first_row <= row < last_row``.

    Parameters
    ----------
    entry_offsets : int64[n_rows + 1], entry_places : int32[n_entries]
        For each row, the places in ``members`` where it stands.
    list_starts : int32[n_entries], for each place the start of its list; members : int32[n_entries]
        Lists of rows, ascending, one after the other. -1: the list is longer than the cap and proposes nothing.
    sizes : int64[n_rows], sampled values of each row, those that no other row has among them
    least_share, most_needed : a pair must share ``least_share`` of the smaller row's sampled values, but never
        more than ``most_needed``, and at least one

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
                other = members[other_place]
                if counts[other] == 0:
                    touched[n_touched] = other
                    n_touched += 1
                counts[other] += 1
        for t in range(n_touched):
            other = touched[t]
            smaller = min(sizes[row], sizes[other])
            needed = min(most_needed, max(1, np.int64(np.ceil(least_share * smaller))))
            if counts[other] >= needed:
                if used == len(left):
                    left = np.concatenate((left, np.empty(used, np.int64)))
                    right = np.concatenate((right, np.empty(used, np.int64)))
                left[used] = other
                right[used] = row
                used += 1
            counts[other] = 0
    return left[:used].copy(), right[:used].copy()

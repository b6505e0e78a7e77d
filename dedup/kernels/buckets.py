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
def sampled(values, offsets, below):
    """The values of each row that are below a bound: (values uint64[n], offsets int64[n_rows + 1])."""
    n_rows = len(offsets) - 1
    out_offsets = np.zeros(n_rows + 1, np.int64)
    for row in range(n_rows):
        count = 0
        for i in range(offsets[row], offsets[row + 1]):
            if values[i] < below:
                count += 1
        out_offsets[row + 1] = out_offsets[row] + count
    out = np.empty(out_offsets[n_rows], np.uint64)
    used = 0
    for i in range(offsets[0], offsets[n_rows]):
        if values[i] < below:
            out[used] = values[i]
            used += 1
    return out, out_offsets


@jit
def posting_pairs(entry_offsets, entry_places, list_starts, members, least_share, most_needed, first_row, last_row):
    """Pairs of rows that share enough sampled values, for rows ``first_row <= row < last_row``.

    Parameters
    ----------
    entry_offsets : int64[n_rows + 1], entry_places : int64[n_entries]
        For each row, the places in ``members`` where it stands.
    list_starts : int64[n_entries], for each place the start of its list; members : int64[n_entries]
        Lists of rows, ascending, one after the other. -1: the list is longer than the cap and proposes nothing.
    least_share, most_needed : a pair must share ``least_share`` of the smaller row's entries, but never
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
        mine = entry_offsets[row + 1] - entry_offsets[row]
        for t in range(n_touched):
            other = touched[t]
            smaller = min(mine, entry_offsets[other + 1] - entry_offsets[other])
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

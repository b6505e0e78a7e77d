"""LSH buckets to candidate pairs: members with equal band keys."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf


@jit
def bucket_pairs(keys, members, cap):
    """Pair the members of each run of equal keys.

    Parameters
    ----------
    keys : uint64[n], sorted; members : int64[n], for large buckets in the order of the walk
    cap : a bucket of more than ``cap + 1`` members is capped: each member is paired with the next
        ``cap // 8`` of the walk and with the ``cap // 16`` smallest members only. So a bucket of m
        members costs m times a constant, never m * m.

    Returns
    -------
    (left int64[n_pairs], right int64[n_pairs], capped int64)
        left < right in each pair; ``capped`` counts the members of capped buckets.
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
        is_capped = end - begin - 1 > cap
        for i in range(begin, end):
            for j in range(i + 1, min(end, i + 1 + (reach if is_capped else cap))):
                left[used] = min(members[i], members[j])
                right[used] = max(members[i], members[j])
                used += 1
        if is_capped:
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
    """Write the ``len(out)`` smallest of ``values``, which has more, into ``out``, ascending."""
    n_kept = 0
    for value in values:
        if n_kept == len(out) and value >= out[n_kept - 1]:
            continue
        place = n_kept if n_kept < len(out) else n_kept - 1
        while place > 0 and out[place - 1] > value:
            out[place] = out[place - 1]
            place -= 1
        out[place] = value
        n_kept = min(n_kept + 1, len(out))

"""How many values two sorted rows share: the ways to count it. Each but the galloping one reads rows front to back.

``needed`` is the least overlap at which a pair would be listed. A kernel that takes it may give up on a pair and
answer ``-1``; what it answers otherwise is exact.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import jit

#: Steps of a merge between two looks at what can still be reached.
STRIDE = 32
#: Bits of the bitmap that one row is spread over: 8 KB, a quarter of the fastest cache.
BITMAP_LOG2 = 16


@jit
def merged(values, offsets, left, right):
    """Walk both rows at once, without a branch on what is found. Cost: the length of both.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]; left, right : int64[n_pairs]

    Returns
    -------
    int64[n_pairs]
    """
    out = np.empty(len(left), np.int64)
    for pair in range(len(left)):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        count = 0
        while i < i_end and j < j_end:
            a, b = values[i], values[j]
            count += np.int64(a == b)
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        out[pair] = count
    return out


@jit
def filtered_merged(values, offsets, left, right, needed):
    """Merge by the filters of PPJoin: give up as soon as what is left of either row cannot make up ``needed``.

    Notes
    -----
    Xiao, Wang, Lin, Yu 2008, "Efficient similarity joins for near duplicate detection". Before the first common
    value this is their prefix filter (the first common value must be among the first ``size - needed + 1``), after
    it their positional filter; before the first step, the length filter. Hashes are an order as good as any.
    """
    out = np.empty(len(left), np.int64)
    for pair in range(len(left)):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        least = needed[pair]
        count = 0
        while i < i_end and j < j_end:
            if count + min(i_end - i, j_end - j) < least:
                break
            i_stop, j_stop = min(i_end, i + STRIDE), min(j_end, j + STRIDE)
            while i < i_stop and j < j_stop:
                a, b = values[i], values[j]
                count += np.int64(a == b)
                i += np.int64(a <= b)
                j += np.int64(b <= a)
        out[pair] = count if count >= least else -1
    return out


@jit
def galloped(values, offsets, left, right):
    """Look each value of the shorter row up in the longer one, by doubling steps from the last place.

    Notes
    -----
    Bentley & Yao 1976, "An almost optimal algorithm for unbounded searching". Cost: the shorter length times the
    logarithm of the ratio of the lengths.
    """
    out = np.empty(len(left), np.int64)
    for pair in range(len(left)):
        short, long = left[pair], right[pair]
        if offsets[long + 1] - offsets[long] < offsets[short + 1] - offsets[short]:
            short, long = long, short
        low, end = offsets[long], offsets[long + 1]
        count = 0
        for i in range(offsets[short], offsets[short + 1]):
            value = values[i]
            step = 1
            while low + step < end and values[low + step] < value:
                low += step
                step *= 2
            high = min(low + step, end)
            while low < high:
                middle = (low + high) >> 1
                if values[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            if low == end:
                break
            count += np.int64(values[low] == value)
        out[pair] = count
    return out


@jit
def bitmapped(values, offsets, left, right, needed):
    """Spread the left row over a bitmap, look the right one's values up in it, and merge only those that hit.

    The hits are never fewer than what is shared, so where they are fewer than ``needed`` nothing is merged. Pairs
    come sorted by ``left``: a row is spread once for all its pairs.
    """
    words = 1 << (BITMAP_LOG2 - 6)
    bitmap = np.zeros(words, np.uint64)
    mask = np.uint64((1 << BITMAP_LOG2) - 1)
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    hits = np.empty(longest + 1, np.uint64)
    out = np.empty(len(left), np.int64)
    spread = -1
    for pair in range(len(left)):
        if left[pair] != spread:
            for word in range(words if spread >= 0 else 0):
                bitmap[word] = np.uint64(0)
            spread = left[pair]
            for i in range(offsets[spread], offsets[spread + 1]):
                slot = values[i] & mask
                bitmap[slot >> np.uint64(6)] |= np.uint64(1) << (slot & np.uint64(63))
        n_hits = 0
        for j in range(offsets[right[pair]], offsets[right[pair] + 1]):
            slot = values[j] & mask
            hits[n_hits] = values[j]
            n_hits += np.int64((bitmap[slot >> np.uint64(6)] >> (slot & np.uint64(63))) & np.uint64(1))
        if n_hits < needed[pair]:
            out[pair] = -1
            continue
        i, i_end = offsets[spread], offsets[spread + 1]
        j = 0
        count = 0
        while i < i_end and j < n_hits:
            a, b = values[i], hits[j]
            count += np.int64(a == b)
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        out[pair] = count if count >= needed[pair] else -1
    return out

"""Token rows to shingle rows: hashes of n consecutive tokens or characters, sorted and unique."""

from __future__ import annotations

import numpy as np

from ..hashing import EULER, extend, mix64
from ..jit import jit, leaf

#: Most buckets of a row, and the bucket size from which insertion sort is too slow.
MOST_BUCKETS, LARGE_BUCKET = 1 << 16, 24


@leaf
def shingle_hash(values, first, n):
    """uint64 hash of ``values[first:first + n]``; length and order matter."""
    state = np.uint64(n) * EULER
    for i in range(first, first + n):
        state = extend(state, values[i])
    return mix64(state)


@jit
def shingle_hashes(values, offsets, n):
    """The shingles of each row in text order, repeats included: the input of signatures.

    Parameters
    ----------
    values : uint64[n_values], offsets : int64[n_rows + 1], n : values in a shingle

    Returns
    -------
    (shingles uint64[n_shingles], shingle_offsets int64[n_rows + 1])
        A row of 1 to n values has one shingle, the whole row; an empty row has none.
    """
    n_rows = len(offsets) - 1
    shingle_offsets = np.zeros(n_rows + 1, np.int64)
    for row in range(n_rows):
        size = offsets[row + 1] - offsets[row]
        shingle_offsets[row + 1] = shingle_offsets[row] + max(size - n + 1, min(size, 1))
    shingles = np.empty(shingle_offsets[n_rows], np.uint64)
    for row in range(n_rows):
        first = offsets[row]
        width = min(n, offsets[row + 1] - first)
        for i in range(shingle_offsets[row + 1] - shingle_offsets[row]):
            shingles[shingle_offsets[row] + i] = shingle_hash(values, first + i, width)
    return shingles, shingle_offsets


@jit
def shingle_rows(values, offsets, n):
    """The shingles of each row, sorted and unique, shaped as in ``shingle_hashes``.

    Cost: a sort per row.
    """
    shingles, hash_offsets = shingle_hashes(values, offsets, n)
    n_rows = len(offsets) - 1
    shingle_offsets = np.zeros(n_rows + 1, np.int64)
    longest = 0
    for row in range(n_rows):
        longest = max(longest, hash_offsets[row + 1] - hash_offsets[row])
    scratch = np.empty(longest, np.uint64)
    starts = np.empty(MOST_BUCKETS + 1, np.int64)
    used = 0
    for row in range(n_rows):
        begin = used
        for i in range(hash_offsets[row], hash_offsets[row + 1]):
            shingles[used] = shingles[i]
            used += 1
        used = sort_unique(shingles, begin, used, scratch, starts)
        shingle_offsets[row + 1] = used
    return shingles[:used].copy(), shingle_offsets


@leaf
def sort_unique(values, begin, end, scratch, starts):
    """Sort ``values[begin:end]`` in place, unique values first; return the end of those.

    A bucket sort: hashes are uniform, so buckets of their highest bits get about one value each and
    insertion sort finishes the rest. ``scratch`` has room for the values, ``starts`` for the
    buckets.
    """
    size = end - begin
    if size <= 0:
        return begin
    bits = np.uint64(1)
    while np.uint64(1) << bits < np.uint64(min(size, MOST_BUCKETS)):
        bits += np.uint64(1)
    down = np.uint64(64) - bits
    buckets = np.int64(np.uint64(1) << bits)
    for bucket in range(buckets + 1):
        starts[bucket] = 0
    for i in range(begin, end):
        scratch[i - begin] = values[i]
        starts[np.int64(values[i] >> down) + 1] += 1
    for bucket in range(buckets):
        starts[bucket + 1] += starts[bucket]
    for i in range(size):
        slot = np.int64(scratch[i] >> down)
        values[begin + starts[slot]] = scratch[i]
        starts[slot] += 1
    first = 0
    for bucket in range(buckets):  # starts[bucket] is now where the bucket ends
        last = starts[bucket]
        if last - first > LARGE_BUCKET:
            sort_span(values, begin + first, begin + last)
        else:
            for i in range(begin + first + 1, begin + last):
                value = values[i]
                j = i
                while j > begin + first and values[j - 1] > value:
                    values[j] = values[j - 1]
                    j -= 1
                values[j] = value
        first = last
    kept = begin + 1
    for i in range(begin + 1, end):
        if values[i] != values[kept - 1]:
            values[kept] = values[i]
            kept += 1
    return kept


@leaf
def sort_span(values, begin, end):
    """Heapsort of ``values[begin:end]``, for buckets full of repeated or adversarial values."""
    size = end - begin
    for step in range(size // 2 - 1 + size, 0, -1):
        if step >= size:  # first build the heap, then repeatedly remove its maximum
            root, stop = step - size, size
        else:
            root, stop = 0, step
            values[begin], values[begin + step] = values[begin + step], values[begin]
        value = values[begin + root]
        while 2 * root + 1 < stop:
            child = 2 * root + 1
            if child + 1 < stop and values[begin + child + 1] > values[begin + child]:
                child += 1
            if values[begin + child] <= value:
                break
            values[begin + root] = values[begin + child]
            root = child
        values[begin + root] = value


@jit
def unique_rows(values, offsets):
    """Sort each row and drop repeats; return (values uint64[n], offsets int64[n_rows + 1])."""
    n_rows = len(offsets) - 1
    out_offsets = np.zeros(n_rows + 1, np.int64)
    out = np.empty(len(values), np.uint64)
    longest = 0
    for row in range(n_rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    scratch = np.empty(longest, np.uint64)
    starts = np.empty(MOST_BUCKETS + 1, np.int64)
    used = 0
    for row in range(n_rows):
        begin = used
        for i in range(offsets[row], offsets[row + 1]):
            out[used] = values[i]
            used += 1
        used = sort_unique(out, begin, used, scratch, starts)
        out_offsets[row + 1] = used
    return out[:used].copy(), out_offsets


@jit
def row_hashes(values, offsets):
    """uint64[n_rows]: a hash of each row; equal rows have equal hashes."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        state = EULER
        for i in range(offsets[row], offsets[row + 1]):
            state = extend(state, values[i])
        out[row] = mix64(state)
    return out

"""Token rows to shingle rows: hashes of n consecutive tokens (or characters), sorted and unique per row."""

from __future__ import annotations

import numpy as np

from .hashing import extend, mix64
from .jit import jit, leaf


@leaf
def shingle_hash(values, first, n):  # type: ignore[no-untyped-def]
    """uint64 hash of ``values[first:first + n]``; the length and the order count."""
    state = np.uint64(n) * np.uint64(0xB7E151628AED2A6B)
    for i in range(first, first + n):
        state = extend(state, values[i])
    return mix64(state)


@jit
def shingle_rows(values, offsets, n):  # type: ignore[no-untyped-def]
    """Shingle each row.

    Parameters
    ----------
    values : uint64[n_values], offsets : int64[n_rows + 1], n : values in a shingle

    Returns
    -------
    (shingles uint64[n_shingles], shingle_offsets int64[n_rows + 1])
        Sorted and unique in each row. A row with 1 to n values has one shingle, all of it; an empty
        row has none. Cost: a sort per row.
    """
    n_rows = len(offsets) - 1
    shingle_offsets = np.zeros(n_rows + 1, np.int64)
    total = 0
    for row in range(n_rows):
        size = offsets[row + 1] - offsets[row]
        total += max(size - n + 1, min(size, 1))
    shingles = np.empty(total, np.uint64)
    used = 0
    for row in range(n_rows):
        first, size = offsets[row], offsets[row + 1] - offsets[row]
        begin = used
        if size > 0:
            width = min(n, size)
            for i in range(first, first + size - width + 1):
                shingles[used] = shingle_hash(values, i, width)
                used += 1
            used = sort_unique(shingles, begin, used)
        shingle_offsets[row + 1] = used
    return shingles[:used].copy(), shingle_offsets


@jit
def sort_unique(values, begin, end):  # type: ignore[no-untyped-def]
    """Sort ``values[begin:end]`` in place and move its unique values to the front; where they end."""
    if end <= begin:
        return begin
    values[begin:end].sort()
    kept = begin + 1
    for i in range(begin + 1, end):
        if values[i] != values[kept - 1]:
            values[kept] = values[i]
            kept += 1
    return kept


@jit
def unique_rows(values, offsets):  # type: ignore[no-untyped-def]
    """Sort each row and drop repeats: (values uint64[n], offsets int64[n_rows + 1])."""
    n_rows = len(offsets) - 1
    out_offsets = np.zeros(n_rows + 1, np.int64)
    out = np.empty(len(values), np.uint64)
    used = 0
    for row in range(n_rows):
        begin = used
        for i in range(offsets[row], offsets[row + 1]):
            out[used] = values[i]
            used += 1
        used = sort_unique(out, begin, used)
        out_offsets[row + 1] = used
    return out[:used].copy(), out_offsets


@jit
def row_hashes(values, offsets):  # type: ignore[no-untyped-def]
    """uint64[n_rows]: a hash of each row; equal rows have equal hashes."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        state = np.uint64(0xB7E151628AED2A6B)
        for i in range(offsets[row], offsets[row + 1]):
            state = extend(state, values[i])
        out[row] = mix64(state)
    return out

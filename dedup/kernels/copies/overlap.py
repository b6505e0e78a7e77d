"""Pairs of rows compared exactly: intersections, subsequences, and periods of equal titles."""

from __future__ import annotations

import numpy as np

from ..jit import jit
from ..rows import first_at_least


@jit
def overlap_pairs(values, offsets, left, right):
    """Size of the intersection of row ``left[i]`` with row ``right[i]``.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]
    left, right : int64[n_pairs], rows

    Returns
    -------
    shared int64[n_pairs]. Cost: the length of both rows per pair.
    """
    shared = np.zeros(len(left), np.int64)
    for pair in range(len(left)):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        count = np.int64(0)
        if i_end - i > j_end - j:
            i, i_end, j, j_end = j, j_end, i, i_end
        if (i_end - i) * 32 < j_end - j:  # one much shorter: binary search for each value
            for k in range(i, i_end):
                j = first_at_least(values, j, j_end, values[k])
                count += np.int64(j < j_end and values[j] == values[k])
            shared[pair] = count
            continue
        while i < i_end and j < j_end:
            a, b = values[i], values[j]
            count += np.int64(a == b)
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        shared[pair] = count
    return shared


@jit
def subsequence_pairs(values, offsets, left, right):
    """bool[n_pairs]: whether the shorter row of each pair is a subsequence of the longer one."""
    out = np.empty(len(left), np.bool_)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        if offsets[b + 1] - offsets[b] < offsets[a + 1] - offsets[a]:
            a, b = b, a
        i = offsets[a]
        for j in range(offsets[b], offsets[b + 1]):
            if i < offsets[a + 1] and values[i] == values[j]:
                i += 1
        out[pair] = i == offsets[a + 1]
    return out


@jit
def number_periods(keys, times, longest):
    """Number periods: a new one begins where the key changes or the period is over; int64[n].

    Parameters
    ----------
    keys : uint64[n], grouped; times : float64[n], ascending for each key, NaN first
    longest : length of a period from its first known time
    """
    numbers = np.empty(len(keys), np.int64)
    number = -1
    begun = np.nan
    for i in range(len(keys)):
        if i == 0 or keys[i] != keys[i - 1]:
            number += 1
            begun = times[i]
        elif np.isnan(begun):
            begun = times[i]
        elif times[i] - begun > longest:
            number += 1
            begun = times[i]
        numbers[i] = number
    return numbers

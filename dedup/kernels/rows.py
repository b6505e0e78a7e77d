"""Rows of values: gathering rows, and binary search in one."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf


@jit
def gather_rows(values, offsets, rows, taken):
    """Concatenate the chosen rows, without an index of every value.

    Parameters
    ----------
    values : any dtype[n_values]; offsets : int64[n_all + 1]; rows : int64[n_rows]
    taken : int64[n_rows + 1], offsets of the chosen rows in the result
    """
    out = np.empty(taken[len(rows)], values.dtype)
    for place in range(len(rows)):
        begin = offsets[rows[place]]
        for i in range(taken[place + 1] - taken[place]):
            out[taken[place] + i] = values[begin + i]
    return out


@leaf
def first_at_least(values, low, high, value):
    """The first place in ascending ``values[low:high]`` with at least ``value``, else ``high``."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low

"""Rows of values: taken one by one, without an index of every value."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf


@jit
def gather_rows(values, offsets, rows, taken):
    """Copy the chosen rows one behind the other.

    Parameters
    ----------
    values : any dtype[n_values]; offsets : int64[n_all + 1]; rows : int64[n_rows]
    taken : int64[n_rows + 1], where each chosen row begins in the answer
    """
    out = np.empty(taken[len(rows)], values.dtype)
    for place in range(len(rows)):
        begin = offsets[rows[place]]
        for i in range(taken[place + 1] - taken[place]):
            out[taken[place] + i] = values[begin + i]
    return out


@leaf
def first_at_least(values, low, high, value):
    """The first place of ``values[low:high]``, which ascend, that is not below ``value``; ``high`` if all are."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low

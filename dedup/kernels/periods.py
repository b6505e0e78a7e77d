"""Runs of equal keys cut into periods of time."""

from __future__ import annotations

import numpy as np

from .jit import jit


@jit
def number_periods(keys, times, longest):
    """int64[n]: ascending numbers; a new one where the key changes or the period is over.

    Parameters
    ----------
    keys : uint64[n], equal ones together; times : float64[n], ascending for each key, NaN first
    longest : a period lasts so long from its first known time
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

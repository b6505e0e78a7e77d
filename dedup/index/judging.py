"""Arrivals against what may be their copies: every pair is measured exactly and judged by the rules of ``matches.py``.

What is common in one outlet is counted among the documents at hand: those that share enough with an arrival to be looked at. A form that
is filled in day by day brings its siblings along, so their number shows; a wire that others reprint has one entry, its canonical.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from ..buffers import Rows
from ..config import CopyConfig
from ..kernels.company import distinct_in_company
from ..matches import verify_pairs
from ..pairs import Ints, Matches
from .keys import CLASS_SIZES

#: Documents that an arrival is compared with at most, those that share most with it.
MOST_COMPARED = 64
#: Standard deviations by which a sample may fall short of what is expected of it.
_SPREADS = 2.5


def judge(
    old: Ints, new: Ints, first_new: int, company: tuple[Ints, Ints], shingles: Rows, terms: Rows, sources: Ints, config: CopyConfig
) -> Matches:
    """Measure pairs of a document at hand and an arrival.

    Parameters
    ----------
    old, new : int64[n_pairs], rows of ``shingles`` and ``terms``, see ``Fingerprints``; arrivals are those from ``first_new`` on
    company : for each arrival the rows of all documents at hand that were found for it
    sources : int64[n_rows], a number for each outlet, -1 where it is unknown

    Returns
    -------
    Matches, ``left`` is old and ``right`` new
    """

    def distinct(left: Ints, right: Ints) -> npt.NDArray[np.float64]:
        order = np.argsort(right, kind="stable")
        common = config.common, config.common_in_source
        found = np.empty(len(left))
        found[order] = distinct_in_company(*shingles, left[order], right[order], first_new, *company, sources, *common)
        return found

    return verify_pairs(old, new, shingles, terms, distinct, config)


def least_shared(sizes: Ints, cut: Ints, rate: float, whole: int, config: CopyConfig) -> npt.NDArray[np.int32]:
    """How many listed shingles an arrival must share with a document of each size class to be compared with it.

    Parameters
    ----------
    sizes : int64[n], shingles of each arrival; cut : how many of them list more documents than are read
    rate : share of a document's shingles that are listed; whole : one with no more is listed under all of them

    Returns
    -------
    int32[n, 16]
        A text that shares ``copies.excerpt`` of the smaller one shares as much of a sample on average; with the spread of a draw.
    """
    rows = [_least_shared(size, hot, rate, whole, config.excerpt) for size, hot in zip(sizes.tolist(), cut.tolist(), strict=True)]
    return np.array(rows, np.int32).reshape(len(rows), len(CLASS_SIZES))


@lru_cache(1 << 16)
def _least_shared(size: int, cut: int, rate: float, whole: int, share: float) -> tuple[int, ...]:
    """``least_shared`` of one arrival."""
    least = []
    for other in CLASS_SIZES.tolist():
        mean = share * min(size, other) * (rate if other > whole else 1.0) * (1 - cut / max(size, 1))
        least.append(max(1, ceil(mean - _SPREADS * sqrt(mean * (1 - share)) - 1e-9)))
    return tuple(least)

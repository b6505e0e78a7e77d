"""Arrivals against what may be their copies: every pair is measured exactly and judged by the rules of ``matches.py``.

What is common in one outlet is counted among the documents at hand: those that share enough with an arrival to be looked at. A form that
is filled in day by day brings its siblings along, so their number shows; a wire that others reprint has one entry, its canonical.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..buffers import Rows
from ..config import CopyConfig
from ..kernels.company import distinct_in_company
from ..matches import verify_pairs
from ..pairs import Ints, Matches

#: Documents that an arrival is compared with at most, those that share most with it.
MOST_COMPARED = 64


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

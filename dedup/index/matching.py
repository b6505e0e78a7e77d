"""Arrivals against what may be their copies: every pair is measured exactly and judged by the rules of ``matches.py``.

What is common in one outlet is counted among the documents at hand: those that share enough with an arrival to be looked at. A form that
is filled in day by day brings its siblings along, so their number shows; a wire that others reprint has one entry, its canonical.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows
from ..config import CopyConfig
from ..copies.pairs import EXACT, NEITHER, TITLE, Matches
from ..copies.titles import close_titles, unique_facts
from ..copies.verification import verify_pairs
from ..kernels.fingerprints.shingles import row_hashes
from ..kernels.index.local_weights import distinct_in_company

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


def judge_titles(
    old: Ints,
    new: Ints,
    shingles: Rows,
    terms: Rows,
    digests: npt.NDArray[np.uint64],
    headline: npt.NDArray[np.bool_],
    config: CopyConfig,
) -> Matches:
    """Measure pairs of a title at hand and a headline that arrives.

    Parameters
    ----------
    old, new : int64[n_pairs], rows of ``shingles`` and ``terms``, those of titles, see ``Fingerprints``
    digests : uint64[n_rows, 2]; headline : bool[n_rows], the rows that are a headline

    Returns
    -------
    Matches of those that say the same: the same words, or nearly, where nothing was replaced and no fact is missing
    """
    close, jaccard, containment = close_titles(shingles, terms, unique_facts(terms), old, new, config.title)
    hashes = row_hashes(*terms)
    equal = hashes[old] == hashes[new]
    same = equal.copy()
    same[close] = True
    jaccard, containment = (np.where(equal, 1.0, share)[same] for share in (jaccard, containment))
    old, new = old[same], new[same]
    exact = (digests[old] == digests[new]).all(axis=1) & headline[old] & headline[new]
    kind = np.where(exact, EXACT, TITLE).astype(np.uint8)
    return Matches(old, new, kind, jaccard, containment, np.full(len(old), NEITHER, np.uint8))

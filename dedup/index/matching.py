"""Verifies pairs of an indexed and an incoming document, by the rules of ``copies``.

The documents near an incoming one show what is common within an outlet: a template that is filled
in day by day brings its siblings along, while a wire that others reprint has a single canonical.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..config import CopyConfig
from ..copies.headlines import close_titles, title_matches, unique_facts
from ..copies.pairs import Matches, Overlap
from ..copies.verification import verify_pairs
from ..kernels.fingerprints.shingles import row_hashes
from ..kernels.index.local_weights import Neighbourhood, local_distinct_containment

#: Documents that an incoming one is compared with at most: those that share most with it.
MOST_COMPARED = 64


class TextRows(NamedTuple):
    """Texts of documents, row by row: ``shingles``, ``terms`` and ``briefs`` (``brief_terms``) as in ``Fingerprints``."""

    shingles: Rows
    terms: Rows
    briefs: Rows


class TitleRows(NamedTuple):
    """Titles of documents, row by row.

    ``shingles`` and ``terms`` of titles as in ``Fingerprints``; ``digests`` uint64[n, 2];
    ``headline`` bool[n], documents that are a headline.
    """

    shingles: Rows
    terms: Rows
    digests: npt.NDArray[np.uint64]
    headline: npt.NDArray[np.bool_]


def match_texts(old: Ints, new: Ints, texts: TextRows, near: Neighbourhood, config: CopyConfig) -> Matches:
    """Verify pairs of articles.

    Parameters
    ----------
    old, new : int64[n_pairs], rows of ``texts``: an indexed and an incoming document
    near : the neighbours of the incoming ones

    Returns
    -------
    Matches, ``left`` is old and ``right`` is new
    """

    def distinct(left: Ints, right: Ints) -> Floats:
        order = np.argsort(right, kind="stable")
        found = np.empty(len(left))
        limits = config.common, config.common_in_source
        found[order] = local_distinct_containment(*texts.shingles, left[order], right[order], near, *limits)
        return found

    return verify_pairs(old, new, *texts, near.sources, distinct, config)


def match_titles(old: Ints, new: Ints, titles: TitleRows, config: CopyConfig) -> Matches:
    """Verify pairs of a title in the index and an incoming headline.

    Parameters
    ----------
    old, new : int64[n_pairs], rows of ``titles``

    Returns
    -------
    Matches
        Of the pairs that say the same: equal words, or nearly so, with nothing replaced and no fact
        missing.
    """
    close, shared = close_titles(titles.shingles, titles.terms, unique_facts(titles.terms), old, new, config.title)
    hashes = row_hashes(*titles.terms)
    equal = hashes[old] == hashes[new]
    same = equal.copy()
    same[close] = True
    measures = np.ones((3, len(old)))
    measures[:, close] = np.where(equal[close], 1.0, shared)
    return title_matches(old[same], new[same], Overlap(*measures[:, same]), titles.digests, titles.headline)

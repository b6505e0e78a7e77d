"""Headlines against headlines and titles at hand, by the rules of ``headlines.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..buffers import Rows
from ..config import CopyConfig
from ..facts import unique_facts
from ..headlines import close_titles
from ..kernels.shingle import row_hashes
from ..pairs import EXACT, NEITHER, TITLE, Ints, Matches


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

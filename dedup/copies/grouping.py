"""Matches to copy groups: each copy has a match of its own with its canonical, never a chain.

Documents of the base keep their canonicals. A new document joins an old group only by a match with
its canonical; no match ties two old documents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, row_offsets, run_starts
from ..kernels.copies.star_clustering import star_groups
from .pairs import PARTIAL, Matches, is_among, pair_keys, unique_pairs

# These limits bound the work in chains of near copies (thousands of versions of one text); small
# groups never reach them.
#: Rounds in which documents tied only by a chain are compared directly.
ROUNDS = 3
#: Merges that check more members than this share a budget of checks per match: each member must be
#: looked up.
MOST_CHECKS = 2000
#: Canonicals, first by precedence, that a document is compared with in a round.
MOST_CANONICALS = 8


@dataclass(frozen=True, eq=False)
class FixedGroups:
    """The groups of the base, whose documents come first; they stay as they are.

    Attributes
    ----------
    canonical : int64[n_fixed], the row of each document's canonical
    matches : among these documents, sorted by pair
    """

    canonical: Ints
    matches: Matches

    def __len__(self) -> int:
        return len(self.canonical)

    @classmethod
    def none(cls) -> FixedGroups:
        """Groups of a run without a base."""
        return cls(np.empty(0, np.int64), Matches.none())


def group(matches: Matches, ranks: Ints, verify: Callable[[Ints, Ints], Matches], fixed: Ints | None = None) -> tuple[Ints, Matches]:
    """Group documents around canonicals.

    The strongest matches tie first. Two groups are merged if the first document of both by
    precedence matches every member. A document that matches only a copy of some canonical is then
    compared with that canonical, whether or not the pair was a candidate.

    Parameters
    ----------
    matches : verified pairs; those of kind ``partial`` never group
    ranks : int64[n_documents], see ``precedence``
    verify : verifies additional pairs
    fixed : int64[n_fixed], the canonicals of the first documents, which keep them and rank
        before all others

    Returns
    -------
    (canonical int64[n_documents], matches)
        The row of each document's canonical, and all matches, including the additional ones.

    Notes
    -----
    Star clustering, after Aslam, Pelekhov, Rus 2004, "The star clustering algorithm for static and
    dynamic information organization"; here stars also merge.
    """
    compared: Ints = np.empty(0, np.int64)
    fixed = np.empty(0, np.int64) if fixed is None else fixed
    canonical = _stars(matches, ranks, fixed)
    for _ in range(ROUNDS):
        left, right = _chained(matches, canonical, ranks)
        can_tie = _can_tie(left, right, fixed)
        left, right = left[can_tie], right[can_tie]
        keys = pair_keys(left, right, len(ranks))
        new = ~is_among(keys, compared) & ~is_among(keys, pair_keys(matches.left, matches.right, len(ranks)))
        if not new.any():
            break
        compared = np.sort(np.concatenate([compared, keys[new]]))
        more = verify(left[new], right[new])
        matches = Matches.join([matches, more])
        if (more.kind == PARTIAL).all():
            break
        canonical = _stars(matches, ranks, fixed)
    return canonical, matches


def _can_tie(left: Ints, right: Ints, fixed: Ints) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: whether a match may tie the pair: not two old documents, nor a new one to an old copy."""
    if not len(fixed):
        return np.ones(len(left), bool)
    is_canonical = np.append(fixed == np.arange(len(fixed)), True)
    can: npt.NDArray[np.bool_] = (right >= len(fixed)) & is_canonical[np.minimum(left, len(fixed))]
    return can


def _stars(matches: Matches, ranks: Ints, fixed: Ints) -> Ints:
    tying = (matches.kind != PARTIAL) & _can_tie(matches.left, matches.right, fixed)
    left, right = matches.left[tying], matches.right[tying]
    # By kind, strongest first; within a kind by similarity; then by precedence, which breaks ties.
    shared = matches.containment[tying] + matches.jaccard[tying]
    lower, higher = np.minimum(ranks[left], ranks[right]), np.maximum(ranks[left], ranks[right])
    strongest = np.lexsort((higher, lower, -shared, matches.kind[tying]))
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    by_source = np.lexsort((target, source))
    offsets = row_offsets(np.bincount(source, minlength=len(ranks)))
    canonical: Ints = star_groups(left[strongest], right[strongest], ranks, offsets, target[by_source], MOST_CHECKS)
    canonical[: len(fixed)] = fixed
    return canonical


def _chained(matches: Matches, canonical: Ints, ranks: Ints) -> tuple[Ints, Ints]:
    """Pairs of a document and the canonical of a document that it matches, in different groups.

    At most ``MOST_CANONICALS`` per document, those first by precedence: groups move to the first
    canonical.
    """
    tying = matches.kind != PARTIAL
    left, right = matches.left[tying], matches.right[tying]
    apart = canonical[left] != canonical[right]
    one, other = np.concatenate([left[apart], right[apart]]), canonical[np.concatenate([right[apart], left[apart]])]
    order = np.lexsort((ranks[other], one))
    one, other = one[order], other[order]
    new = run_starts(one, other)
    one, other = one[new], other[new]
    place = np.arange(len(one)) - np.searchsorted(one, one)
    few = place < MOST_CANONICALS
    return unique_pairs(np.minimum(one[few], other[few]), np.maximum(one[few], other[few]), len(canonical))

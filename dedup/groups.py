"""Matches to copy groups: each copy is tied to its canonical by a match of its own, never by a chain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .buffers import row_offsets
from .kernels.stars import star_groups
from .pairs import PARTIAL, Ints, Matches, is_among, pair_keys, unique_pairs

#: How often pairs that only a chain ties together are looked at anew.
ROUNDS = 3
#: A group of more members is moved to a new canonical only as often as the number of matches pays for: it has to be
#: looked through member by member.
MOST_CHECKS = 2000
#: Further canonicals that a document is compared with in a round.
MOST_ASKED = 8


def group(matches: Matches, ranks: Ints, verify: Callable[[Ints, Ints], Matches]) -> tuple[Ints, Matches]:
    """Group documents around canonicals.

    The strongest matches tie first, and two groups become one wherever the canonical of both, the first by
    precedence, matches every member. Where a document matches only a copy of some canonical, that pair is
    verified too, whether or not it was a candidate.

    Parameters
    ----------
    matches : verified pairs; those of kind ``partial`` never group
    ranks : int64[n_documents], precedence, see ``canonicals.py``
    verify : measures further pairs

    Returns
    -------
    (canonical int64[n_documents], matches)
        The canonical's row for each document, and all matches, the further ones included.
    """
    asked: Ints = np.empty(0, np.int64)
    canonical = _stars(matches, ranks)
    for _ in range(ROUNDS):
        left, right = _chained(matches, canonical, ranks)
        keys = pair_keys(left, right, len(ranks))
        new = ~is_among(keys, asked) & ~is_among(keys, pair_keys(matches.left, matches.right, len(ranks)))
        if not new.any():
            break
        asked = np.sort(np.concatenate([asked, keys[new]]))
        further = verify(left[new], right[new])
        matches = Matches.join([matches, further])
        if (further.kind == PARTIAL).all():
            break
        canonical = _stars(matches, ranks)
    return canonical, matches


def _stars(matches: Matches, ranks: Ints) -> Ints:
    tying = matches.kind != PARTIAL
    left, right = matches.left[tying], matches.right[tying]
    # A stronger kind first; within a kind, what shares more; then by precedence, so that ties are settled.
    shared = matches.containment[tying] + matches.jaccard[tying]
    lower, higher = np.minimum(ranks[left], ranks[right]), np.maximum(ranks[left], ranks[right])
    strongest = np.lexsort((higher, lower, -shared, matches.kind[tying]))
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    by_source = np.lexsort((target, source))
    offsets = row_offsets(np.bincount(source, minlength=len(ranks)))
    canonical: Ints = star_groups(left[strongest], right[strongest], ranks, offsets, target[by_source], MOST_CHECKS)
    return canonical


def _chained(matches: Matches, canonical: Ints, ranks: Ints) -> tuple[Ints, Ints]:
    """Pairs (document, canonical of a document that it matches) of different groups, for each document the first few.

    The canonicals that come first by precedence are asked for: they are the ones to whom groups move.
    """
    tying = matches.kind != PARTIAL
    left, right = matches.left[tying], matches.right[tying]
    apart = canonical[left] != canonical[right]
    one, other = np.concatenate([left[apart], right[apart]]), canonical[np.concatenate([right[apart], left[apart]])]
    order = np.lexsort((ranks[other], one))
    one, other = one[order], other[order]
    new = np.ones(len(one), bool)
    new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    one, other = one[new], other[new]
    place = np.arange(len(one)) - np.searchsorted(one, one)
    few = place < MOST_ASKED
    return unique_pairs(np.minimum(one[few], other[few]), np.maximum(one[few], other[few]), len(canonical))

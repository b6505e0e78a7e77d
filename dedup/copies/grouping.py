"""Matches to copy groups: each copy is tied to its canonical by a match of its own, never by a chain.

Documents of an earlier run keep the canonical that they have. A new one joins an old group by a match of its own with the
canonical of that group; no match ties two old documents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints, row_offsets, run_starts
from ..kernels.copies.star_clustering import star_groups
from .pairs import PARTIAL, Matches, is_among, pair_keys, unique_pairs

#: How often pairs that only a chain ties together are looked at anew.
ROUNDS = 3
#: A group of more members is moved to a new canonical only as often as the number of matches pays for: it has to be
#: looked through member by member.
MOST_CHECKS = 2000
#: Further canonicals that a document is compared with in a round.
MOST_ASKED = 8


@dataclass(frozen=True, eq=False)
class FixedGroups:
    """What an earlier run found among the first documents, and stays.

    ``canonical`` int64[n_settled], the row of each one's canonical; ``matches`` among them, sorted by pair.
    """

    canonical: Ints
    matches: Matches

    def __len__(self) -> int:
        return len(self.canonical)

    @classmethod
    def none(cls) -> FixedGroups:
        """No earlier run."""
        return cls(np.empty(0, np.int64), Matches.none())


def group(matches: Matches, ranks: Ints, verify: Callable[[Ints, Ints], Matches], settled: Ints | None = None) -> tuple[Ints, Matches]:
    """Group documents around canonicals.

    The strongest matches tie first, and two groups become one wherever the canonical of both, the first by
    precedence, matches every member. Where a document matches only a copy of some canonical, that pair is
    verified too, whether or not it was a candidate.

    Parameters
    ----------
    matches : verified pairs; those of kind ``partial`` never group
    ranks : int64[n_documents], precedence, see ``canonicals.py``
    verify : measures further pairs
    settled : int64[n_settled], the canonicals of the first documents, which they keep; those rank before all others

    Returns
    -------
    (canonical int64[n_documents], matches)
        The canonical's row for each document, and all matches, the further ones included.
    """
    asked: Ints = np.empty(0, np.int64)
    settled = np.empty(0, np.int64) if settled is None else settled
    canonical = _stars(matches, ranks, settled)
    for _ in range(ROUNDS):
        left, right = _chained(matches, canonical, ranks)
        open_ = _can_tie(left, right, settled)
        left, right = left[open_], right[open_]
        keys = pair_keys(left, right, len(ranks))
        new = ~is_among(keys, asked) & ~is_among(keys, pair_keys(matches.left, matches.right, len(ranks)))
        if not new.any():
            break
        asked = np.sort(np.concatenate([asked, keys[new]]))
        further = verify(left[new], right[new])
        matches = Matches.join([matches, further])
        if (further.kind == PARTIAL).all():
            break
        canonical = _stars(matches, ranks, settled)
    return canonical, matches


def _can_tie(left: Ints, right: Ints, settled: Ints) -> npt.NDArray[np.bool_]:
    """Whether a match of each pair, left < right, could tie one to the other: not two old ones, nor a new one to an old copy."""
    if not len(settled):
        return np.ones(len(left), bool)
    stands = np.append(settled == np.arange(len(settled)), True)
    can: npt.NDArray[np.bool_] = (right >= len(settled)) & stands[np.minimum(left, len(settled))]
    return can


def _stars(matches: Matches, ranks: Ints, settled: Ints) -> Ints:
    tying = (matches.kind != PARTIAL) & _can_tie(matches.left, matches.right, settled)
    left, right = matches.left[tying], matches.right[tying]
    # A stronger kind first; within a kind, what shares more; then by precedence, so that ties are settled.
    shared = matches.containment[tying] + matches.jaccard[tying]
    lower, higher = np.minimum(ranks[left], ranks[right]), np.maximum(ranks[left], ranks[right])
    strongest = np.lexsort((higher, lower, -shared, matches.kind[tying]))
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    by_source = np.lexsort((target, source))
    offsets = row_offsets(np.bincount(source, minlength=len(ranks)))
    canonical: Ints = star_groups(left[strongest], right[strongest], ranks, offsets, target[by_source], MOST_CHECKS)
    canonical[: len(settled)] = settled
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
    new = run_starts(one, other)
    one, other = one[new], other[new]
    place = np.arange(len(one)) - np.searchsorted(one, one)
    few = place < MOST_ASKED
    return unique_pairs(np.minimum(one[few], other[few]), np.maximum(one[few], other[few]), len(canonical))


def precedence_key(role: str, published: int | None, words: int, doc_id: str) -> tuple[bool, bool, int, int, str]:
    """Sort key of one document: the first of a copy group by this key is its canonical.

    An article (or embedded article) before a headline, then the earliest published (undated ones last), then
    the longest, then the smallest id. ``precedence`` orders a table by the same rule.

    Parameters
    ----------
    published : in any unit; None where unknown
    """
    return role == "headline", published is None, published or 0, -words, doc_id


def precedence(documents: Any, words: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Rank the documents of a table by ``precedence_key``, without a Python object for each.

    Parameters
    ----------
    documents : Arrow table with ``doc_id``, ``role``, ``published``
    words : int32[n_documents]

    Returns
    -------
    int64[n_documents], a permutation of 0..n-1
    """
    order = pc.sort_indices(
        pa.table(
            {
                "headline": pc.equal(documents.column("role"), "headline"),
                "published": documents.column("published"),
                "words": pa.array(words),
                "doc_id": documents.column("doc_id"),
            }
        ),
        sort_keys=[("headline", "ascending"), ("published", "ascending"), ("words", "descending"), ("doc_id", "ascending")],
    ).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks

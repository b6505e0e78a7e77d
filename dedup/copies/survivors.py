"""Matches to copy groups: which documents are kept, what each other one is a copy of, and what each kept one extends.

Direction decides: a document is dropped only where its own text stands in a kept one. Each tie is a verified match of the
two documents themselves, never a chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, row_offsets, run_starts
from ..config import CopyConfig
from ..kernels.copies.survivors import Edges, choose_survivors, find_collections, judge_each
from .pairs import PARTIAL, TITLE, Matches, is_among, pair_keys, unique_pairs

Flags = npt.NDArray[np.bool_]
#: A copy has at most this many shingles of its own beyond its canonical: a third of a long report is news.
MOST_OWN = 200
#: A document that holds this many others, no two of them matched, is a collection (a section page, a bulletin): it ties none of them.
COLLECTED = 4
#: Share of a document from which a larger kept one holds nearly all of it.
NEARLY_ALL = 0.8
#: Rounds in which documents are compared with the canonicals of copies that they match.
ROUNDS = 3
#: Canonicals that a document is compared with in a round.
MOST_ASKED = 8


@dataclass(frozen=True, eq=False)
class Survivors:
    """What is kept of documents, and how the others are tied to it.

    ``canonical`` int64[n], the row of the kept document in which each one's text stands, its own if it is kept; ``extends``
    int64[n], the row of the largest earlier kept document that a kept one holds, else -1; ``family`` int64[n], the row of the first
    document of its copy group; ``fuller`` int64[n], the row of the largest kept document that holds nearly all of it and more, else -1.
    """

    canonical: Ints
    extends: Ints
    family: Ints
    fuller: Ints

    def __len__(self) -> int:
        return len(self.canonical)

    def kept(self) -> Flags:
        """bool[n], documents that are not copies."""
        kept: Flags = self.canonical == np.arange(len(self.canonical))
        return kept

    def roots(self) -> Ints:
        """int64[n], the row of the kept document that extends no other, reached from each one by canonical and extends."""
        roots = np.where(self.extends >= 0, self.extends, np.arange(len(self.extends)))
        while not np.array_equal(further := roots[roots], roots):
            roots = further
        found: Ints = roots[self.canonical]
        return found

    def with_exact_copies(self, first: Ints, n_base: int) -> Survivors:
        """The same for all documents, where exact copies were represented by the ``first`` document of their text.

        Base documents keep what they have.
        """
        copied = (first != np.arange(len(first))) & (np.arange(len(first)) >= n_base)
        extends = np.where(copied, -1, self.extends)
        canonical, family, fuller = (np.where(copied, rows[first], rows) for rows in (self.canonical, self.family, self.fuller))
        return Survivors(canonical, extends, family, fuller)

    @classmethod
    def none(cls) -> Survivors:
        """No documents."""
        return cls(*(np.empty(0, np.int64) for _ in range(4)))


@dataclass(frozen=True, eq=False)
class BaseCopies:
    """What an earlier run found among the first documents, and stays: ``survivors``, and ``matches`` sorted by pair."""

    survivors: Survivors
    matches: Matches

    def __len__(self) -> int:
        return len(self.survivors)

    @classmethod
    def none(cls) -> BaseCopies:
        """No base."""
        return cls(Survivors.none(), Matches.none())


def choose(
    matches: Matches,
    ranks: Ints,
    sizes: Ints,
    verify: Callable[[Ints, Ints], Matches],
    config: CopyConfig,
    base: Survivors | None = None,
) -> tuple[Survivors, Matches]:
    """Decide which documents are kept.

    Where a document matches only a copy of some canonical, the pair of document and canonical is verified too, whether or not
    it was a candidate.

    Parameters
    ----------
    matches : verified pairs; those of kind ``partial`` tie nothing
    ranks : int64[n_documents], the survivor order; sizes : int64[n_documents], shingles of each
    verify : measures further pairs
    base : of the first documents, which keep what they have and rank before all others

    Returns
    -------
    (survivors, matches), the further matches included
    """
    base = base or Survivors.none()
    asked: Ints = np.empty(0, np.int64)
    survivors = _choose_once(matches, ranks, sizes, config, base)
    for _ in range(ROUNDS):
        left, right = _pairs_with_canonicals(matches, survivors, ranks, len(base))
        keys = pair_keys(left, right, len(ranks))
        new = ~is_among(keys, asked) & ~is_among(keys, pair_keys(matches.left, matches.right, len(ranks)))
        if not new.any():
            break
        asked = np.sort(np.concatenate([asked, keys[new]]))
        further = verify(left[new], right[new])
        matches = Matches.join([matches, further])
        if (further.kind == PARTIAL).all():
            break
        survivors = _choose_once(matches, ranks, sizes, config, base)
    return survivors, matches


def _choose_once(matches: Matches, ranks: Ints, sizes: Ints, config: CopyConfig, base: Survivors) -> Survivors:
    n, n_base = len(ranks), len(base)
    tying = matches.take((matches.kind != PARTIAL) & (matches.right >= n_base))
    tying = tying.take(_apart_from_collections(tying, find_collections(_edges(matches, n), sizes, config.contained, COLLECTED), sizes))
    canonical, extends, family = (np.full(n, -1, np.int64) for _ in range(3))
    canonical[:n_base], extends[:n_base], family[:n_base] = base.canonical, base.extends, base.family
    order = np.argsort(ranks)
    choose_survivors(order[order >= n_base], _edges(tying, n), sizes, canonical, extends, family, config.contained, float(MOST_OWN))
    fuller = _fuller(tying, canonical, sizes, ranks)
    found = fuller[:n_base]
    fuller[:n_base] = np.where((found < 0) | ((base.fuller >= 0) & (sizes[base.fuller] >= sizes[found])), base.fuller, found)
    return Survivors(canonical, extends, family, fuller)


def _apart_from_collections(matches: Matches, collections: Flags, sizes: Ints) -> Flags:
    """bool[n_matches], those that are not of a collection with a document at most half as large."""
    left_larger = sizes[matches.left] > sizes[matches.right]
    larger, smaller = np.where(left_larger, matches.left, matches.right), np.where(left_larger, matches.right, matches.left)
    apart: Flags = ~(collections[larger] & (2 * sizes[smaller] <= sizes[larger]))
    return apart


def judge_new(matches: Matches, rows: Ints, sizes: Ints, config: CopyConfig, related: Callable[[Ints, Ints], Flags]) -> tuple[Ints, Ints]:
    """Judge documents that match kept ones and do not depend on one another, by the rule of ``choose``.

    Parameters
    ----------
    matches : ``left`` kept documents, numbered from 0 in the order of survivors; ``right`` one of ``rows``, sorted by it; none partial
    rows : int64[n], ascending; numbers that no kept document has
    sizes : int64[n_documents], shingles of each
    related : bool[n_pairs], whether pairs of kept documents (left, right) match, partially at least; asked of those that one
        document holds, if it may be a collection

    Returns
    -------
    (copied int64[n], extended int64[n])
        The places in ``matches`` of the match by which each one is a copy, and of that with the largest document that it holds;
        -1 if there is none.
    """
    tying = _apart_from_collections(matches, _collections_among(matches, rows, sizes, config, related), sizes)
    places, matches = np.append(np.flatnonzero(tying), -1), matches.take(tying)
    offsets = np.append(np.searchsorted(matches.right, rows), len(matches))
    edges = Edges(offsets, matches.left, matches.share_right, matches.share_left, matches.kind == TITLE)
    numbers = np.arange(len(sizes))
    copied, extended = judge_each(rows, edges, sizes, numbers, numbers, config.contained, float(MOST_OWN))
    return places[copied], places[extended]


def _collections_among(matches: Matches, rows: Ints, sizes: Ints, config: CopyConfig, related: Callable[[Ints, Ints], Flags]) -> Flags:
    """bool[n_documents], which of ``rows`` are collections."""
    holds = (matches.kind != TITLE) & (matches.share_left >= config.contained) & (2 * sizes[matches.left] <= sizes[matches.right])
    held = matches.take(holds)
    counts = np.bincount(np.searchsorted(rows, held.right), minlength=len(rows))
    found = np.zeros(len(sizes), bool)
    for row in rows[counts >= COLLECTED].tolist():
        own = held.take(held.right == row)
        one, other = np.triu_indices(len(own), 1)
        near = related(own.left[one], own.left[other])
        edges = _edges(Matches.join([own, _unmeasured(own.left[one[near]], own.left[other[near]])]), len(sizes))
        found[row] = find_collections(edges, sizes, config.contained, COLLECTED)[row]
    return found


def _unmeasured(left: Ints, right: Ints) -> Matches:
    """Partial matches that hold nothing."""
    nothing = np.zeros(len(left))
    return Matches(left, right, np.full(len(left), PARTIAL, np.uint8), nothing, nothing, nothing)


def _edges(matches: Matches, n: int) -> Edges:
    """Matches as edges under both ends."""
    source, other = np.concatenate([matches.left, matches.right]), np.concatenate([matches.right, matches.left])
    order = np.lexsort((other, source))
    both = (
        other,
        np.concatenate([matches.share_left, matches.share_right]),
        np.concatenate([matches.share_right, matches.share_left]),
        np.concatenate([matches.kind, matches.kind]) == TITLE,
    )
    return Edges(row_offsets(np.bincount(source, minlength=n)), *(values[order] for values in both))


def _fuller(matches: Matches, canonical: Ints, sizes: Ints, ranks: Ints) -> Ints:
    """int64[n], the largest kept document that holds nearly all of each one, and more, other than its canonical; else -1."""
    articles = matches.take(matches.kind != TITLE)
    one = np.concatenate([articles.left, articles.right])
    other = np.concatenate([articles.right, articles.left])
    share = np.concatenate([articles.share_left, articles.share_right])
    holds = (share >= NEARLY_ALL) & (sizes[other] > sizes[one]) & (canonical[other] == other) & (canonical[one] != other)
    one, other = one[holds], other[holds]
    order = np.lexsort((-ranks[other], sizes[other], one))  # the last of each row is the largest, of equals the first by rank
    fuller = np.full(len(canonical), -1, np.int64)
    fuller[one[order]] = other[order]
    return fuller


def _pairs_with_canonicals(matches: Matches, survivors: Survivors, ranks: Ints, n_base: int) -> tuple[Ints, Ints]:
    """Pairs (kept document, canonical of a copy that it matches), for each document the first few canonicals by rank."""
    tying = matches.kind != PARTIAL
    left, right, canonical = matches.left[tying], matches.right[tying], survivors.canonical
    one, other = np.concatenate([left, right]), canonical[np.concatenate([right, left])]
    asks = (canonical[one] == one) & (other != one) & (np.maximum(one, other) >= n_base)
    one, other = one[asks], other[asks]
    order = np.lexsort((ranks[other], one))
    one, other = one[order], other[order]
    new = run_starts(one, other)
    one, other = one[new], other[new]
    few = np.arange(len(one)) - np.searchsorted(one, one) < MOST_ASKED
    return unique_pairs(np.minimum(one[few], other[few]), np.maximum(one[few], other[few]), len(canonical))

"""Fingerprints to copy groups: the channels of articles and of headlines, joined.

Exact copies are collapsed first, so that a text printed a thousand times is sketched, looked up and measured
once. What comes out speaks of all documents again: each exact copy has a match with the one that stood for it
and, where that one is itself a copy, with its canonical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .buffers import take_rows
from .candidates import propose
from .config import Config
from .facts import Facts
from .fingerprint import Fingerprints
from .groups import group
from .headlines import Titles, match_headlines
from .matches import Measured, verify
from .pairs import EXACT, LEFT, NEITHER, RIGHT, Ints, Matches
from .signatures import sign_rows
from .threads import map_blocks


@dataclass(frozen=True, eq=False)
class Copies:
    """The copies among documents.

    ``canonical`` int64[n], the row of each document's canonical (itself unless it is a copy); ``short`` bool[n],
    too short to judge; all ``matches``, by row; ``counts`` of what was seen on the way.
    """

    canonical: Ints
    short: npt.NDArray[np.bool_]
    matches: Matches
    counts: dict[str, int]


def find_copies(prints: Fingerprints, headline: npt.NDArray[np.bool_], ranks: Ints, config: Config, *, threads: int = 1) -> Copies:
    """Find the copies among documents.

    Parameters
    ----------
    prints : their fingerprints; headline : bool[n], documents that are a headline
    ranks : int64[n], precedence, see ``canonicals.py``
    """
    n = len(ranks)
    short = np.where(headline, prints.title_words < config.text.min_headline_words, prints.words < config.text.min_words)
    first = _first_of_equals(prints.digests, ~short & ~headline, ranks)
    rows = np.flatnonzero((first == np.arange(n)) & ~short & ~headline)
    counts = {"short": int(short.sum()), "exact_copies": int(np.count_nonzero(first != np.arange(n))), "compared": len(rows)}

    shingles = take_rows(*prints.shingles, rows)
    signatures = np.concatenate([np.empty((0, config.signatures.permutations), np.uint32), *map_blocks(
        lambda start, stop: sign_rows(shingles[0], shingles[1][start : stop + 1], config.signatures), len(rows), threads
    )])  # fmt: skip
    least_share = min(config.copies.partial, config.copies.excerpt)
    found = propose(signatures, shingles, config=config.candidates, least_share=least_share, threads=threads)
    counts |= found.counts
    measured = Measured.of(shingles, Facts.of(take_rows(*prints.terms, rows)), config.copies)
    articles = _renumber(verify(found.left, found.right, measured, config.copies, threads=threads), rows)
    titles = match_headlines(_titles(prints, headline), ranks, config, threads=threads)
    counts["verified"] = len(articles)

    place = np.full(n, -1, np.int64)
    place[rows] = np.arange(len(rows))

    def verify_further(left: Ints, right: Ints) -> Matches:
        both = (place[left] >= 0) & (place[right] >= 0)
        return _renumber(verify(place[left[both]], place[right[both]], measured, config.copies, threads=threads), rows)

    canonical, matches = group(Matches.join([articles, titles]), ranks, verify_further)
    doubles = np.flatnonzero(first != np.arange(n))
    canonical[doubles] = canonical[first[doubles]]
    matches = Matches.join([matches, _matches_of_doubles(doubles, first[doubles], canonical, matches, n)])
    return Copies(canonical, short, matches, counts)


def _first_of_equals(digests: npt.NDArray[np.uint64], compared: npt.NDArray[np.bool_], ranks: Ints) -> Ints:
    """The first document, by precedence, of those with the same token stream; others are their own."""
    first = np.arange(len(ranks))
    rows = np.flatnonzero(compared)
    order = rows[np.lexsort((ranks[rows], digests[rows, 1], digests[rows, 0]))]
    head = np.ones(len(order), bool)
    head[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    first[order] = order[np.maximum.accumulate(np.where(head, np.arange(len(order)), 0))] if len(order) else order
    return first


def _renumber(matches: Matches, rows: Ints) -> Matches:
    """Matches between places in ``rows`` as matches between documents; rows ascend, so order is kept."""
    return Matches(rows[matches.left], rows[matches.right], matches.kind, matches.jaccard, matches.containment, matches.contained)


def _titles(prints: Fingerprints, headline: npt.NDArray[np.bool_]) -> Titles:
    facts = Facts.of(prints.title_terms).unique
    return Titles(prints.title_shingles, prints.title_terms, facts, prints.title_words, headline, prints.digests)


def _matches_of_doubles(doubles: Ints, firsts: Ints, canonical: Ints, matches: Matches, n: int) -> Matches:
    """The match of each exact copy with the document that stood for it, and with that one's canonical."""
    ones, none = np.ones(len(doubles)), np.full(len(doubles), NEITHER, np.uint8)
    exact = np.full(len(doubles), EXACT, np.uint8)
    with_first = Matches(np.minimum(doubles, firsts), np.maximum(doubles, firsts), exact, ones, ones, none)
    copied = canonical[firsts] != firsts
    doubles, firsts = doubles[copied], firsts[copied]
    target = canonical[firsts]
    keys = matches.left * n + matches.right
    place = np.searchsorted(keys, np.minimum(firsts, target) * n + np.maximum(firsts, target))
    # The double has the shingles of its first, so it shares with the canonical what that one shares.
    inner = np.where(matches.left[place] == firsts, matches.contained[place] == LEFT, matches.contained[place] == RIGHT)
    outer = (matches.contained[place] != NEITHER) & ~inner
    low_is_double = doubles < target
    contained = np.where(inner, np.where(low_is_double, LEFT, RIGHT), np.where(outer, np.where(low_is_double, RIGHT, LEFT), NEITHER))
    left, right = np.minimum(doubles, target), np.maximum(doubles, target)
    with_canonical = Matches(
        left, right, matches.kind[place], matches.jaccard[place], matches.containment[place], contained.astype(np.uint8)
    )
    return Matches.join([with_first, with_canonical])

"""Fingerprints to copy groups: the channels of articles and of headlines, joined.

Exact copies are collapsed first, so that a text printed a thousand times is sketched, looked up and measured
once. What comes out speaks of all documents again: each exact copy has a match with the one that stood for it
and, where that one is itself a copy, with its canonical.

Documents that an earlier run has compared are not compared again with one another: what was found among them stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, run_starts
from ..arrays.spill import SpillPool
from ..config import Config
from ..fingerprints.fingerprint import Fingerprints
from ..fingerprints.minhash import band_rows
from .grouping import FixedGroups, group
from .inverted_index import posting_candidates
from .lsh import band_candidates
from .pairs import EXACT, LEFT, NEITHER, RIGHT, Candidates, Matches
from .shingle_weights import weigh
from .titles import Titles, match_headlines, unique_facts
from .verification import VerificationInput, verify

#: Exact copies of one text of which every pair is listed.
LISTED_DOUBLES = 8


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


def find_copies(
    fingerprints: Fingerprints,
    headline: npt.NDArray[np.bool_],
    ranks: Ints,
    config: Config,
    *,
    times: npt.NDArray[np.float64] | None = None,
    sources: Ints | None = None,
    settled: FixedGroups | None = None,
    spill: SpillPool | None = None,
    threads: int = 1,
) -> Copies:
    """Find the copies among documents.

    Parameters
    ----------
    prints : their fingerprints; headline : bool[n], documents that are a headline
    ranks : int64[n], precedence, see ``canonicals.py``
    times : float64[n], seconds, NaN where unknown (all, if left out)
    sources : int64[n], a number for each outlet, -1 where it is unknown (all, if left out)
    settled : what an earlier run found among the first documents, which come before all others in ``ranks``
    spill : where the fingerprints are kept (in memory, if left out)
    """
    n = len(ranks)
    settled = settled or FixedGroups.none()
    spill = spill or SpillPool(1 << 62)
    times = np.full(n, np.nan) if times is None else times
    sources = np.full(n, -1) if sources is None else sources
    short = np.where(headline, fingerprints.title_words < config.text.min_headline_words, fingerprints.words < config.text.min_words)
    first = _first_of_equals(fingerprints.digests, ~short & ~headline, ranks)
    rows = np.flatnonzero((first == np.arange(n)) & ~short & ~headline)
    counts = {"short": int(short.sum()), "exact_copies": int(np.count_nonzero(first != np.arange(n))), "compared": len(rows)}

    bands, width = config.banding()
    # In order of precedence: of a crowded bucket the first ones meet all, and one of them will stand for the others.
    ranked = rows[np.argsort(ranks[rows])]
    keys = band_rows(fingerprints.shingles, ranked, config.signatures, bands, width, threads=threads, release=spill.release)
    full = np.diff(fingerprints.shingles[1])[ranked] > 0
    alike = band_candidates(keys, full, ranked, config.candidates, threads=threads)
    del keys
    least_share = min(config.copies.partial, config.copies.excerpt)
    found = alike.join(posting_candidates(fingerprints.shingles, rows, config.candidates, least_share, spill, threads=threads), n)
    found = _new_pairs(found, len(settled))
    counts |= found.counts
    weights = weigh(fingerprints.shingles, rows, sources, config.copies, spill, threads=threads)
    measured = VerificationInput(fingerprints.shingles, weights, fingerprints.terms, spill)
    articles = verify(found.left, found.right, measured, config.copies, threads=threads)
    counts["verified"] = len(articles)
    # An article that is too short, or an exact copy, stands for nobody, so no headline is tied to it.
    titled = headline.copy()
    titled[rows] = True
    titles = match_headlines(_titles(fingerprints, headline, titled), ranks, times, config, threads=threads, release=spill.release)
    titles = titles.take(titles.right >= len(settled))
    compared = titled & ~headline

    def verify_further(left: Ints, right: Ints) -> Matches:
        both = compared[left] & compared[right]
        return verify(left[both], right[both], measured, config.copies, threads=threads)

    # A headline that has stood for itself does not come to stand for an article.
    loose = headline[titles.left] & (titles.left < len(settled)) & ~headline[titles.right]
    canonical, matches = group(Matches.join([articles, titles.take(~loose)]), ranks, verify_further, settled.canonical)
    canonical = canonical[first]
    matches = Matches.join([matches, titles.take(loose), settled.matches])
    doubles = _matches_of_doubles(first, canonical, matches)
    matches = Matches.join([matches, doubles.take(doubles.right >= len(settled))])
    return Copies(canonical, short, matches, counts)


def _new_pairs(found: Candidates, n_settled: int) -> Candidates:
    """The candidates without those that an earlier run has looked at."""
    if not n_settled:
        return found
    new = found.right >= n_settled
    return Candidates(found.left[new], found.right[new], found.counts | {"candidates": int(new.sum())})


def _first_of_equals(digests: npt.NDArray[np.uint64], compared: npt.NDArray[np.bool_], ranks: Ints) -> Ints:
    """The first document, by precedence, of those with the same token stream; others are their own."""
    first = np.arange(len(ranks))
    rows = np.flatnonzero(compared)
    order = rows[np.lexsort((ranks[rows], digests[rows, 1], digests[rows, 0]))]
    head = run_starts(digests[order, 0], digests[order, 1])
    first[order] = order[np.maximum.accumulate(np.where(head, np.arange(len(order)), 0))] if len(order) else order
    return first


def _titles(fingerprints: Fingerprints, headline: npt.NDArray[np.bool_], titled: npt.NDArray[np.bool_]) -> Titles:
    facts = unique_facts(fingerprints.title_terms)
    words = np.where(titled, fingerprints.title_words, 0).astype(np.int32)
    return Titles(fingerprints.title_shingles, fingerprints.title_terms, facts, words, headline, fingerprints.digests)


def _matches_of_doubles(first: Ints, canonical: Ints, matches: Matches) -> Matches:
    """The matches of exact copies: with each other, and with all that the document standing for them matches.

    A text printed more than ``LISTED_DOUBLES`` times would make too many pairs: each of its exact copies is
    listed with the document that stood for it and with that one's canonical only.
    """
    doubles = np.flatnonzero(first != np.arange(len(first)))
    copied = doubles[canonical[first[doubles]] != first[doubles]]
    to_canonical = matches.find(first[copied], canonical[copied], len(first))
    listed = [
        _exact(doubles, first[doubles]),
        _moved(matches.take(to_canonical), first[copied], copied, canonical[copied]),
    ]
    order = np.argsort(first, kind="stable")
    starts = np.searchsorted(first[order], np.arange(len(first)))
    sizes = np.bincount(first, minlength=len(first))
    ordinary = np.flatnonzero((sizes > 1) & (sizes <= LISTED_DOUBLES))
    _, one, other = _products(ordinary, ordinary, order, starts, sizes)
    listed.append(_exact(one[one < other], other[one < other]))
    small = (sizes[matches.left] <= LISTED_DOUBLES) & (sizes[matches.right] <= LISTED_DOUBLES)
    printed = np.flatnonzero(small & ((sizes[matches.left] > 1) | (sizes[matches.right] > 1)))
    places, one, other = _products(matches.left[printed], matches.right[printed], order, starts, sizes)
    listed.append(_moved(matches.take(printed[places]), matches.left[printed[places]], one, other))
    return Matches.join(listed)


def _exact(one: Ints, other: Ints) -> Matches:
    """Matches of documents with the same token stream."""
    ones = np.ones(len(one))
    kind, contained = np.full(len(one), EXACT, np.uint8), np.full(len(one), NEITHER, np.uint8)
    return Matches(np.minimum(one, other), np.maximum(one, other), kind, ones, ones, contained)


def _moved(matches: Matches, ends: Ints, one: Ints, other: Ints) -> Matches:
    """The same matches between other documents: ``one`` in the place of the end ``ends``, ``other`` in that of the other end."""
    of_one = np.where(matches.left == ends, LEFT, RIGHT)
    one_is_contained = matches.contained == of_one
    side = np.where(one_is_contained == (one < other), LEFT, RIGHT)
    contained = np.where(matches.contained == NEITHER, NEITHER, side).astype(np.uint8)
    return Matches(np.minimum(one, other), np.maximum(one, other), matches.kind, matches.jaccard, matches.containment, contained)


def _products(left: Ints, right: Ints, order: Ints, starts: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints]:
    """Every exact copy of ``left[i]`` with every one of ``right[i]``: (i, one, other)."""
    counts = sizes[left] * sizes[right]
    pairs = np.repeat(np.arange(len(left)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    across = sizes[right][pairs]
    return pairs, order[starts[left][pairs] + within // across], order[starts[right][pairs] + within % across]

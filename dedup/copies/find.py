"""Fingerprints to copy groups: the stages of copy detection in their order.

Exact copies are collapsed first, so that a text printed a thousand times is compared once; the
matches cover all documents again. Documents of the base are not compared with one another again.
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
from .covered import Covered, measure_covered
from .headlines import Titles, match_headlines, unique_facts
from .inverted_index import posting_candidates
from .lsh import band_candidates
from .pairs import EXACT, Candidates, Matches
from .shingle_weights import weigh
from .survivors import BaseCopies, Survivors, choose
from .verification import VerificationInput, verify

#: Up to this many documents with one token stream, every pair of them is listed.
MOST_PAIRED = 8


@dataclass(frozen=True, eq=False)
class Copies:
    """The copies among documents.

    Attributes
    ----------
    survivors : which documents are kept, and how the others are tied to them
    short : bool[n], documents that are too short to judge
    matches : all matches, sorted by pair of rows
    covered : how much of each document stands in kept ones
    counts : numbers of the stages for the manifest
    """

    survivors: Survivors
    short: npt.NDArray[np.bool_]
    matches: Matches
    covered: Covered
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.short)


def find_copies(
    fingerprints: Fingerprints,
    headline: npt.NDArray[np.bool_],
    ranks: Ints,
    config: Config,
    *,
    times: npt.NDArray[np.float64] | None = None,
    sources: Ints | None = None,
    base: BaseCopies | None = None,
    spill: SpillPool | None = None,
    threads: int = 1,
) -> Copies:
    """Find the copies among documents.

    Parameters
    ----------
    fingerprints : of all documents; headline : bool[n], documents that are headlines
    ranks : int64[n], the survivor order, see ``survivors.survivor_ranks``
    times : float64[n], seconds, NaN where unknown; by default all unknown
    sources : int64[n], numbers of outlets, -1 where unknown; by default all unknown
    base : what an earlier run found among the first documents, which come before all others in ``ranks``
    spill : pool of the fingerprints; by default memory
    """
    n = len(ranks)
    base = base or BaseCopies.none()
    spill = spill or SpillPool(1 << 62)
    times = np.full(n, np.nan) if times is None else times
    sources = np.full(n, -1) if sources is None else sources
    short = np.where(headline, fingerprints.title_words < config.text.min_headline_words, fingerprints.words < config.text.min_words)
    first = _first_of_equals(fingerprints.digests, ~short & ~headline, ranks)
    rows = np.flatnonzero((first == np.arange(n)) & ~short & ~headline)
    counts = {"short": int(short.sum()), "exact_copies": int(np.count_nonzero(first != np.arange(n))), "compared": len(rows)}

    candidates = _candidates(fingerprints, rows, ranks, config, spill, threads)
    candidates = _new_pairs(candidates, len(base))
    counts |= candidates.counts
    weights = weigh(fingerprints.shingles, rows, sources, config.copies, spill, threads=threads)
    articles = VerificationInput(fingerprints.shingles, weights, fingerprints.terms, fingerprints.brief_terms, sources, spill)
    matches = verify(candidates.left, candidates.right, articles, config.copies, threads=threads)
    counts["verified"] = len(matches)
    # No headline is tied to an article that is short or an exact copy, since neither can be a
    # canonical.
    titled = headline.copy()
    titled[rows] = True
    titles = match_headlines(_titles(fingerprints, headline, titled), ranks, times, config, threads=threads, release=spill.release)
    titles = titles.take(titles.right >= len(base))
    compared = titled & ~headline

    def verify_more(left: Ints, right: Ints) -> Matches:
        both = compared[left] & compared[right]
        return verify(left[both], right[both], articles, config.copies, threads=threads)

    # A headline of the base that is its own canonical does not become the canonical of a new
    # article.
    old_titles = headline[titles.left] & (titles.left < len(base)) & ~headline[titles.right]
    sizes = np.diff(fingerprints.shingles[1])
    survivors, matches = choose(Matches.join([matches, titles.take(~old_titles)]), ranks, sizes, verify_more, config.copies, base.survivors)
    survivors = survivors.with_exact_copies(first, len(base))
    matches = Matches.join([matches, titles.take(old_titles), base.matches])
    exact = _matches_of_exact_copies(first, survivors.canonical, matches)
    matches = Matches.join([matches, exact.take(exact.right >= len(base))])
    covered = measure_covered(fingerprints.shingles, ranks, survivors.kept(), spill, threads=threads)
    return Copies(survivors, short, matches, covered, counts)


def _candidates(fingerprints: Fingerprints, rows: Ints, ranks: Ints, config: Config, spill: SpillPool, threads: int) -> Candidates:
    """Propose pairs of the articles ``rows``: similar as a whole, or one an excerpt of the other."""
    shingles, release = fingerprints.shingles, spill.release
    bands, width = config.banding()
    # In order of precedence: in a capped bucket the first documents meet all others, and one of
    # them will be the canonical.
    ranked = rows[np.argsort(ranks[rows])]
    keys = band_rows(shingles, ranked, config.signatures, bands, width, threads=threads, release=release)
    similar = band_candidates(keys, np.diff(shingles[1])[ranked] > 0, ranked, config.candidates, threads=threads)
    del keys  # memory that the inverted index needs
    least_share = min(config.copies.partial, config.copies.excerpt)
    excerpts = posting_candidates(shingles, rows, config.candidates, least_share, spill, threads=threads)
    return similar.join(excerpts, len(ranks))


def _new_pairs(candidates: Candidates, n_base: int) -> Candidates:
    """Drop candidates among documents of the base."""
    if not n_base:
        return candidates
    new = candidates.right >= n_base
    return Candidates(candidates.left[new], candidates.right[new], candidates.counts | {"candidates": int(new.sum())})


def _first_of_equals(digests: npt.NDArray[np.uint64], compared: npt.NDArray[np.bool_], ranks: Ints) -> Ints:
    """The first document by precedence with the same token stream.

    Documents that are not compared are their own.
    """
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


def _matches_of_exact_copies(first: Ints, canonical: Ints, matches: Matches) -> Matches:
    """The matches of exact copies: with one another, and with all that their first document matches.

    A text printed more than ``MOST_PAIRED`` times would make too many pairs: each of its copies is
    listed only with the first document and with the canonical of that one.
    """
    exact = np.flatnonzero(first != np.arange(len(first)))
    copied = exact[canonical[first[exact]] != first[exact]]
    to_canonical = matches.find(first[copied], canonical[copied], len(first))
    listed = [
        _exact_matches(exact, first[exact]),
        _copied_to(matches.take(to_canonical), first[copied], copied, canonical[copied]),
    ]
    order = np.argsort(first, kind="stable")
    starts = np.searchsorted(first[order], np.arange(len(first)))
    sizes = np.bincount(first, minlength=len(first))
    ordinary = np.flatnonzero((sizes > 1) & (sizes <= MOST_PAIRED))
    _, one, other = _pairs_of_copies(ordinary, ordinary, order, starts, sizes)
    listed.append(_exact_matches(one[one < other], other[one < other]))
    small = (sizes[matches.left] <= MOST_PAIRED) & (sizes[matches.right] <= MOST_PAIRED)
    printed = np.flatnonzero(small & ((sizes[matches.left] > 1) | (sizes[matches.right] > 1)))
    places, one, other = _pairs_of_copies(matches.left[printed], matches.right[printed], order, starts, sizes)
    listed.append(_copied_to(matches.take(printed[places]), matches.left[printed[places]], one, other))
    return Matches.join(listed)


def _exact_matches(one: Ints, other: Ints) -> Matches:
    """Matches of documents with the same token stream."""
    ones = np.ones(len(one))
    return Matches.of_pairs(one, other, np.full(len(one), EXACT, np.uint8), ones, ones, ones)


def _copied_to(matches: Matches, ends: Ints, one: Ints, other: Ints) -> Matches:
    """Copy matches to other documents.

    ``one`` replaces the side ``ends``, ``other`` the opposite side.
    """
    is_left = matches.left == ends
    share, share_of_other = (
        np.where(is_left, *sides) for sides in ((matches.share_left, matches.share_right), (matches.share_right, matches.share_left))
    )
    return Matches.of_pairs(one, other, matches.kind, matches.jaccard, share, share_of_other)


def _pairs_of_copies(left: Ints, right: Ints, order: Ints, starts: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints]:
    """Pair every exact copy of ``left[i]`` with every one of ``right[i]``: (i, one, other)."""
    counts = sizes[left] * sizes[right]
    pairs = np.repeat(np.arange(len(left)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    across = sizes[right][pairs]
    return pairs, order[starts[left][pairs] + within // across], order[starts[right][pairs] + within % across]

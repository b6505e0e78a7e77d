"""Headlines and titles to matches, by character shingles: ten words are too few for word shingles.

Headlines are compared with headlines and with titles of articles, never with texts. Two articles
never match by title.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, filter_rows, run_starts, take_rows
from ..arrays.spill import Release, no_release
from ..config import Config
from ..fingerprints.minhash import band_rows
from ..kernels.copies.overlap import number_periods, subsequence_pairs
from ..kernels.fingerprints.shingles import row_hashes, unique_rows
from ..kernels.text.terms import FACT
from ..schema import DAY
from .lsh import band_candidates
from .pairs import EXACT, TITLE, Matches, Overlap, measure_overlap


@dataclass(frozen=True, eq=False)
class Titles:
    """Titles of documents, row by row; the title of a headline is its whole text.

    Attributes
    ----------
    shingles : character shingles, sorted and unique
    terms : stems in order
    facts : numbers, rare words and negations, sorted and unique
    words : int32[n], stems in each title
    headline : bool[n]
    digests : uint64[n, 2], of token streams
    """

    shingles: Rows
    terms: Rows
    facts: Rows
    words: npt.NDArray[np.int32]
    headline: npt.NDArray[np.bool_]
    digests: npt.NDArray[np.uint64]


def match_headlines(
    titles: Titles, ranks: Ints, times: npt.NDArray[np.float64], config: Config, *, threads: int = 1, release: Release = no_release
) -> Matches:
    """Match headlines with headlines and with titles.

    A title that many documents share is compared once. Each headline is matched with the first
    headline and the first article, by precedence, of its own title and of every title that says the
    same (see ``close_titles``). A title that returns after ``copies.title_days`` is a new one:
    «أسعار الذهب اليوم» of today is not that of last year.

    Parameters
    ----------
    ranks : int64[n], see ``canonical.precedence``
    times : float64[n], seconds; NaN where unknown
    """
    rows = np.flatnonzero(titles.words >= config.text.min_headline_words)
    if not titles.headline[rows].any():
        return Matches.none()
    # A unit are the documents with one title in one period.
    keys = row_hashes(*titles.terms)[rows]
    keys = periods(keys, times[rows], config.copies.title_days * DAY)
    order = np.lexsort((ranks[rows], keys))
    rows, keys = rows[order], keys[order]
    starts = np.flatnonzero(run_starts(keys))
    unit = np.repeat(np.arange(len(starts)), np.diff(np.concatenate([starts, [len(rows)]])))
    first = rows[starts]
    first_headline = _first(rows, unit, titles.headline[rows], len(starts))
    first_article = _first(rows, unit, ~titles.headline[rows], len(starts))
    left, right, same = _same_titles(titles, first, first_headline >= 0, config, threads, release)
    # Edges in both directions between units that say the same, and from each unit to itself.
    one = np.concatenate([np.arange(len(starts)), left, right])
    other = np.concatenate([np.arange(len(starts)), right, left])
    itself = np.ones(len(starts))
    shared = Overlap(
        np.concatenate([itself, same.jaccard, same.jaccard]),
        np.concatenate([itself, same.share_left, same.share_right]),
        np.concatenate([itself, same.share_right, same.share_left]),
    )

    # Each headline with the first headline and the first article of every unit that its own
    # reaches.
    headlines = rows[titles.headline[rows]]
    of_unit = unit[titles.headline[rows]]
    by_unit = np.argsort(one, kind="stable")
    offsets = np.searchsorted(one[by_unit], np.arange(len(starts) + 1))
    counts = offsets[of_unit + 1] - offsets[of_unit]
    source = np.repeat(headlines, counts)
    edge = by_unit[np.repeat(offsets[of_unit] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
    parts = []
    for target in (first_headline[other[edge]], first_article[other[edge]]):
        apart = np.abs(times[source] - times[target]) > config.copies.title_days * DAY  # False if one is undated
        real = (target >= 0) & (target != source) & ~apart
        parts.append(title_matches(source[real], target[real], shared.take(edge[real]), titles.digests, titles.headline))
    return Matches.join(parts)


def periods(keys: npt.NDArray[np.uint64], times: npt.NDArray[np.float64], longest: float) -> Ints:
    """Number keys so that equal keys more than ``longest`` seconds apart get different numbers.

    A period begins with the first time of a key after the previous period; undated keys belong to
    the first.
    """
    order = np.lexsort((np.where(np.isnan(times), -np.inf, times), keys))
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = number_periods(keys[order], times[order], longest)
    return numbers


def _first(rows: Ints, unit: Ints, chosen: npt.NDArray[np.bool_], n_units: int) -> Ints:
    """The first chosen row of each unit, -1 where there is none.

    Rows are sorted by unit and precedence.
    """
    first = np.full(n_units, -1, np.int64)
    places = np.flatnonzero(chosen)[::-1]
    first[unit[places]] = rows[places]
    return first


def _same_titles(
    titles: Titles, rows: Ints, of_headline: npt.NDArray[np.bool_], config: Config, threads: int, release: Release
) -> tuple[Ints, Ints, Overlap]:
    """Find pairs of different titles that say the same, at least one of them a headline's.

    Returns (left, right, overlap), the sides as places in ``rows``.
    """
    settings = config.candidates
    keys = band_rows(titles.shingles, rows, config.signatures, settings.bands, settings.rows, threads=threads, release=release)
    full = np.diff(titles.shingles[1])[rows] > 0
    found = band_candidates(keys, full, np.arange(len(rows)), settings, threads=threads)
    with_headline = of_headline[found.left] | of_headline[found.right]
    left, right = found.left[with_headline], found.right[with_headline]
    same, shared = close_titles(titles.shingles, titles.terms, titles.facts, rows[left], rows[right], config.copies.title)
    release()
    return left[same], right[same], shared


def close_titles(shingles: Rows, terms: Rows, facts: Rows, one: Ints, other: Ints, least: float) -> tuple[Ints, Overlap]:
    """Find the pairs of titles that say the same.

    Their character shingles agree almost entirely, no word is replaced (words may only be missing
    on one side), and no number, rare word, negation or other reversing word is missing:

    - «بلينكن يلتقي السيسي بمصر» and «بلينكن يلتقي السيسي في مصر» say the same.
    - «قتيلان» and «3 قتلى» do not, nor do «زيارة الوزير» and «إلغاء زيارة الوزير».

    Parameters
    ----------
    shingles, terms, facts : see ``Titles``
    one, other : int64[n_pairs], rows
    least : jaccard that a pair must reach

    Returns
    -------
    (places int64[n_close], overlap)
        The places of the pairs that say the same, and what these share.
    """
    shared = measure_overlap(shingles, one, other)
    close = np.flatnonzero(shared.jaccard >= least)
    close = close[subsequence_pairs(*terms, one[close], other[close])]
    # One title is the other with words left out, so equal numbers of facts mean equal facts.
    counts = (_count_facts(terms, facts, side[close]) for side in (one, other))
    close = close[np.equal(*counts)]
    return close, shared.take(close)


def title_matches(one: Ints, other: Ints, shared: Overlap, digests: npt.NDArray[np.uint64], headline: npt.NDArray[np.bool_]) -> Matches:
    """Pairs whose titles say the same, as matches: ``exact`` for headlines of the same words, else ``title``.

    Parameters
    ----------
    one, other : int64[n_pairs], rows; shared : what their titles share
    digests : uint64[n_rows, 2], of token streams; headline : bool[n_rows], documents that are a
        headline
    """
    exact = (digests[one] == digests[other]).all(axis=1) & headline[one] & headline[other]
    return Matches.of_pairs(one, other, np.where(exact, EXACT, TITLE).astype(np.uint8), *shared)


def _count_facts(terms: Rows, facts: Rows, rows: Ints) -> Ints:
    """int64[len(rows)]: the number of terms of each row that are facts, repeats included."""
    values, offsets = take_rows(*terms, rows)
    known = np.isin(values, take_rows(*facts, rows)[0])
    counts: Ints = np.diff(np.concatenate([[0], np.cumsum(known)])[offsets])
    return counts


def unique_facts(terms: Rows) -> Rows:
    """The facts in rows of terms, sorted and unique in each row."""
    facts: Rows = unique_rows(*filter_rows(*terms, (terms[0] & FACT) != 0))
    return facts

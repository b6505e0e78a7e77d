"""Measures the recall of a run: a sample of texts against all others, by exact comparison.

Documents with one token stream count as one text: exact copies are always listed and would only
improve the figure. Headlines are not measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from ..arrays.rows import Ints, Rows, run_starts, take_rows
from ..arrays.spill import Release, no_release
from ..arrays.threads import map_blocks
from ..config import Config
from ..config.bands import band_recall
from ..kernels.copies.recall import SampleIndex, sample_pairs
from ..kernels.hashing import EULER, GOLDEN, PI
from .pairs import Matches, is_among, overlap
from .verification import is_listed

#: Texts to sample if ``candidates.recall`` is set and ``candidates.recall_sample`` is not.
SAMPLE_IF_ASKED = 500
#: Fewest and most bits of a shingle hash by which the directory of the sample is indexed.
LEAST_BITS, MOST_BITS = 10, 24
_CONFIDENCE = 0.95
_ROWS_AT_ONCE = 1 << 16


def sample_size(config: Config) -> int:
    """The number of texts to sample: as set, else the default if a recall is set, else none."""
    return config.candidates.recall_sample or (SAMPLE_IF_ASKED if config.candidates.recall else 0)


def measure_recall(
    shingles: Rows,
    digests: npt.NDArray[np.uint64],
    compared: npt.NDArray[np.bool_],
    matches: Matches,
    config: Config,
    *,
    threads: int = 1,
    release: Release = no_release,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure the share of true pairs that a run listed.

    A true pair has a jaccard of at least ``candidates.at`` (and is similar enough to be listed), or
    a containment of at least ``copies.excerpt``. The sample are the texts with the smallest hashes
    of their digests, so neither the order of documents nor threads change it. A pair counts if one
    of its texts is sampled.

    Parameters
    ----------
    shingles : of all documents, sorted and unique in each row
    digests : uint64[n, 2], equal if the token streams are equal
    compared : bool[n], the documents that the run compared
    matches : all matches that it listed
    release : called after each block of shingles
    seed : of the sample

    Returns
    -------
    dict
        The section ``recall`` of ``manifest.json``: the target, the banding and its theoretical
        recall at ``at``, the numbers of texts and of sampled texts, and for each measure the pairs
        found by brute force, how many of them are listed, their share and its 95 % interval
        (``None`` without pairs).
    """
    bands, rows = config.banding()
    at, excerpt = config.candidates.at, config.copies.excerpt
    firsts, text_of = _texts(digests, compared & (np.diff(shingles[1]) > 0))
    places = _sample_places(digests[firsts], sample_size(config), seed)
    report: dict[str, Any] = {
        "target": config.candidates.recall or None,
        "at": at,
        "bands": bands,
        "rows": rows,
        "banding_recall": round(band_recall(bands, rows, at), 6),
        "texts": len(firsts),
        "sampled": len(places),
    }
    sampled, other, shared = _true_pairs(shingles, firsts, firsts[places], at, excerpt, threads, release)
    one, other_text = places[sampled], text_of[other]
    listed = _is_listed(one, other_text, places, matches, text_of, len(firsts))
    size, other_size = (np.diff(shingles[1])[row] for row in (firsts[one], other))
    measured = overlap(shared, size, other_size)
    jaccard, containment = measured.jaccard, measured.containment
    # A pair of two sampled texts is found twice, so each counts one half.
    weights = np.where(np.isin(other_text, places), 0.5, 1.0)
    for name, least, true in (
        ("jaccard", at, (jaccard >= at) & is_listed(measured, config.copies)),
        ("containment", excerpt, containment >= excerpt),
    ):
        pairs = np.bincount(sampled, weights * true, minlength=len(places)).astype(float)
        hits = np.bincount(sampled, weights * (true & listed), minlength=len(places)).astype(float)
        report[name] = {"from": least, **_share_listed(pairs, hits, len(firsts))}
    return report


def recall_interval(pairs: npt.NDArray[np.float64], listed: npt.NDArray[np.float64], population: int) -> tuple[float, float]:
    """A 95 % interval for the share of pairs that are listed, from a sample of documents.

    Parameters
    ----------
    pairs, listed : float64[n_sampled], true pairs of each sampled document, and those of them that
        are listed; not all 0
    population : number of documents from which the sample was drawn

    Notes
    -----
    Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data": the exact interval of Clopper and Pearson, for the
    number of independent pairs that would give the variance observed between documents (linearized
    ratio; the sampled unit is the document, since its pairs may be missed together). Departure:
    this effective number is at most the number of documents that have a pair, because that variance
    is not observed where few pairs are missed. So the interval does not shrink to a point if the
    sample misses nothing, as a bootstrap interval does. If the sample contains all documents, it is
    a point.
    """
    total = pairs.sum()
    share = float(listed.sum() / total)
    n = len(pairs)
    if n >= population:
        return share, share
    effective = min(total, np.count_nonzero(pairs))
    variance = n / max(n - 1, 1) * ((listed - share * pairs) ** 2).sum() / total**2
    if variance > 0:
        effective = min(effective, share * (1 - share) / variance)
    effective /= 1 - n / population
    hits, misses = share * effective, (1 - share) * effective
    tail = (1 - _CONFIDENCE) / 2
    low = float(betaincinv(hits, misses + 1, tail)) if share > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - tail)) if share < 1 else 1.0
    return low, high


def _share_listed(pairs: npt.NDArray[np.float64], listed: npt.NDArray[np.float64], population: int) -> dict[str, Any]:
    total, hits = round(pairs.sum()), round(listed.sum())
    if not total:
        return {"pairs": 0, "listed": 0, "recall": None, "low": None, "high": None}
    low, high = recall_interval(pairs, listed, population)
    return {"pairs": total, "listed": hits, "recall": round(hits / total, 6), "low": round(low, 6), "high": round(high, 6)}


def _texts(digests: npt.NDArray[np.uint64], compared: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The first document of each text, and the text of each document, -1 if it is not compared."""
    rows = np.flatnonzero(compared)
    _, first, texts = np.unique(_combined(digests[rows]), return_index=True, return_inverse=True)
    text_of = np.full(len(compared), -1, np.int64)
    text_of[rows] = texts
    return rows[first], text_of


def _sample_places(digests: npt.NDArray[np.uint64], number: int, seed: int) -> Ints:
    """The places of ``number`` texts whose digests have the smallest hashes, ascending."""
    if number >= len(digests):
        return np.arange(len(digests))
    drawn = (_combined(digests) ^ (np.full(1, seed, np.uint64) * PI)) * GOLDEN
    drawn = (drawn ^ (drawn >> np.uint64(32))) * EULER
    places: Ints = np.sort(np.argpartition(drawn, number - 1)[:number])
    return places


def _combined(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Combine both halves of each digest, which are hashes already."""
    joined: npt.NDArray[np.uint64] = digests[:, 0] ^ (digests[:, 1] * GOLDEN)
    return joined


def _true_pairs(
    shingles: Rows, rows: Ints, sample_rows: Ints, jaccard: float, containment: float, threads: int, release: Release
) -> tuple[Ints, Ints, Ints]:
    """True pairs of a sampled row and one of ``rows``: (place in sample, row, shared shingles)."""
    values, offsets = take_rows(*shingles, sample_rows)
    order = np.argsort(values, kind="stable")
    members = np.repeat(np.arange(len(sample_rows)), np.diff(offsets))[order]
    values = values[order]
    starts = np.flatnonzero(run_starts(values))
    known = values[starts]
    bits = min(max(LEAST_BITS, len(known).bit_length() + 3), MOST_BITS)
    slots = (known >> np.uint64(64 - bits)).astype(np.int64)
    seen, directory = np.zeros(1 << bits, bool), np.zeros(1 << bits, np.int32)
    seen[slots] = True
    heads = np.flatnonzero(np.diff(slots, prepend=-1))
    directory[slots[heads]] = heads
    sample = SampleIndex(seen, directory, known, np.append(starts, len(values)), members, sample_rows)

    def block(first: int, last: int) -> tuple[Ints, Ints, Ints]:
        answer: tuple[Ints, Ints, Ints] = sample_pairs(*shingles, rows[first:last], sample, jaccard, containment)
        release()
        return answer

    blocks = map_blocks(block, len(rows), threads, at_most=_ROWS_AT_ONCE) or [block(0, 0)]
    sampled, other, shared = (np.concatenate([part[i] for part in blocks]) for i in range(3))
    return sampled, other, shared


def _is_listed(one: Ints, other: Ints, sample: Ints, matches: Matches, text_of: Ints, n_texts: int) -> npt.NDArray[np.bool_]:
    """Whether any documents of two texts match, for pairs with a text of the sample."""
    in_sample = np.zeros(n_texts + 1, bool)  # the last place represents -1
    in_sample[sample] = True
    left, right = text_of[matches.left], text_of[matches.right]
    of_sample = (in_sample[left] | in_sample[right]) & (left >= 0) & (right >= 0)
    left, right = left[of_sample], right[of_sample]
    listed = np.sort(np.minimum(left, right) * n_texts + np.maximum(left, right))
    return is_among(np.minimum(one, other) * n_texts + np.maximum(one, other), listed)

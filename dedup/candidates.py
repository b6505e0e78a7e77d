"""Signatures and shingles to candidates: unverified pairs of documents that are worth a look.

MinHash-LSH finds documents alike as a whole; postings of sampled shingles find a short text inside a long one,
however short it is. Buckets and postings have caps, so that a template shared by a hundred thousand documents costs a
hundred thousand times a constant. What the caps cut is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .buffers import Rows, row_offsets
from .config import CandidateConfig
from .kernels.buckets import bucket_pairs, count_hashes, is_counted_twice, mark_drawn, posting_pairs, sampled
from .pairs import Ints, pair_keys, unique_keys, unique_pairs
from .spill import Release, keep
from .threads import map_batches, map_blocks

#: Pairs of several bands that are held before repeats are dropped.
MOST_WAITING = 1 << 24
#: Rows from which shingles are sampled at a time.
_SAMPLED_ROWS = 1 << 16
#: The greatest share below 1 that a float can hold: of 2**64 hashes it leaves out 2048.
_ALMOST_ALL = 1 - 2.0**-53
#: Standard deviations that a sample may fall below its mean: what one in a hundred does at most.
_SPREADS = 2.5


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of rows, ``left < right``, sorted and unique, and what the caps cut."""

    left: Ints
    right: Ints
    counts: dict[str, int]


def propose(
    keys: npt.NDArray[np.uint64],
    shingles: Rows,
    rows: Ints,
    *,
    config: CandidateConfig,
    least_share: float,
    excerpts: bool = True,
    threads: int = 1,
    release: Release = keep,
) -> Candidates:
    """Propose pairs.

    Parameters
    ----------
    keys : uint64[bands, n], the band keys of the documents that are compared, see ``signatures.band_rows``
    shingles : sorted unique shingle rows of all documents; rows : int64[n], ascending, those that are compared
    least_share : share of the smaller one's shingles that must be common to be worth a look
    excerpts : also use the sampled shingles
    """
    full = np.diff(shingles[1])[rows] > 0
    left, right, capped = _lsh_pairs(keys, full, config, threads)
    counts = {"lsh_pairs": len(left), "documents_in_capped_buckets": capped}
    if excerpts:
        more_left, more_right, hot = _posting_pairs(shingles, rows, config, least_share, threads, release)
        counts |= {"excerpt_pairs": len(more_left), "hot_shingles": hot}
        left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
        left, right = unique_pairs(left, right, len(rows))
    counts["candidates"] = len(left)
    return Candidates(rows[left], rows[right], counts)


def _lsh_pairs(keys: npt.NDArray[np.uint64], full: npt.NDArray[np.bool_], config: CandidateConfig, threads: int) -> tuple[Ints, Ints, int]:
    """Pairs of places that share a band; rows without shingles share nothing."""
    places = np.flatnonzero(full)
    keys = keys if len(places) == len(full) else keys[:, places]
    bands = len(keys)

    def one_band(band: int) -> tuple[Ints, int]:
        # In a crowded bucket the next band's key puts those side by side that share that one too.
        order = np.lexsort((keys[(band + 1) % bands], keys[band]))
        left, right, capped = bucket_pairs(keys[band][order], places[order], config.bucket_cap)
        return pair_keys(left, right, len(full)), capped

    pairs, waiting, capped = np.empty(0, np.int64), [], 0
    for found, cut in map_batches(one_band, range(bands), threads):
        capped = max(capped, cut)
        waiting.append(found)
        # What most bands say is said already: the pairs are made unique before they grow large.
        if sum(map(len, waiting)) > max(MOST_WAITING, len(pairs)):
            pairs, waiting = unique_keys([pairs, *waiting]), []
    pairs = unique_keys([pairs, *waiting])
    return pairs // max(len(full), 1), pairs % max(len(full), 1), capped


def _posting_pairs(
    shingles: Rows, rows: Ints, config: CandidateConfig, least_share: float, threads: int, release: Release
) -> tuple[Ints, Ints, int]:
    """Pairs of places that share enough sampled shingles.

    Each text draws about as many, those with the smallest hashes; a short one draws all that it has. It is looked
    up by them in every other text, whatever that one drew: a short text and a long one that draw apart from each
    other would seldom draw the same.
    """
    lengths = (shingles[1][1:] - shingles[1][:-1])[rows]
    share = np.minimum(1.0, config.sampled / np.maximum(lengths, 1))
    bounds = (np.minimum(share, _ALMOST_ALL) * 2.0**64).astype(np.uint64)
    marks = np.zeros(1 << max(6, int((share * lengths).sum() / 8).bit_length()), np.uint64)

    def draw(first: int, last: int) -> Ints:
        found: Ints = mark_drawn(*shingles, rows[first:last], bounds[first:last], marks)
        release()
        return found

    def sample(first: int, last: int) -> Rows:
        found: Rows = sampled(*shingles, rows[first:last], marks)
        release()
        return found

    draws = np.concatenate([np.empty(0, np.int64), *map_blocks(draw, len(rows), 1, at_most=_SAMPLED_ROWS)])
    parts = map_blocks(sample, len(rows), threads, at_most=_SAMPLED_ROWS)
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(offsets) for _, offsets in parts)])
    values, offsets = _shared_values([values for values, _ in parts], sizes)
    del parts
    # Places and rows are held in 32 bits: these arrays are the largest of the stage.
    order = np.argsort(values, kind="stable").astype(np.int32)  # rows stay ascending in each list
    values = values[order]
    members = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(offsets))[order]
    drawn = values < bounds[members]
    heads = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.empty(0, np.int64)
    del values
    lengths = np.diff(np.append(heads, len(order)))
    hot = lengths > config.list_cap
    list_starts = np.repeat(np.where(hot, -1, heads).astype(np.int32), lengths)
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    del order
    telling = draws - np.bincount(members[drawn & (list_starts < 0)], minlength=len(rows))
    needed = _least_needed(telling, share, least_share)

    def block(first: int, last: int) -> tuple[Ints, Ints]:
        answer: tuple[Ints, Ints] = posting_pairs(offsets, places, list_starts, members, drawn, needed, first, last)
        return answer

    blocks = map_blocks(block, len(rows), threads, at_least=4096)
    left, right = (np.concatenate([np.empty(0, np.int64), *(part[side] for part in blocks)]) for side in (0, 1))
    return left, right, int(np.count_nonzero(hot))


def _least_needed(draws: Ints, share: npt.NDArray[np.float64], least_share: float) -> Ints:
    """How many of the shingles that it drew a text must share with another to be looked at with it, at least one.

    A text that shares ``least_share`` of all its shingles shares as much of a sample on average, with the spread of
    a draw without replacement: none where all are drawn.
    """
    mean = least_share * draws
    spread = np.sqrt(mean * (1 - least_share) * (1 - share))
    needed: Ints = np.maximum(1, np.ceil(mean - _SPREADS * spread - 1e-9)).astype(np.int64)
    return needed


def _shared_values(parts: list[npt.NDArray[np.uint64]], sizes: Ints) -> Rows:
    """The values that may stand in more than one row: most do not, and nothing else need be held of them."""
    total = int(sizes.sum())
    counters = np.zeros(1 << max(12, (2 * total).bit_length()), np.uint8)
    for part in parts:
        count_hashes(part, counters)
    kept = [is_counted_twice(part, counters) for part in parts]
    marks = np.concatenate([np.empty(0, np.bool_), *kept])
    before = row_offsets(marks)
    values = np.concatenate([np.empty(0, np.uint64), *(part[chosen] for part, chosen in zip(parts, kept, strict=True))])
    return values, before[row_offsets(sizes)]

"""Shingles to candidates: an inverted index of sampled shingles finds short texts in long ones.

Posting lists are capped, so that page furniture, which is in every page, proposes no pairs.
Shingles in capped lists are counted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, run_starts
from ..arrays.spill import SpilledArray, SpillPool
from ..arrays.threads import map_batches, map_blocks
from ..config import CandidateConfig
from ..errors import ConfigError
from ..kernels.copies.inverted_index import count_drawn, entries_of, mark_drawn, posting_pairs, sampled
from .pairs import Candidates, packed, row_bits

#: Rows sampled at a time; parts in which the sampled shingles are sorted, so that a large corpus
#: needs less memory.
_BLOCK, _PARTS = 1 << 14, 16
#: The largest float below 1: of 2**64 hashes it leaves out 2048.
_ALMOST_ALL = 1 - 2.0**-53
#: Standard deviations that a sample may fall below its mean; at most one in a hundred falls lower.
_SPREADS = 2.5


def posting_candidates(
    shingles: Rows, rows: Ints, config: CandidateConfig, least_share: float, spill: SpillPool, *, threads: int = 1
) -> Candidates:
    """Propose pairs that share enough sampled shingles.

    Parameters
    ----------
    shingles : of all documents, sorted and unique in each row
    rows : int64[n], ascending, documents to compare
    least_share : share of the smaller text's shingles that a pair must have in common to be
        proposed
    spill : pool of the shingles and of the drawn ones

    Notes
    -----
    Every text draws about the same number of shingles, those with the smallest hashes (a short text
    all that it has), and is looked up by them among all shingles of the other texts, drawn or not:
    a short text and a long one would rarely draw the same shingles.
    """
    lengths = (shingles[1][1:] - shingles[1][:-1])[rows]
    share = np.minimum(1.0, config.sampled / np.maximum(lengths, 1))
    bounds = (np.minimum(share, _ALMOST_ALL) * 2.0**64).astype(np.uint64)
    draws, parts = _draw(shingles, rows, bounds, int((share * lengths).sum()), spill, threads)
    # Places and rows have 32 bits: these arrays are the largest of the stage.
    n_entries = sum(len(members) for _, members in parts)
    if n_entries >= 1 << 31 or len(rows) >= 1 << 31:
        raise ConfigError(
            f"{n_entries:,} sampled shingles of {len(rows):,} documents are too many to be numbered in 32 bits. "
            "Lower candidates.sampled, or run the corpus in parts."
        )
    members, list_starts = np.empty(n_entries, np.int32), np.empty(n_entries, np.int32)
    drawn = np.empty(n_entries, np.bool_)
    firsts = np.cumsum([0, *(len(part) for _, part in parts)])
    bits = row_bits(len(rows)) + 1  # and one bit for whether the row drew the value

    def sort(part: int) -> int:
        span = slice(firsts[part], firsts[part + 1])
        values, own = parts[part][0].array(), parts[part][1].array()
        numbers = packed(values, own.astype(np.uint64) * np.uint64(2) + (values < bounds[own]), bits)  # rows stay ascending in each list
        drawn[span] = numbers & np.uint64(1)
        members[span] = (numbers & np.uint64((1 << bits) - 1)) >> np.uint64(1)
        numbers >>= np.uint64(bits)
        heads = np.flatnonzero(run_starts(numbers))
        sizes = np.diff(np.append(heads, len(numbers)))
        hot = sizes > config.list_cap
        list_starts[span] = np.repeat(np.where(hot, -1, heads + firsts[part]), sizes)
        spill.release()
        return int(np.count_nonzero(hot))

    hot = sum(map_batches(sort, range(len(parts)), threads))
    offsets, places = entries_of(members, len(rows))
    counted = draws - np.bincount(members[drawn & (list_starts < 0)], minlength=len(rows))
    needed = _least_needed(counted, share, least_share)

    def block(first: int, last: int) -> tuple[Ints, Ints]:
        answer: tuple[Ints, Ints] = posting_pairs(offsets, places, list_starts, members, drawn, needed, first, last)
        return answer

    blocks = map_blocks(block, len(rows), threads, at_least=4096)
    left, right = (np.concatenate([np.empty(0, np.int64), *(part[side] for part in blocks)]) for side in (0, 1))
    return Candidates(rows[left], rows[right], {"excerpt_pairs": len(left), "hot_shingles": hot})


def _draw(
    shingles: Rows, rows: Ints, bounds: npt.NDArray[np.uint64], draws: int, spill: SpillPool, threads: int
) -> tuple[Ints, list[tuple[SpilledArray, SpilledArray]]]:
    """Count the shingles that each row draws, and collect all occurrences of drawn shingles.

    Returns the counts and, for each part, arrays of values and of places in ``rows``. Shingles of a
    single row are left out, and nearly all that no row drew.
    """
    marks = np.zeros(1 << max(6, (draws // 8).bit_length()), np.uint64)
    counters = np.zeros(1 << max(12, (2 * draws).bit_length()), np.uint8)
    parts = [(spill.new_array(np.uint64), spill.new_array(np.int32)) for _ in range(_PARTS)]
    number = []
    blocks = [slice(first, min(first + _BLOCK, len(rows))) for first in range(0, len(rows), _BLOCK)]
    for block in blocks:
        number.append(mark_drawn(*shingles, rows[block], bounds[block], marks))
        spill.release()
    for block in blocks:
        count_drawn(*shingles, rows[block], marks, counters)
        spill.release()

    def sample(block: slice) -> list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]]:
        values, places = sampled(*shingles, rows[block], marks, counters)
        places += np.int32(block.start)
        part = (values & np.uint64(_PARTS - 1)).astype(np.uint8)
        order = np.argsort(part, kind="stable")  # for bytes NumPy uses a radix sort
        spill.release()
        return [(values[own], places[own]) for own in np.split(order, np.cumsum(np.bincount(part, minlength=_PARTS))[:-1])]

    for found in map_batches(sample, blocks, threads):
        for (values, places), (more_values, more_places) in zip(parts, found, strict=True):
            values.add(more_values)
            places.add(more_places)
    return np.concatenate([np.empty(0, np.int64), *number]), parts


def _least_needed(draws: Ints, share: npt.NDArray[np.float64], least_share: float) -> Ints:
    """How many of its drawn shingles a text must share with another one to be paired, at least one.

    A text that shares ``least_share`` of its shingles shares the same part of a sample on average,
    with the spread of sampling without replacement, which is zero where all are drawn.
    """
    mean = least_share * draws
    spread = np.sqrt(mean * (1 - least_share) * (1 - share))
    needed: Ints = np.maximum(1, np.ceil(mean - _SPREADS * spread - 1e-9)).astype(np.int64)
    return needed

"""Signatures and shingles to candidates: unverified pairs of documents that are worth a look.

MinHash-LSH finds documents alike as a whole; postings of sampled shingles find a short text inside a long
one. Buckets and postings have caps, so that a template shared by a hundred thousand documents costs a
hundred thousand times a constant. What the caps cut is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .config import CandidateConfig
from .kernels.buckets import bucket_pairs, posting_pairs, sampled
from .kernels.minhash import band_keys
from .pairs import Ints, unique_pairs
from .threads import map_batches, map_blocks


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of rows, ``left < right``, sorted and unique, and what the caps cut."""

    left: Ints
    right: Ints
    counts: dict[str, int]


def propose(
    signatures: npt.NDArray[np.uint32],
    shingles: tuple[npt.NDArray[np.uint64], Ints],
    *,
    config: CandidateConfig,
    least_share: float,
    excerpts: bool = True,
    threads: int = 1,
) -> Candidates:
    """Propose pairs.

    Parameters
    ----------
    signatures : uint32[n_rows, n_slots]; shingles : their sorted unique shingle rows
    least_share : share of the smaller one's sampled shingles that must be common to be worth a look
    excerpts : also use the sampled shingles
    """
    n_rows = len(signatures)
    full = np.diff(shingles[1]) > 0
    left, right, capped = _lsh_pairs(signatures, full, config, threads)
    counts = {"lsh_pairs": len(left), "documents_in_capped_buckets": capped}
    if excerpts:
        more_left, more_right, hot = _posting_pairs(shingles, config, least_share, threads)
        counts |= {"excerpt_pairs": len(more_left), "hot_shingles": hot}
        left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
    left, right = unique_pairs(left, right, n_rows)
    counts["candidates"] = len(left)
    return Candidates(left, right, counts)


def _lsh_pairs(
    signatures: npt.NDArray[np.uint32], full: npt.NDArray[np.bool_], config: CandidateConfig, threads: int
) -> tuple[Ints, Ints, int]:
    """Pairs that share a band; rows without shingles share nothing."""
    rows = np.flatnonzero(full)
    keys = band_keys(signatures[rows], config.bands, config.rows)

    def one_band(band: int) -> tuple[Ints, Ints, int]:
        # In a crowded bucket the next band's key puts those side by side that share that one too.
        order = np.lexsort((keys[(band + 1) % config.bands], keys[band]))
        answer: tuple[Ints, Ints, int] = bucket_pairs(keys[band][order], rows[order], config.bucket_cap)
        return answer

    bands = list(map_batches(one_band, range(config.bands), threads))
    left, right = np.concatenate([band[0] for band in bands]), np.concatenate([band[1] for band in bands])
    left, right = unique_pairs(left, right, len(signatures))
    return left, right, max((band[2] for band in bands), default=0)


def _posting_pairs(
    shingles: tuple[npt.NDArray[np.uint64], Ints], config: CandidateConfig, least_share: float, threads: int
) -> tuple[Ints, Ints, int]:
    """Pairs that share enough of the shingles whose hash is small (a sample that every text draws alike)."""
    values, offsets = sampled(*shingles, np.uint64((1 << 64) // config.sample - 1))
    n_rows = len(offsets) - 1
    rows = np.repeat(np.arange(n_rows), np.diff(offsets))
    order = np.argsort(values, kind="stable")  # rows stay ascending in each list
    values, members = values[order], rows[order]
    heads = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.empty(0, np.int64)
    sizes = np.diff(np.concatenate([heads, [len(values)]]))
    hot = sizes > config.list_cap
    list_starts = np.repeat(np.where(hot, -1, heads), sizes)
    places = np.empty(len(values), np.int64)
    places[order] = np.arange(len(values))

    def block(first: int, last: int) -> tuple[Ints, Ints]:
        answer: tuple[Ints, Ints] = posting_pairs(offsets, places, list_starts, members, least_share, config.min_shared, first, last)
        return answer

    blocks = map_blocks(block, n_rows, threads, at_least=4096)
    left = np.concatenate([part[0] for part in blocks]) if blocks else np.empty(0, np.int64)
    right = np.concatenate([part[1] for part in blocks]) if blocks else np.empty(0, np.int64)
    return left, right, int(np.count_nonzero(hot))

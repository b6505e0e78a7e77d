"""Signatures to candidates: MinHash-LSH finds documents that are alike as a whole.

Buckets have a cap, so that a template shared by a hundred thousand documents costs a hundred thousand times a
constant. What the cap cuts is counted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .config import CandidateConfig
from .kernels.buckets import bucket_pairs
from .pairs import Candidates, Ints, pair_keys, unique_keys
from .threads import map_batches

#: Pairs of several bands that are held before repeats are dropped.
MOST_WAITING = 1 << 24


def band_candidates(
    keys: npt.NDArray[np.uint64], full: npt.NDArray[np.bool_], rows: Ints, config: CandidateConfig, *, threads: int = 1
) -> Candidates:
    """Propose pairs that share a band.

    Parameters
    ----------
    keys : uint64[bands, n], the band keys of the documents ``rows``, int64[n]; see ``signatures.band_rows``. In a crowded
        bucket those that come first in ``rows`` meet all others
    full : bool[n], those that have shingles; the others share nothing
    """
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
    n = max(len(full), 1)
    one, other = rows[pairs // n], rows[pairs % n]
    return Candidates(np.minimum(one, other), np.maximum(one, other), {"lsh_pairs": len(pairs), "documents_in_capped_buckets": capped})

"""Band keys to candidates: MinHash-LSH proposes documents that are similar as a whole.

Buckets are capped, so that a template in a hundred thousand documents costs a hundred thousand
times a constant. Documents in capped buckets are counted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints
from ..arrays.threads import map_batches
from ..config import CandidateConfig
from ..kernels.copies.buckets import bucket_pairs
from .pairs import Candidates, packed, pair_keys, row_bits, unique_keys

#: Pairs of several bands that may pile up before repeats are dropped.
MOST_WAITING = 1 << 24


def band_candidates(
    keys: npt.NDArray[np.uint64], full: npt.NDArray[np.bool_], rows: Ints, config: CandidateConfig, *, threads: int = 1
) -> Candidates:
    """Propose pairs that share a band.

    Parameters
    ----------
    keys : uint64[bands, n], the band keys of the documents ``rows``, int64[n]; see
        ``minhash.band_rows``. In a capped bucket the documents that come first in ``rows`` are
        paired with all others.
    full : bool[n], documents that have shingles; the others share nothing
    """
    places = np.flatnonzero(full).astype(np.uint64)
    bits, bands, every = row_bits(len(full)), len(keys), len(places) == len(full)

    def one_band(band: int) -> tuple[Ints, int]:
        numbers = packed(keys[band] if every else keys[band][full], places, bits)
        members = (numbers & np.uint64((1 << bits) - 1)).astype(np.int64)
        numbers >>= np.uint64(bits)
        _order_capped_buckets(numbers, members, keys[(band + 1) % bands], config.bucket_cap)
        left, right, capped = bucket_pairs(numbers, members, config.bucket_cap)
        return pair_keys(left, right, len(full)), capped

    pairs, waiting, capped = np.empty(0, np.int64), [], 0
    for found, n_capped in map_batches(one_band, range(bands), threads):
        capped = max(capped, n_capped)
        waiting.append(found)
        # Bands mostly repeat one another, so pairs are made unique before they take much memory.
        if sum(map(len, waiting)) > max(MOST_WAITING, len(pairs)):
            pairs, waiting = unique_keys([pairs, *waiting]), []
    pairs = unique_keys([pairs, *waiting])
    n = max(len(full), 1)
    one, other = rows[pairs // n], rows[pairs % n]
    return Candidates(np.minimum(one, other), np.maximum(one, other), {"lsh_pairs": len(pairs), "documents_in_capped_buckets": capped})


def _order_capped_buckets(keys: npt.NDArray[np.uint64], members: Ints, next_keys: npt.NDArray[np.uint64], cap: int) -> None:
    """Order members of capped buckets by their key in the next band, in place: similar ones meet.

    Parameters
    ----------
    keys : uint64[n], sorted; members : int64[n], rows of the keys; next_keys : of all rows
    """
    far = np.flatnonzero(keys[cap + 1 :] == keys[: -cap - 1])  # where a bucket exceeds the cap
    if len(far):
        capped = np.unique(keys[far])
        borders = np.zeros(len(keys) + 1, np.int8)
        borders[np.searchsorted(keys, capped)] += 1
        borders[np.searchsorted(keys, capped, side="right")] -= 1
        inside = np.flatnonzero(np.cumsum(borders[:-1], dtype=np.int8))
        members[inside] = members[inside][np.lexsort((next_keys[members[inside]], keys[inside]))]

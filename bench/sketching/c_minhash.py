"""C-MinHash: one permutation, shifted circularly by one place for each slot, instead of one permutation a slot.

Li & Li 2022, "C-MinHash: improving minwise hashing with circulant permutation", the variant (sigma, pi). A shifted
permutation is a stretch of one table, so a shingle costs a slot a load and a minimum, without multiplication.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels.jit import jit, leaf


def circle(places_log2: int, slots: int, seed: int) -> npt.NDArray[np.uint32]:
    """The permutation pi of ``2**places_log2`` places, with its first ``slots`` repeated behind its last."""
    table = np.random.default_rng(seed).permutation(1 << places_log2).astype(np.uint32)
    return np.concatenate([table, table[:slots]])


@leaf
def place_of(value, down):
    """The top bits of a value as a place: by way of 32 bits, so that the compiler sees that it is not negative and loads whole vectors."""
    return np.int64(np.uint32(np.uint32(value >> np.uint64(32)) >> down))


@jit
def sign_circulant(values, offsets, table, places_log2):
    """Sign rows: slot k holds the minimum of ``pi(sigma(value) + k)``.

    Parameters
    ----------
    values : uint64[n_values], well mixed: their top bits are the place that sigma, the first permutation, gives them
    offsets : int64[n_rows + 1]
    table : uint32[2**places_log2 + n_slots], as ``circle`` makes it

    Returns
    -------
    uint32[n_rows, n_slots]
        A row without values is all 0xFFFFFFFF. Cost: n_values * n_slots minima; the table should fit into the cache.

    Notes
    -----
    Unlike the paper's, the universe is folded: shingles that meet in one of the places count as one, which adds
    about (size of both rows) / 2**places_log2 / 2 of a share to what two rows seem to have in common.
    Four values are taken at a time, so that a slot is loaded and stored once for four minima.
    """
    n_rows = len(offsets) - 1
    slots = len(table) - (1 << places_log2)
    down = np.uint32(32 - places_log2)
    out = np.empty((n_rows, slots), np.uint32)
    for row in range(n_rows):
        signature = out[row]
        for k in range(slots):
            signature[k] = np.uint32(0xFFFFFFFF)
        i, end = offsets[row], offsets[row + 1]
        while i + 4 <= end:
            p, q = place_of(values[i], down), place_of(values[i + 1], down)
            r, s = place_of(values[i + 2], down), place_of(values[i + 3], down)
            for k in range(slots):
                least = min(min(table[p + k], table[q + k]), min(table[r + k], table[s + k]))
                signature[k] = min(signature[k], least)
            i += 4
        while i < end:
            p = place_of(values[i], down)
            for k in range(slots):
                signature[k] = min(signature[k], table[p + k])
            i += 1
    return out

"""Shingle strings to the signatures of ``datasketch.MinHash``, so that stores made with it remain usable.

``datasketch`` is the scheme of datasketch 2, ``datasketch-legacy`` that of datasketch before 2.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ..arrays.rows import row_offsets
from ..config import SignatureConfig
from ..kernels.fingerprints.minhash import MERSENNE_PRIME, legacy_signature_rows, signature_rows

#: The name of each scheme in datasketch 2.
PERMUTATION_SCHEMES = {"datasketch": "affine32", "datasketch-legacy": "legacy"}


def sign_shingles(rows: Iterable[Sequence[str]], config: SignatureConfig) -> npt.NDArray[np.uint32]:
    """Sign rows of shingle strings as ``datasketch.MinHash`` does: uint32[n_rows, permutations].

    Parameters
    ----------
    config : its scheme is one of ``PERMUTATION_SCHEMES``
    """
    hashes = [
        np.array([int.from_bytes(hashlib.sha1(shingle.encode()).digest()[:4], "little") for shingle in set(row)], np.uint32) for row in rows
    ]
    offsets = row_offsets(np.array([len(row) for row in hashes], np.int64))
    values, every = np.concatenate(hashes) if hashes else np.empty(0, np.uint32), np.arange(len(hashes))
    legacy = PERMUTATION_SCHEMES[config.scheme] == "legacy"
    sign, parameters = (legacy_signature_rows, legacy_permutations) if legacy else (signature_rows, permutations)
    high = (values if legacy else _murmur3_mix(values)).astype(np.uint64) << np.uint64(32)
    result: npt.NDArray[np.uint32] = sign(high, offsets, every, *parameters(config.permutations, config.seed))
    return result


def permutations(number: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """(odd multipliers, increments) of the permutations ``a * h + b mod 2**32`` of datasketch 2."""
    generator = np.random.RandomState(seed)
    multipliers = generator.randint(0, 1 << 31, number, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    increments = generator.randint(0, 1 << 32, number, dtype=np.uint32)
    return multipliers, increments


def legacy_permutations(number: int, seed: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """(multipliers, increments) of ``(a * h + b) % (2**61 - 1)``, drawn in turns as in datasketch 1.1.3 to 1.10."""
    generator = np.random.RandomState(seed)
    prime = int(MERSENNE_PRIME)
    drawn = np.array([[generator.randint(least, prime, dtype=np.uint64) for least in (1, 0)] for _ in range(number)], np.uint64)
    return drawn[:, 0].copy(), drawn[:, 1].copy()


def _murmur3_mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The finalizer of MurmurHash3, which datasketch 2 applies to its input hashes."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))

"""Shingle rows to MinHash signatures and band keys; mixing schemes, seeds or versions is an error.

The scheme ``native`` uses the 64-bit hash of this package; ``datasketch`` uses the SHA-1 of
``datasketch.MinHash``, so that stores built with datasketch remain usable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Rows, row_offsets
from ..arrays.spill import Release, no_release
from ..arrays.threads import map_blocks
from ..config import SignatureConfig
from ..errors import SignatureError
from ..kernels.fingerprints.minhash import band_keys, signature_rows

Keys = npt.NDArray[np.uint64]
#: Increased whenever the signature of a text changes.
SIGNATURE_VERSION = 1
#: Distinguishes native signatures from those of datasketch with the same seed: their input hashes
#: differ.
_NATIVE_SEED = 0x6E617469


@dataclass(frozen=True, eq=False)
class Signatures:
    """MinHash signatures of documents.

    ``values`` uint32[n_documents, permutations]; a document without shingles is all 0xFFFFFFFF.
    """

    values: npt.NDArray[np.uint32]
    scheme: str
    seed: int
    version: int = SIGNATURE_VERSION

    def __len__(self) -> int:
        return len(self.values)

    def jaccard(self, a: int, other: Signatures | None = None, b: int | None = None) -> float:
        """Estimate the Jaccard similarity of document ``a`` and document ``b`` (of ``other`` if given).

        The standard error is sqrt(j(1-j)/permutations): 0.044 for j=0.5 and 128 permutations.
        Reported matches never use this estimate.

        Raises
        ------
        SignatureError
            If scheme, seed, version or length differ.
        """
        other = self if other is None else other
        self._check_comparable(other)
        b = a if b is None else b
        return float(np.mean(self.values[a] == other.values[b]))

    def join(self, other: Signatures) -> Signatures:
        """Concatenate these signatures and those of ``other``.

        Raises
        ------
        SignatureError
            If scheme, seed, version or length differ.
        """
        self._check_comparable(other)
        return Signatures(np.concatenate([self.values, other.values]), self.scheme, self.seed, self.version)

    def to_datasketch(self) -> list[Any]:
        """Convert to ``datasketch.LeanMinHash``, one per document, for ``datasketch.MinHashLSH``.

        With scheme ``native`` they have a different seed, so that datasketch refuses to compare
        them with its own sketches; with scheme ``datasketch`` they are equal to its own.
        """
        from datasketch import LeanMinHash

        seed = self.seed if self.scheme == "datasketch" else self.seed ^ _NATIVE_SEED
        return [LeanMinHash(seed=seed, hashvalues=row, scheme="affine32") for row in self.values]

    def _check_comparable(self, other: Signatures) -> None:
        for name in ("scheme", "seed", "version"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise SignatureError(
                    f"signatures with {name} {mine!r} and {theirs!r} cannot be compared. Sign both with the same configuration."
                )
        if self.values.shape[1] != other.values.shape[1]:
            raise SignatureError(
                f"signatures of {self.values.shape[1]} and {other.values.shape[1]} permutations cannot be compared. "
                "Sign both with the same configuration."
            )


def permutations(config: SignatureConfig) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """(odd multipliers, increments) of the permutations ``a * h + b mod 2**32``, as in datasketch 2."""
    seed = config.seed if config.scheme == "datasketch" else config.seed ^ _NATIVE_SEED
    generator = np.random.RandomState(seed)
    multipliers = generator.randint(0, 1 << 31, config.permutations, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    increments = generator.randint(0, 1 << 32, config.permutations, dtype=np.uint32)
    return multipliers, increments


def sign_rows(shingles: Rows, config: SignatureConfig, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.uint32]:
    """Sign rows of shingle hashes, all or the chosen ones: uint32[n_rows, permutations]."""
    values, offsets = shingles
    rows = np.arange(len(offsets) - 1) if rows is None else rows
    result: npt.NDArray[np.uint32] = signature_rows(values, offsets, rows, *permutations(config))
    return result


def band_rows(
    shingles: Rows,
    rows: npt.NDArray[np.int64],
    config: SignatureConfig,
    bands: int,
    width: int,
    *,
    threads: int = 1,
    release: Release = no_release,
) -> Keys:
    """The band keys of the chosen rows, ``width`` signature values per band: uint64[bands, n_rows].

    Signatures are dropped once their keys are made, so a document takes 8 bytes per band.
    """
    keys = np.empty((bands, len(rows)), np.uint64)

    def block(first: int, last: int) -> None:
        keys[:, first:last] = band_keys(sign_rows(shingles, config, rows[first:last]), bands, width)
        release()

    map_blocks(block, len(rows), threads, at_most=1 << 14)
    return keys


def sign_shingles(rows: Iterable[Sequence[str]], config: SignatureConfig) -> npt.NDArray[np.uint32]:
    """Sign rows of shingle strings as ``datasketch.MinHash`` does: uint32[n_rows, permutations]."""
    hashes = [
        np.array([int.from_bytes(hashlib.sha1(shingle.encode()).digest()[:4], "little") for shingle in set(row)], np.uint32) for row in rows
    ]
    offsets = row_offsets(np.array([len(row) for row in hashes], np.int64))
    values = np.concatenate(hashes) if hashes else np.empty(0, np.uint32)
    return sign_rows((_murmur3_mix(values).astype(np.uint64) << np.uint64(32), offsets), config)


def _murmur3_mix(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The finalizer of MurmurHash3, which datasketch 2 applies to its input hashes."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))

"""Shingle rows to signatures and band keys; mixing schemes, seeds or versions is an error.

The scheme ``native`` is a similarity sketch of the 64-bit hashes of this package. The schemes of
``datasketch_schemes.py`` give the values of ``datasketch.MinHash``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Rows
from ..arrays.spill import Release, no_release
from ..arrays.threads import map_blocks
from ..config import SignatureConfig
from ..errors import SignatureError
from ..kernels.fingerprints.minhash import band_keys
from ..kernels.fingerprints.similarity_sketch import sketch_rows
from .datasketch_schemes import PERMUTATION_SCHEMES

Keys = npt.NDArray[np.uint64]
#: Increased whenever the signature of a text changes.
SIGNATURE_VERSION = 2
#: Distinguishes native signatures from those of datasketch with the same seed.
_NATIVE_SEED = 0x6E617469


@dataclass(frozen=True, eq=False)
class Signatures:
    """Signatures of documents.

    ``values`` uint32[n_documents, permutations]; a document without shingles is all 0xFFFFFFFF.
    Whatever the scheme, the signature of the shingles of two documents together is the minimum of
    both signatures, slot by slot.
    """

    values: npt.NDArray[np.uint32]
    scheme: str
    seed: int
    version: int = SIGNATURE_VERSION

    def __len__(self) -> int:
        return len(self.values)

    def jaccard(self, a: int, other: Signatures | None = None, b: int | None = None) -> float:
        """Estimate the Jaccard similarity of document ``a`` and document ``b`` (of ``other`` if given).

        The standard error is at most sqrt(j(1-j)/permutations): 0.044 for j=0.5 and 128
        permutations. With scheme ``native`` it is smaller unless the texts have thousands of
        shingles: 0.035 for news. Reported matches never use this estimate.

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

        With the schemes ``datasketch`` and ``datasketch-legacy`` they are equal to its own. With
        scheme ``native`` their seed, which no sketch of datasketch has, tells the version, so that
        datasketch refuses to compare or merge them with its own sketches and with those of other
        versions. ``jaccard``, ``merge``, ``union`` and ``MinHashLSH`` work on them; ``count`` does
        not, and ``datasketch.MinHash`` does not take their seed, since it could not update them.
        ``MinHashLSH`` does not look at seeds: give each store the sketches of one scheme, seed and
        version.
        """
        from datasketch import LeanMinHash

        seed, scheme = self.seed, PERMUTATION_SCHEMES.get(self.scheme)
        if scheme is None:
            seed, scheme = self.version << 32 | seed ^ _NATIVE_SEED, "affine32"
        return [LeanMinHash(seed=seed, hashvalues=row, scheme=scheme) for row in self.values]

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


def sign_rows(shingles: Rows, config: SignatureConfig, rows: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.uint32]:
    """Sign rows of shingle hashes, all or the chosen ones, with scheme ``native``: uint32[n_rows, permutations]."""
    values, offsets = shingles
    rows = np.arange(len(offsets) - 1) if rows is None else rows
    seed = np.uint64(SIGNATURE_VERSION << 32 | config.seed ^ _NATIVE_SEED)
    result: npt.NDArray[np.uint32] = sketch_rows(values, offsets, rows, config.permutations, seed)
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
    """The band keys of the chosen rows, ``width`` values of native signatures per band: uint64[bands, n_rows].

    Signatures are dropped once their keys are made, so a document takes 8 bytes per band.
    """
    keys = np.empty((bands, len(rows)), np.uint64)

    def block(first: int, last: int) -> None:
        keys[:, first:last] = band_keys(sign_rows(shingles, config, rows[first:last]), bands, width)
        release()

    map_blocks(block, len(rows), threads, at_most=1 << 14)
    return keys

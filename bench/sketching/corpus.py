"""The rows that the copies stage compares, read from a corpus, and the pairs of them that truly are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from bench.brute_force import all_pairs
from dedup import Config
from dedup.arrays.rows import Rows
from dedup.arrays.spill import SpillPool
from dedup.fingerprints.fingerprint import FingerprintPiles, Fingerprints, fingerprint
from dedup.kernels.fingerprints.shingles import unique_rows
from dedup.kernels.hashing import mix64
from dedup.kernels.jit import jit
from dedup.readers import ReadLog, read_files
from dedup.segmentation.documents import documents_of

Ints = npt.NDArray[np.int64]
#: A limit that no corpus reaches: everything is held in memory.
IN_MEMORY = 1 << 62
#: All pairs from this jaccard on are known.
LEAST_JACCARD = 0.3


@dataclass(frozen=True, eq=False)
class Corpus:
    """All documents: fingerprints, which of them are headlines, and a number for the outlet of each, -1 where unknown."""

    prints: Fingerprints
    headline: npt.NDArray[np.bool_]
    sources: Ints


@dataclass(frozen=True, eq=False)
class Shingled:
    """``values`` uint64, sorted and unique in each row; ``offsets`` int64[n_rows + 1]."""

    values: npt.NDArray[np.uint64]
    offsets: Ints

    @property
    def pair(self) -> Rows:
        """Both, as functions take them."""
        return self.values, self.offsets

    @property
    def sizes(self) -> Ints:
        """int64[n_rows]: shingles of each row."""
        return np.diff(self.offsets)

    def redrawn(self, draw: int) -> Shingled:
        """The same sets under other hashes; draw 0 is this one. Every scheme gets a fresh sample of its luck."""
        if draw == 0:
            return self
        return Shingled(*unique_rows(remixed(self.values, np.uint64(draw)), self.offsets))


@dataclass(frozen=True, eq=False)
class Truth:
    """All pairs of rows, left < right, with a jaccard of at least ``LEAST_JACCARD``."""

    left: Ints
    right: Ints
    jaccard: npt.NDArray[np.float64]


@jit
def remixed(values, draw):
    """Each value hashed again with ``draw`` in it."""
    out = np.empty(len(values), np.uint64)
    for i in range(len(values)):
        out[i] = mix64(values[i] + draw * np.uint64(0x9E3779B97F4A7C15))
    return out


def read(path: str, config: Config) -> Corpus:
    """Read and fingerprint a corpus."""
    piles, headlines, sources = FingerprintPiles(SpillPool(IN_MEMORY)), [], []
    for batch in read_files([path], config=config, log=ReadLog()):
        if batch.pages.num_rows:
            documents, _ = documents_of(batch.pages, segmented=config.text.segment)
            piles.add(fingerprint(documents.column("text"), documents.column("title"), config))
            headlines.append(pc.equal(documents.column("role"), "headline").to_numpy(zero_copy_only=False))
            sources += documents.column("source").to_pylist()
    codes = {source: code for code, source in enumerate(dict.fromkeys(source for source in sources if source is not None))}
    return Corpus(piles.joined(), np.concatenate(headlines), np.array([codes.get(source, -1) for source in sources], np.int64))


def compared(corpus: Corpus, config: Config) -> Shingled:
    """The rows that the copies stage compares: articles long enough to judge, each token stream once."""
    prints = corpus.prints.take(np.flatnonzero(~corpus.headline & (corpus.prints.words >= config.text.min_words)))
    _, first = np.unique(prints.digests, axis=0, return_index=True)
    return Shingled(*prints.take(np.sort(first)).shingles)


def truth(rows: Shingled) -> Truth:
    """Count all pairs."""
    left, right, shared = all_pairs(rows.values, rows.offsets, jaccard=LEAST_JACCARD, containment=2.0)
    return Truth(left, right, shared / (rows.sizes[left] + rows.sizes[right] - shared))

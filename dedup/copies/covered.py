"""How much of each document stands in the documents that are kept, all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..arrays.spill import SpillPool
from ..arrays.threads import map_batches
from ..kernels.copies.covered import NOWHERE, count_covered, note_first_ranks

#: Slots of a table at least and at most: small tables stay in the cache, but each part of the hash range reads every row once.
_LEAST_SLOTS, _MOST_SLOTS = 1 << 14, 1 << 22
#: Parts of the hash range while tables can grow, and rows read at a time.
_PARTS, _BLOCK = 64, 1 << 14


@dataclass(frozen=True, eq=False)
class Covered:
    """How much of each document stands in kept ones.

    ``before`` int64[n], shingles that stand in kept documents before it; ``anywhere`` int64[n], in any other kept document;
    ``sizes`` int64[n], all its shingles; ``kept`` bool[n].
    """

    before: Ints
    anywhere: Ints
    sizes: Ints
    kept: npt.NDArray[np.bool_]

    def shares(self) -> Floats:
        """float64[n]: the share of each document's own shingles that stand in kept documents before it; 0 of none."""
        shares: Floats = self.before / np.maximum(self.sizes, 1)
        return shares

    def lost_shares(self) -> Floats:
        """float64[n]: the share of each dropped document's shingles that stand in no kept document; 0 of kept ones."""
        lost: Floats = np.where(self.kept, 0.0, (self.sizes - self.anywhere) / np.maximum(self.sizes, 1))
        return lost

    def lost(self) -> float:
        """Share of the shingles of dropped documents that stand in no kept document."""
        dropped = ~self.kept
        return float((self.sizes - self.anywhere)[dropped].sum() / max(int(self.sizes[dropped].sum()), 1))

    def repeated(self) -> float:
        """Share of the shingles of kept documents that stand in an earlier kept document."""
        return float(self.before[self.kept].sum() / max(int(self.sizes[self.kept].sum()), 1))


def measure_covered(shingles: Rows, ranks: Ints, kept: npt.NDArray[np.bool_], spill: SpillPool, *, threads: int = 1) -> Covered:
    """Count, exactly, which shingles of each document stand in kept documents.

    Parameters
    ----------
    shingles : sorted unique rows of all documents
    ranks : int64[n], the survivor order
    kept : bool[n], documents that are not dropped
    spill : where the shingles are stored

    Memory: some 100 MB a thread, whatever the number of documents.
    """
    values, offsets = shingles
    n = len(ranks)
    sizes = np.diff(offsets)
    rows, survivors = np.arange(n), np.flatnonzero(kept)
    parts, slots = _PARTS, _LEAST_SLOTS
    while parts * slots < 3 * int(sizes[survivors].sum()):
        parts, slots = (parts, slots * 2) if slots < _MOST_SLOTS else (parts * 2, slots)
    ranks_32 = ranks.astype(np.int32)
    shift = np.uint64(64 - (parts.bit_length() - 1))

    def counts_of(part: int) -> tuple[Ints, Ints]:
        where = (np.uint64(part), shift)
        keys, first = _first_ranks(values, offsets, survivors, ranks_32, where, slots, spill)
        before, anywhere = np.zeros(n, np.int64), np.zeros(n, np.int64)
        for begin in range(0, n, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            count_covered(values, offsets, rows[block], ranks_32, *where, keys, first, before[block], anywhere[block])
            spill.release()
        return before, anywhere

    before, anywhere = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for one, other in map_batches(counts_of, range(parts), threads):
        before += one
        anywhere += other
    return Covered(before, anywhere, sizes, kept)


def _first_ranks(
    values: npt.NDArray[np.uint64],
    offsets: Ints,
    survivors: Ints,
    ranks: npt.NDArray[np.int32],
    where: tuple[np.uint64, np.uint64],
    slots: int,
    spill: SpillPool,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """A table of one part of the hash range; hashes may be uneven, so it grows where it must."""
    while True:
        keys, first = np.zeros(slots, np.uint64), np.full((slots, 2), NOWHERE, np.int32)
        used = 0
        for begin in range(0, len(survivors), _BLOCK):
            used = note_first_ranks(values, offsets, survivors[begin : begin + _BLOCK], ranks, *where, keys, first, used)
            spill.release()
            if used < 0:
                break
        if used >= 0:
            return keys, first
        slots *= 2

"""How much of each document stands in the documents that are kept, all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..arrays.spill import SpillPool
from ..arrays.threads import map_batches
from ..kernels.copies.covered import collect_part, count_covered

#: Values in a part of the hash range: in memory few, so that tables stay in the cache; where shingles are in files many, since each part
#: reads every row.
_VALUES, _SPILLED_VALUES = 1 << 16, 1 << 21
#: Parts at most.
_MOST_PARTS = 256


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

    Memory: some 100 MB a thread at most, whatever the number of documents.
    """
    values, offsets = shingles
    n = len(ranks)
    parts = 1
    while parts < _MOST_PARTS and parts * (_SPILLED_VALUES if spill.spilled else _VALUES) < len(values):
        parts *= 2
    ranks_32 = ranks.astype(np.int32)
    bounds = [((part << 64) // parts) - 1 for part in range(1, parts + 1)]

    def counts_of(span: range) -> tuple[Ints, Ints]:
        """Counts over some consecutive parts."""
        before, anywhere, starts, ends = (np.zeros(n, np.int64) for _ in range(4))
        found, rows = np.empty(0, np.uint64), np.empty(0, np.int32)
        if span.start:
            collect_part(values, offsets, offsets[:-1], starts, np.uint64(bounds[span.start - 1]), found, rows)
        else:
            starts[:] = offsets[:-1]
        for part in span:
            last = np.uint64(bounds[part])
            while (count := collect_part(values, offsets, starts, ends, last, found, rows)) > len(found):
                found, rows = np.empty(count + count // 8, np.uint64), np.empty(count + count // 8, np.int32)
            count_covered(found[:count], rows[:count], ranks_32, kept, before, anywhere)
            starts, ends = ends, starts
            spill.release()
        return before, anywhere

    spans = [range(parts * k // threads, parts * (k + 1) // threads) for k in range(threads)]
    before, anywhere = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for one, other in map_batches(counts_of, [span for span in spans if span], threads):
        before += one
        anywhere += other
    return Covered(before, anywhere, np.diff(offsets), kept)

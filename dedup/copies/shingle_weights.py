"""Shingles to weights: a shingle in several documents of an outlet is template or page furniture.

One that many outlets print once each comes from a wire, so the largest count of an outlet decides.
Documents without an outlet are counted together, with a higher threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows
from ..arrays.spill import SpillPool
from ..arrays.threads import map_batches
from ..config import CopyConfig
from ..kernels.copies.shingle_weights import Selection, count_in_source, count_rows, most_in_source, perhaps_common, weight_table

#: Most counters for a part of the shingles, and rows read at a time.
_MOST_SLOTS, _BLOCK = 1 << 26, 1 << 14
#: Fewest parts: in memory many, so that counters stay in the cache; where shingles are in files few, since each part reads every row.
_LEAST_PARTS, _LEAST_SPILLED_PARTS = 32, 4


@dataclass(frozen=True, eq=False)
class Weights:
    """Hash table of weights below 1, those of common shingles; see ``weight_table``."""

    keys: npt.NDArray[np.uint64]
    weights: npt.NDArray[np.float64]

    def arrays(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float64]]:
        """The arrays in the order in which kernels take them."""
        return self.keys, self.weights


def weigh(shingles: Rows, rows: Ints, sources: Ints, config: CopyConfig, spill: SpillPool, *, threads: int = 1) -> Weights:
    """Weigh shingles: ``common_in_source / documents`` in the outlet with most of them, at most 1.

    Parameters
    ----------
    shingles : of all documents, sorted and unique in each row
    rows : int64[n_rows], the documents to count
    sources : int64[n], numbers of outlets, -1 where unknown: there ``common`` replaces
        ``common_in_source``
    spill : pool of the shingles
    """
    values, offsets = shingles
    own = sources[rows] + 1  # 0: unknown
    bounds = np.full(int(own.max(initial=0)) + 1, config.common_in_source)
    bounds[0] = config.common
    # Scaled counts are comparable between outlets and documents without one.
    scales = config.common * config.common_in_source // bounds
    least = np.uint8(min(bounds[own].min(initial=255) + 1, 255))
    n_values = int((offsets[rows + 1] - offsets[rows]).sum())
    parts, slots = _LEAST_SPILLED_PARTS if spill.spilled else _LEAST_PARTS, 1 << 12
    while parts * slots < 2 * n_values:
        parts, slots = (parts, slots * 2) if slots < _MOST_SLOTS else (parts * 2, slots)
    shift = np.uint64(64 - (parts.bit_length() - 1))
    blocks = [slice(first, first + _BLOCK) for first in range(0, len(rows), _BLOCK)]

    def common_of(part: int) -> tuple[npt.NDArray[np.uint64], Ints]:
        counters, within = np.zeros(slots, np.uint8), np.zeros(slots, np.uint8)
        for block in blocks:
            count_rows(values, offsets, rows[block], np.uint64(part), shift, counters, least)
            spill.release()
        selection = Selection(np.uint64(part), shift, counters, least)
        for block in blocks:
            count_in_source(values, offsets, rows[block], own[block], selection, within, np.uint8(255))
            spill.release()
        found = []
        for block in blocks:
            found.append(perhaps_common(values, offsets, rows[block], own[block], selection, within, np.minimum(bounds, 254)))
            spill.release()
        perhaps, of = (np.concatenate([np.empty(0, dtype), *(pair[i] for pair in found)]) for i, dtype in ((0, np.uint64), (1, np.int64)))
        order = np.lexsort((of, perhaps))
        answer: tuple[npt.NDArray[np.uint64], Ints] = most_in_source(perhaps[order], of[order], bounds, scales)
        return answer

    found = list(map_batches(common_of, range(parts), threads))
    common, commonness = np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])
    return Weights(*weight_table(common, config.common * config.common_in_source / commonness))

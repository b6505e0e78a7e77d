"""Pairs of documents that are similar and near in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.threads import map_blocks
from ..config import StoryConfig
from ..kernels.stories.similarity import Limits, Sparse, Timeline, window_neighbours
from ..schema import DAY

#: Postings read for one document. A month of five hundred documents a day needs a fifth of it;
#: without the limit, documents of one second or without dates would read the postings of all the
#: others.
REACH = 1 << 18


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of rows, each once: ``left``, ``right`` int32[n_edges], ``similarity`` float32[n_edges]."""

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]

    def take(self, chosen: npt.NDArray[Any]) -> Edges:
        """Some of the pairs, by number or by a mask."""
        return Edges(self.left[chosen], self.right[chosen], self.similarity[chosen])


def neighbours(
    matrix: Any,
    times: npt.NDArray[np.float64],
    headline: npt.NDArray[np.bool_],
    least: tuple[float, float],
    config: StoryConfig,
    *,
    threads: int = 1,
) -> Edges:
    """Similar pairs within the time window, at most ``config.neighbours`` earlier documents for each.

    Parameters
    ----------
    matrix : float32 CSR, rows of unit length without explicit zeros
    times : float64[n], seconds; NaN where unknown: such a document is compared with all, without
        decay
    headline : bool[n]
    least : the least similarity that is listed, and that of two headlines
    """
    n = matrix.shape[0]
    order = np.lexsort((np.arange(n), np.where(np.isnan(times), -np.inf, times))).astype(np.int32)
    ordered = matrix[order].tocsr()
    by_column = ordered.tocsc()
    days = times[order] / DAY
    undated = int(np.count_nonzero(np.isnan(days)))
    starts = undated + np.searchsorted(days[undated:], days - config.window_days)
    rows, columns = (Sparse(side.indptr, side.indices, side.data) for side in (ordered, by_column))
    timeline = Timeline(days, headline[order], starts, undated)
    limits = Limits(np.array(least, np.float32), int(config.neighbours), REACH)

    def block(first: int, last: int) -> Edges:
        left, right, similarity = window_neighbours(rows, columns, timeline, config.decay_days, limits, first, last)
        return Edges(order[left], order[right], similarity)

    blocks = map_blocks(block, n, threads, at_least=2048)
    if not blocks:
        return Edges(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    left, right, similarity = (np.concatenate([getattr(part, side) for part in blocks]) for side in ("left", "right", "similarity"))
    return Edges(left, right, similarity)

"""Pairs of documents that are alike and near in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.threads import map_blocks
from ..config import StoryConfig
from ..kernels.stories.similarity import window_neighbours
from ..schema import DAY

#: Entries of other documents that are read for one, at most. A month of five hundred documents a day needs a fifth of it; in a
#: crowd, of one second or without dates, all would be read for all.
REACH = 1 << 18


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of rows with a similarity, each pair once: int32[n_edges], int32[n_edges], float32[n_edges]."""

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
    floors: tuple[float, float],
    config: StoryConfig,
    *,
    threads: int = 1,
) -> Edges:
    """Similar pairs within the time window.

    Parameters
    ----------
    matrix, times, headline : see ``cluster``
    floors : the least similarity that is listed, and that of two headlines
    """
    n = matrix.shape[0]
    order = np.lexsort((np.arange(n), np.where(np.isnan(times), -np.inf, times))).astype(np.int32)
    ordered = matrix[order].tocsr()
    by_column = ordered.tocsc()
    days = times[order] / DAY
    undated = int(np.count_nonzero(np.isnan(days)))
    starts = undated + np.searchsorted(days[undated:], days - config.window_days)
    brief, least = headline[order], np.array(floors, np.float32)

    def block(first: int, last: int) -> Edges:
        left, right, similarity = window_neighbours(
            ordered.indptr, ordered.indices, ordered.data, by_column.indptr, by_column.indices, by_column.data,
            starts, undated, days, config.decay_days, brief, least, config.neighbours, REACH, first, last,
        )  # fmt: skip
        return Edges(order[left], order[right], similarity)

    blocks = map_blocks(block, n, threads, at_least=2048)
    if not blocks:
        return Edges(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    left, right, similarity = (np.concatenate([getattr(part, side) for part in blocks]) for side in ("left", "right", "similarity"))
    return Edges(left, right, similarity)

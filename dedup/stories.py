"""Vectors to stories: documents that report one event and its immediate follow-ups.

Each document is compared with those of the days before it, similarity fading with time. Average linkage merges
stories until no two are alike enough on average. A chain of look-alikes does not make a story: every merge weighs
all pairs of documents of both sides, absent ones as 0.

How alike is enough depends on the company: among hundreds of documents in one form (Eid receptions, oil prices,
communiques of a war) much is shared by documents of other events, so what a document shares with its many nearest
raises its cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .config import StoryConfig
from .kernels.cosine import window_neighbours
from .kernels.crowding import crowding
from .kernels.linkage import average_linkage
from .schema import DAY
from .threads import map_blocks

Ints = npt.NDArray[np.int64]
#: Pairs that reach less than this share of their cut count as 0: two stories are never joined by such pairs alone.
FLOOR = 0.5
#: Neighbours that make a crowd, and the mean similarity to them (of absent ones 0) from which it is one.
CROWD, CROWDED = 80, 0.067
#: No crowd raises a cut beyond this many times the plain one: an event of which hundreds report is its own crowd.
HIGHEST = 2.7


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of rows with a similarity, each pair once."""

    left: Ints
    right: Ints
    similarity: npt.NDArray[np.float32]


def cluster(matrix: Any, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig, *, threads: int = 1) -> Ints:
    """Cluster documents into stories.

    Parameters
    ----------
    matrix : float32 CSR, rows of unit length, see ``vectors.py``
    times : float64[n], seconds; NaN where unknown: such a document is compared with all, without decay
    headline : bool[n], documents that are only a headline

    Returns
    -------
    int64[n], the smallest row of each document's story
    """
    edges = neighbours(matrix, times, min(config.cut, config.headline_cut) * FLOOR, config, threads=threads)
    relative = _in_cuts(edges, times, headline, config)
    kept = relative >= FLOOR
    labels: Ints = average_linkage(len(headline), edges.left[kept], edges.right[kept], relative[kept], 1.0)
    return labels


def neighbours(matrix: Any, times: npt.NDArray[np.float64], floor: float, config: StoryConfig, *, threads: int = 1) -> Edges:
    """Similar pairs within the time window; see ``cluster``."""
    n = matrix.shape[0]
    order = np.lexsort((np.arange(n), np.where(np.isnan(times), -np.inf, times)))
    ordered = matrix[order].tocsr()
    by_column = ordered.tocsc()
    days = times[order] / DAY
    undated = int(np.count_nonzero(np.isnan(days)))
    starts = undated + np.searchsorted(days[undated:], days - config.window_days)

    def block(first: int, last: int) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
        answer: tuple[Ints, Ints, npt.NDArray[np.float32]] = window_neighbours(
            ordered.indptr, ordered.indices, ordered.data, by_column.indptr, by_column.indices, by_column.data,
            starts, undated, days, config.decay_days, np.float32(floor), config.neighbours, first, last,
        )  # fmt: skip
        return answer

    blocks = map_blocks(block, n, threads, at_least=2048)
    if not blocks:
        return Edges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    left, right, similarity = (np.concatenate([part[i] for part in blocks]) for i in range(3))
    return Edges(order[left], order[right], similarity)


def _in_cuts(edges: Edges, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig) -> npt.NDArray[np.float64]:
    """Similarities in units of each pair's cut.

    Two headlines fade sooner and have a cut of their own. What a headline and an article share, they share in words only,
    which are a part of a headline's vector; it must reach the cut of articles. The crowd of a pair is the larger of its two.
    """
    left, right = edges.left, edges.right
    similarity = edges.similarity.astype(np.float64)
    both, one = headline[left] & headline[right], headline[left] ^ headline[right]
    apart = np.nan_to_num((times[left[both]] - times[right[both]]) / DAY)
    similarity[both] *= np.exp(-0.5 * apart**2 * max(config.headline_decay_days**-2 - config.decay_days**-2, 0.0))
    similarity[one] /= np.sqrt(1 - config.letters)
    crowds = crowding(len(headline), left, right, edges.similarity, CROWD)
    excess = np.maximum(np.maximum(crowds[left], crowds[right]) - CROWDED, 0.0)
    cuts = np.where(both, config.headline_cut, np.minimum(config.cut + config.crowd * excess, HIGHEST * config.cut))
    relative: npt.NDArray[np.float64] = similarity / cuts
    return relative

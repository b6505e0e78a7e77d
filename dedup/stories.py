"""Vectors to stories: documents that report one event and its immediate follow-ups.

Each document is compared with those of the days before it, similarity fading with time; inside each connected
component of that graph average linkage merges stories until no two are alike enough on average. A chain of
look-alikes does not make a story: every merge weighs all pairs of documents of both sides, absent ones as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from .config import StoryConfig
from .kernels.components import components
from .kernels.cosine import window_neighbours
from .schema import DAY
from .threads import map_blocks

Ints = npt.NDArray[np.int64]
#: A larger component is cut at a higher floor until its parts are small enough for a dense matrix.
LARGEST_COMPONENT = 4000
_HIGHER = 1.15
#: ... but not beyond this many times the cut.
STRONG = 2.5
#: Pairs that reach less than this share of their cut count as 0: two stories are never joined by such pairs alone.
FLOOR = 0.5


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of rows with a similarity, each pair once."""

    left: Ints
    right: Ints
    similarity: npt.NDArray[np.float32]


def cluster(matrix: Any, times: npt.NDArray[np.float64], cuts: npt.NDArray[np.float64], config: StoryConfig, *, threads: int = 1) -> Ints:
    """Cluster documents into stories.

    Parameters
    ----------
    matrix : float32 CSR, rows of unit length
    times : float64[n], seconds; NaN where unknown: such a document is compared with all, without decay
    cuts : float64[n], the least average similarity for a document of this kind

    Returns
    -------
    int64[n], the smallest row of each document's story
    """
    edges = neighbours(matrix, times, float(cuts.min(initial=1.0)) * FLOOR, config, threads=threads)
    return average_linkage(edges, cuts)


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


def average_linkage(edges: Edges, cuts: npt.NDArray[np.float64]) -> Ints:
    """Merge by average similarity inside connected components, absent edges counting 0.

    A similarity is measured in units of the pair's cut, the larger of its documents' two: what a headline
    and an article share must reach the cut of articles, what two headlines share that of headlines.

    Returns
    -------
    int64[n], the smallest row of each document's story
    """
    relative = edges.similarity / np.maximum(cuts[edges.left], cuts[edges.right])
    kept = relative >= FLOOR
    edges = Edges(edges.left[kept], edges.right[kept], relative[kept].astype(np.float32))
    labels = np.arange(len(cuts))
    _link(edges, labels, np.arange(len(edges.left)), FLOOR)
    return labels


def _link(edges: Edges, labels: Ints, chosen: Ints, floor: float) -> None:
    """Label the documents that the chosen edges join, in place."""
    if len(chosen) == 0:
        return
    component = components(len(labels), edges.left[chosen], edges.right[chosen])
    order = np.argsort(component[edges.left[chosen]], kind="stable")
    chosen = chosen[order]
    heads = component[edges.left[chosen]]
    starts = np.flatnonzero(np.concatenate([[True], heads[1:] != heads[:-1]]))
    for start, stop in zip(starts, [*starts[1:], len(chosen)], strict=True):
        part = chosen[start:stop]
        nodes = np.unique(np.concatenate([edges.left[part], edges.right[part]]))
        if len(nodes) > LARGEST_COMPONENT:
            higher = floor * _HIGHER
            if higher > STRONG:  # thousands of documents tied by pairs far above their cut: one story
                labels[nodes] = nodes[0]
                continue
            _link(edges, labels, part[edges.similarity[part] >= higher], higher)
            continue
        labels[nodes] = nodes[_dense(edges, part, nodes)]


def _dense(edges: Edges, part: Ints, nodes: Ints) -> Ints:
    """Average linkage of one component: for each node the place of the smallest node of its cluster."""
    n = len(nodes)
    farthest = float(edges.similarity[part].max())
    if farthest < 1.0:
        return np.arange(n)
    distance = np.full((n, n), farthest)
    left, right = np.searchsorted(nodes, edges.left[part]), np.searchsorted(nodes, edges.right[part])
    distance[left, right] = distance[right, left] = farthest - edges.similarity[part]
    condensed = distance[np.triu_indices(n, 1)]
    flat = fcluster(linkage(condensed, "average"), farthest - 1.0, "distance")
    first = np.full(flat.max() + 1, n, np.int64)
    np.minimum.at(first, flat, np.arange(n))
    places: Ints = first[flat]
    return places

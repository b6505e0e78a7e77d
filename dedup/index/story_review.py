"""What the batch rules make of the documents in a window, beside the stories that were given to them as they came.

Nothing is changed by it: it tells of stories that a batch holds for one, and of parts that it holds for another story.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.preprocessing import normalize

from ..arrays.rows import Ints
from ..config import StoryConfig
from ..stories import cluster
from .window_arrays import WindowArrays

#: Documents that a part of a story must have to be told.
PART = 2


@dataclass(frozen=True, eq=False)
class Finding:
    """What differs: ``event`` is ``story_merged`` (``other`` is one with ``story``) or ``story_split`` (a part of ``story`` is ``other``).

    Of a part that is no numbered story ``other`` is None. ``documents`` int64[n], ascending numbers: of ``other`` where it is merged, of
    the part where it is split.
    """

    event: str
    story: int
    other: int | None
    documents: Ints


def review(lists: WindowArrays, config: StoryConfig) -> list[Finding]:
    """Cluster the documents of a window and compare."""
    rows = lists.rows()
    if len(rows) == 0:
        return []
    lengths = lists.row_lengths[rows]
    filled = np.arange(lists.row_columns.shape[1]) < lengths[:, np.newaxis]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    entries = lists.row_weights[rows][filled], lists.row_columns[rows][filled], offsets
    matrix = normalize(sparse.csr_matrix(entries, shape=(len(rows), max(lists.n_columns, 1))), copy=False)
    matrix.sort_indices()
    labels = cluster(matrix, lists.times[rows], lists.briefs[rows], config)
    return compare(labels, lists.names[lists.story[rows]], lists.numbers[rows], lists.times[rows])


def compare(labels: Ints, stories: Ints, numbers: Ints, times: npt.NDArray[np.float64]) -> list[Finding]:
    """How clusters differ from stories.

    Parameters
    ----------
    labels, stories, numbers : int64[n], the cluster of each document, its story, and its number
    times : float64[n]; of two stories with as many documents in a cluster the earlier one goes on, then the smaller number

    Notes
    -----
    The *main cluster* of a story is the one that holds most of its documents. Merged: a cluster that holds more than half of two
    stories or more. Split: two documents or more of a story in a cluster that is not its main one; where that is the main cluster of
    another story, that one is where they belong.
    """
    names, story = np.unique(stories, return_inverse=True)
    clusters, cluster_of = np.unique(labels, return_inverse=True)
    first = np.full(len(names), np.inf)
    np.minimum.at(first, story, times)
    pairs, counts = np.unique(cluster_of * len(names) + story, return_counts=True)
    where, whose = pairs // len(names), pairs % len(names)

    by_size = np.lexsort((names[whose], first[whose], -counts))  # the first of a story or a cluster is the leading one
    main, leading = np.full(len(names), -1), np.full(len(clusters), -1)
    for place in by_size[::-1].tolist():
        main[whose[place]] = where[place]
    for place in by_size[::-1].tolist():
        if main[whose[place]] == where[place]:
            leading[where[place]] = whose[place]

    half = 2 * counts > np.bincount(story)[whose]
    merged = half & (leading[where] >= 0) & (leading[where] != whose) & _half_of_leading(half, where, whose, leading)[where]
    split = (counts >= PART) & (main[whose] != where)

    def finding(event: str, place: int, one: int, other: int) -> Finding:
        here = (cluster_of == where[place]) & (story == whose[place])
        return Finding(event, int(names[one]), int(names[other]) if other >= 0 else None, np.sort(numbers[here]))

    answer = [finding("story_merged", place, int(leading[where[place]]), int(whose[place])) for place in _places(merged)]
    return answer + [finding("story_split", place, int(whose[place]), int(leading[where[place]])) for place in _places(split)]


def _places(flags: npt.NDArray[np.bool_]) -> list[int]:
    places: list[int] = np.flatnonzero(flags).tolist()
    return places


def _half_of_leading(half: npt.NDArray[np.bool_], where: Ints, whose: Ints, leading: Ints) -> npt.NDArray[np.bool_]:
    """bool[n_clusters]: whether a cluster holds more than half of the story that leads it."""
    answer = np.zeros(len(leading), bool)
    answer[where[half & (leading[where] == whose)]] = True
    return answer

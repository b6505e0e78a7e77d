"""Compares the stories of a window with the clusters of a batch run over its documents; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.preprocessing import normalize

from ..arrays.rows import Ints
from ..config import StoryConfig
from ..stories import cluster
from ..stories.changes import StoryChange, overlaps
from .window_arrays import WindowArrays

#: A part of a story with fewer documents is not reported.
PART = 2


def review(contents: WindowArrays, config: StoryConfig, extends: Mapping[int, int]) -> list[StoryChange]:
    """Cluster the documents of a window and compare the clusters with its stories.

    Parameters
    ----------
    extends : the number of the document that each extended one extends; it is in the cluster of that one, as in a batch run
    """
    rows, arrays = contents.rows(), contents.arrays
    if len(rows) == 0:
        return []
    lengths = arrays.row_lengths[rows]
    filled = np.arange(arrays.row_columns.shape[1]) < lengths[:, np.newaxis]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    entries = arrays.row_weights[rows][filled], arrays.row_columns[rows][filled], offsets
    matrix = normalize(sparse.csr_matrix(entries, shape=(len(rows), max(contents.n_columns, 1))), copy=False)
    matrix.sort_indices()
    labels = cluster(matrix, arrays.times[rows], arrays.headlines[rows], config)
    labels = labels[_roots(arrays.numbers[rows], extends)]
    return compare(labels, arrays.names[arrays.story[rows]], arrays.numbers[rows], arrays.times[rows])


def _roots(numbers: Ints, extends: Mapping[int, int]) -> Ints:
    """int64[n]: the place of the document that each one reaches by what it extends, as far as those are in the window."""
    place_of = {number: place for place, number in enumerate(numbers.tolist())}
    roots = np.arange(len(numbers))
    for number, place in place_of.items():
        seen = {number}
        while (held := extends.get(number, -1)) in place_of and held not in seen:
            number = held
            seen.add(held)
        roots[place] = place_of[number]
    return roots


def compare(labels: Ints, stories: Ints, numbers: Ints, times: npt.NDArray[np.float64]) -> list[StoryChange]:
    """How clusters differ from stories.

    Parameters
    ----------
    labels, stories, numbers : int64[n], the cluster of each document, its story, and its number
    times : float64[n]; of two stories, the one with the earlier first document is senior, then the
        smaller number

    Returns
    -------
    Changes; their members are document numbers. ``story_split`` has ``other`` None where no story
    leads the cluster.

    Notes
    -----
    ``story_merged``: a cluster has more than half of its leading story and of another one, see
    ``overlaps``. ``story_split``: a cluster other than the main one has ``PART`` documents of a
    story or more.
    """
    names, story = np.unique(stories, return_inverse=True)
    clusters, cluster_of = np.unique(labels, return_inverse=True)
    first = np.full(len(names), np.inf)
    np.minimum.at(first, story, times)
    seniority = np.empty(len(names), np.int64)
    seniority[np.lexsort((names, first))] = np.arange(len(names))
    shared = overlaps(cluster_of, story, seniority, len(clusters))
    where, whose, leading = shared.cluster, shared.story, shared.leading

    leads_with_most = np.zeros(len(clusters), bool)
    leads_with_most[where[shared.most & (leading[where] == whose)]] = True
    merged = shared.most & leads_with_most[where] & (leading[where] != whose)
    split = (shared.counts >= PART) & (shared.main[whose] != where)

    def change(event: str, place: int, one: int, other: int) -> StoryChange:
        here = (cluster_of == where[place]) & (story == whose[place])
        return StoryChange(event, int(names[one]), int(names[other]) if other >= 0 else None, np.sort(numbers[here]))

    answer = [change("story_merged", place, int(leading[where[place]]), int(whose[place])) for place in np.flatnonzero(merged).tolist()]
    answer += [change("story_split", place, int(whose[place]), int(leading[where[place]])) for place in np.flatnonzero(split).tolist()]
    return answer

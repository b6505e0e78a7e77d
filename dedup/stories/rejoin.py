"""Rejoins large stories that the neighbour limit split.

Pairs beyond the limit count as dissimilar, so a great event falls into pieces. All pairs of pieces
are compared: the mean cosine of two stories is the dot product of their mean vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..arrays.rows import Ints
from ..config import StoryConfig
from ..kernels.stories.linkage import average_linkage
from ..schema import DAY
from .thresholds import HIGHEST

#: Pieces compared at a time, all with all, and how often: in a dense neighbourhood of many events
#: nearly every document may be a piece.
PIECES, ROUNDS = 1024, 16


def rejoin_truncated(
    labels: Ints,
    truncated: npt.NDArray[np.bool_],
    matrix: Any,
    times: npt.NDArray[np.float64],
    headline: npt.NDArray[np.bool_],
    config: StoryConfig,
) -> Ints:
    """Join stories that have documents with truncated neighbour lists where they are one story.

    Parameters
    ----------
    labels : int64[n], the smallest row of each document's story
    truncated : bool[n], documents with a truncated neighbour list
    matrix : float32 CSR, rows of unit length
    times : float64[n], seconds, NaN where unknown
    headline : bool[n]

    Returns
    -------
    int64[n], labels of the same kind
    """
    if not truncated.any():
        return labels
    stories, sizes = np.unique(labels, return_counts=True)
    is_piece = np.isin(stories, labels[truncated])
    if np.count_nonzero(is_piece) < 2:
        return labels
    waiting = stories[is_piece][np.argsort(-sizes[is_piece], kind="stable")]
    for start in range(0, min(len(waiting), PIECES * ROUNDS), PIECES):
        # The next pieces, and the largest of the earlier ones with all that joined them.
        earlier, sizes = np.unique(labels[np.isin(labels, waiting[:start])], return_counts=True)
        largest = earlier[np.argsort(-sizes, kind="stable")[:PIECES]]
        labels = _join_stories(np.union1d(largest, waiting[start : start + PIECES]), labels, matrix, times, headline, config)
    return labels


def _join_stories(
    stories: Ints, labels: Ints, matrix: Any, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig
) -> Ints:
    """Join those of some stories, ascending, whose pairs reach their threshold on average."""
    rows = np.flatnonzero(np.isin(labels, stories))
    story = np.searchsorted(stories, labels[rows])
    sizes = np.bincount(story)
    means = sparse.csr_matrix((1.0 / sizes[story], (story, np.arange(len(rows)))), (len(stories), len(rows))) @ matrix[rows]
    cosine = sparse.tril(means @ means.T, -1).tocoo()
    left, right = cosine.row.astype(np.int64), cosine.col.astype(np.int64)

    dated = ~np.isnan(times[rows])
    known = np.bincount(story[dated], minlength=len(stories))
    day = np.bincount(story[dated], times[rows][dated] / DAY, len(stories)) / np.where(known > 0, known, np.nan)
    apart = np.nan_to_num(np.abs(day[left] - day[right]))
    is_headline = np.bincount(story, headline[rows]) * 2 > sizes
    both = is_headline[left] & is_headline[right]
    decay = np.where(both, min(config.headline_decay_days, config.decay_days), config.decay_days)
    threshold = np.where(both, config.headline_cut, HIGHEST * config.cut)
    relative = np.where(apart > config.window_days, 0.0, cosine.data * np.exp(-0.5 * (apart / decay) ** 2) / threshold)
    near = relative > 0
    undated = np.full(len(stories), np.nan)
    joined = average_linkage(len(stories), left[near], right[near], relative[near], undated, 1.0, 1.0, 1.0)
    answer = labels.copy()
    answer[rows] = stories[joined[story]]
    return answer

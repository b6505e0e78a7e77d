"""Events of which more documents report than neighbours are kept for one: what the limit tore apart is put together.

Where a document has more documents like it than are listed, the rest count as if they were not alike, and a great event
falls into pieces of a few hundred. The pieces are few, so they are compared by all their pairs: the mean cosine of two
stories is the product of their summed vectors.
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

#: Pieces that are compared at a time, all with all, and how often: in a crowd that is no event nearly every document may be one.
PIECES, ROUNDS = 1024, 16


def rejoin_truncated(
    labels: Ints,
    short: npt.NDArray[np.bool_],
    matrix: Any,
    times: npt.NDArray[np.float64],
    headline: npt.NDArray[np.bool_],
    config: StoryConfig,
) -> Ints:
    """Labels in which stories that hold documents with a list cut ``short`` are joined where they are one.

    Parameters
    ----------
    labels : int64[n], the smallest row of each document's story
    matrix, times, headline : see ``cluster``
    """
    if not short.any():
        return labels
    stories, sizes = np.unique(labels, return_counts=True)
    torn = np.isin(stories, labels[short])
    if np.count_nonzero(torn) < 2:
        return labels
    waiting = stories[torn][np.argsort(-sizes[torn], kind="stable")]
    for start in range(0, min(len(waiting), PIECES * ROUNDS), PIECES):
        # The largest that were looked at before, with what was joined to them, and the next.
        looked_at, sizes = np.unique(labels[np.isin(labels, waiting[:start])], return_counts=True)
        largest = looked_at[np.argsort(-sizes, kind="stable")[:PIECES]]
        labels = _join(np.union1d(largest, waiting[start : start + PIECES]), labels, matrix, times, headline, config)
    return labels


def _join(
    stories: Ints, labels: Ints, matrix: Any, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig
) -> Ints:
    """Labels in which some stories, ascending, are joined where all their pairs are alike enough on average."""
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
    brief = np.bincount(story, headline[rows]) * 2 > sizes
    both = brief[left] & brief[right]
    decay = np.where(both, min(config.headline_decay_days, config.decay_days), config.decay_days)
    cut = np.where(both, config.headline_cut, HIGHEST * config.cut)
    relative = np.where(apart > config.window_days, 0.0, cosine.data * np.exp(-0.5 * (apart / decay) ** 2) / cut)
    near = relative > 0
    undated = np.full(len(stories), np.nan)
    joined = average_linkage(len(stories), left[near], right[near], relative[near], undated, 1.0, 1.0, 1.0)
    answer = labels.copy()
    answer[rows] = stories[joined[story]]
    return answer

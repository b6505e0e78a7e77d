"""Compares clusters with existing stories: which cluster continues which story, which stories merged or split."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints


def _nobody() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class StoryChange:
    """A story that merged or split; ``event`` is one of ``schema.HAPPENINGS``.

    ``story_merged``: ``other`` is the same story as ``story``. ``story_split``: a part of ``story``
    belongs to ``other``, or to no numbered story if that is None. ``members`` int64[n] are the
    documents concerned, of the story that merged or of the part, ascending; ``newcomers`` the new
    documents of the cluster, if there are any.
    """

    event: str
    story: int
    other: int | None
    members: Ints
    newcomers: Ints = field(default_factory=_nobody)


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Clusters against stories: an entry for each pair that shares documents, by cluster and then by story.

    ``cluster``, ``story``, ``counts`` int64[n]. ``main`` int64[n_stories]: the cluster with most
    documents of each story, of equal ones the smallest; ``leading`` int64[n_clusters]: of the
    stories whose main cluster it is, the one with most documents in it, of equal ones the most
    senior. Both are -1 if there is none. ``most`` bool[n]: the pair has more than half of the
    story's documents.
    """

    cluster: Ints
    story: Ints
    counts: Ints
    main: Ints
    leading: Ints
    most: npt.NDArray[np.bool_]


def overlaps(cluster: Ints, story: Ints, seniority: Ints, n_clusters: int) -> Overlaps:
    """Compare clusters with stories.

    Parameters
    ----------
    cluster, story : int64[n_documents], both numbered from 0
    seniority : int64[n_stories], ranks of the stories, a permutation: the most senior first
    """
    n_stories = len(seniority)
    pairs, counts = np.unique(cluster * max(n_stories, 1) + story, return_counts=True)
    where, whose = np.divmod(pairs, max(n_stories, 1))
    main = _first_of_each(whose, np.lexsort((where, -counts, whose)), n_stories)
    is_main = np.isin(np.arange(len(pairs)), main[main >= 0])
    order = np.lexsort((seniority[whose], -counts, where))
    leading = _first_of_each(where, order[is_main[order]], n_clusters)
    most = 2 * counts > np.bincount(story, minlength=n_stories)[whose]
    return Overlaps(where, whose, counts, _take(where, main), _take(whose, leading), most)


def _first_of_each(of: Ints, order: Ints, n: int) -> Ints:
    """The first of ``order`` for each value of ``of`` below n, -1 where there is none."""
    first = np.full(n, -1, np.int64)
    first[of[order[::-1]]] = order[::-1]
    return first


def _take(values: Ints, places: Ints) -> Ints:
    """``values[places]``, -1 where a place is -1."""
    return np.where(places >= 0, values[places] if len(values) else -1, -1)

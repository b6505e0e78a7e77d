"""Clusters of old and new documents to stories that go on: pure arithmetic, so that every rule can be tested alone.

An old document never changes its story, and a number once given is never given again. The *main cluster* of an old story
is the one that holds most of its documents. A cluster goes on with the old story whose main cluster it is (where there
are several, the one with most documents in it, then the older one, then the smaller id), and its new documents join
that one; every other cluster with new documents founds a story.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints
from ..copies.pairs import PARTIAL, Matches
from ..schema import EVENTS, TIMESTAMP


@dataclass(frozen=True, eq=False)
class StoryChange:
    """What became of an old story: ``event`` is one of ``schema.HAPPENINGS``.

    ``story`` goes on, or was split; ``other`` was merged into it, or was founded beside it. ``members`` are the old documents
    concerned, those of the story that is merged or split; ``newcomers`` the new documents of the cluster. Both are places
    among the documents clustered, ascending.
    """

    event: str
    story: int
    other: int
    members: Ints
    newcomers: Ints


@dataclass(frozen=True, eq=False)
class Continuation:
    """``stories`` int64[n], the story of each document clustered; ``count`` of all stories, old and new; ``happenings``."""

    stories: Ints
    count: int
    happenings: list[StoryChange]


def continue_stories(labels: Ints, held: Ints, seniority: Ints) -> Continuation:
    """Give clusters the numbers of the stories that they go on with, or found.

    Parameters
    ----------
    labels : int64[n], the cluster of each document
    held : int64[n], the number of the story that holds an old document; -1 for a new one
    seniority : int64[n_old_stories], ranks of the old stories, a permutation: the older one first

    Returns
    -------
    Continuation
        Old stories keep their numbers, 0 to n_old_stories - 1; new ones follow in the order of ``labels``.

    Notes
    -----
    ``story_merged``: a cluster with new documents holds more than half of two or more old stories (of what was clustered of
    them); one for each besides the one that goes on. ``story_split``: documents of an old story stand with new ones in a
    cluster that is the main cluster of no old story; the new ones found a story.
    """
    n_old = len(seniority)
    names, cluster = np.unique(labels, return_inverse=True)
    old = held >= 0
    with_new = np.zeros(len(names), bool)
    with_new[cluster[~old]] = True

    pairs, counts = np.unique(cluster[old] * max(n_old, 1) + held[old], return_counts=True)
    where, story = pairs // max(n_old, 1), pairs % max(n_old, 1)
    main = _first(story, np.lexsort((where, -counts, story)), n_old)
    is_main = np.isin(np.arange(len(pairs)), main[main >= 0])
    order = np.lexsort((seniority[story], -counts, where))
    leading = _first(where, order[is_main[order]], len(names))
    goes_on = np.where(leading >= 0, story[leading] if len(story) else -1, -1)

    founded = with_new & (goes_on < 0)
    number = np.where(founded, n_old + np.cumsum(founded) - 1, goes_on)
    stories = np.where(old, held, number[cluster])

    holds_half = (2 * counts > np.bincount(held[old], minlength=n_old)[story]) & with_new[where]
    several = np.bincount(where[holds_half], minlength=len(names)) > 1
    merged = np.flatnonzero(holds_half & several[where] & (story != goes_on[where]))
    split = np.flatnonzero(founded[where])

    by_cluster = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[by_cluster], np.arange(len(names) + 1))

    def happening(event: str, pair: np.int64, one: int, other: int) -> StoryChange:
        here = by_cluster[starts[where[pair]] : starts[where[pair] + 1]]
        return StoryChange(event, one, other, here[held[here] == story[pair]], here[~old[here]])

    happenings = [happening("story_merged", pair, int(goes_on[where[pair]]), int(story[pair])) for pair in merged]
    happenings += [happening("story_split", pair, int(story[pair]), int(number[where[pair]])) for pair in split]
    return Continuation(stories, n_old + int(founded.sum()), happenings)


def _first(of: Ints, order: Ints, n: int) -> Ints:
    """The first of ``order`` for each value of ``of`` below n, -1 where there is none."""
    first = np.full(n, -1, np.int64)
    first[of[order[::-1]]] = order[::-1]
    return first


def active_stories(
    held: Ints, times: npt.NDArray[np.float64], news: npt.NDArray[np.float64], window: float, n: int
) -> npt.NDArray[np.bool_]:
    """Which old stories new documents can join: those with a document within the window of some new one.

    Parameters
    ----------
    held : int64[n_documents], the story of each old document; times : float64[n_documents], NaN where unknown
    news : float64[n_new], times of the new documents; what is undated, old or new, is near to everything
    window : in the unit of the times; n : the number of old stories

    Returns
    -------
    bool[n]
    """
    active = np.zeros(n, bool)
    if len(news) == 0:
        return active
    if np.isnan(news).any():
        active[held] = True
        return active
    ordered = np.concatenate([[-np.inf], np.sort(news), [np.inf]])
    after = np.searchsorted(ordered[1:-1], times) + 1
    near = np.isnan(times) | (np.minimum(ordered[after] - times, times - ordered[after - 1]) <= window)
    active[held[near]] = True
    return active


@dataclass(frozen=True, eq=False)
class GroupTie:
    """New documents (``members``, rows, ascending) of the copy group of ``kept`` that match the canonical ``other`` too."""

    kept: int
    other: int
    members: Ints


def tied_groups(matches: Matches, canonical: Ints, n_old: int) -> list[GroupTie]:
    """Old copy groups that new documents tie together: their canonicals stay, the tie is told.

    Parameters
    ----------
    matches : of all documents; canonical : int64[n], the row of each document's canonical; n_old : the first rows are old
    """
    left, right = matches.left, matches.right
    asked = (left < n_old) & (right >= n_old) & (matches.kind != PARTIAL)
    other, member = left[asked], right[asked]
    kept = canonical[member]
    apart = (canonical[other] == other) & (kept < n_old) & (kept != other)
    kept, other, member = kept[apart], other[apart], member[apart]
    order = np.lexsort((member, other, kept))
    kept, other, member = kept[order], other[order], member[order]
    starts = np.flatnonzero((np.diff(kept, prepend=-1) != 0) | (np.diff(other, prepend=-1) != 0))
    groups = np.split(member, starts[1:])
    return [GroupTie(int(kept[start]), int(other[start]), group) for start, group in zip(starts, groups, strict=False)]


def story_events(happenings: Iterable[StoryChange], documents: Any, clustered: Ints, story_ids: list[str]) -> list[dict[str, Any]]:
    """Rows of the table of events from what happened to stories.

    Parameters
    ----------
    documents : Arrow table of all documents with ``doc_id`` and ``published``
    clustered : int64[n], the rows of the documents that happenings speak of
    story_ids : the id of each story, by its number
    """
    return [
        {
            "event": item.event,
            "story_id": story_ids[item.story],
            "other_id": story_ids[item.other],
            "canonical_id": None,
            **_told(documents, clustered[item.members], clustered[item.newcomers]),
        }
        for item in happenings
    ]


def group_events(ties: Iterable[GroupTie], documents: Any, story_ids: Any) -> list[dict[str, Any]]:
    """Rows of the table of events from old copy groups that new documents tie together.

    Parameters
    ----------
    documents : as for ``story_events``; story_ids : Arrow array, the story of each document or null
    """
    ids = documents.column("doc_id")
    return [
        {
            "event": "group_merged",
            "story_id": story_ids[tie.kept].as_py(),
            "other_id": ids[tie.other].as_py(),
            "canonical_id": ids[tie.kept].as_py(),
            **_told(documents, tie.members, tie.members),
        }
        for tie in ties
    ]


def events_table(rows: list[dict[str, Any]], earlier: Any | None) -> Any:
    """Old events in their order, then the new ones sorted by event and ids, ``schema.EVENTS``.

    What was told in an earlier run is not told again. Of two stories that are one the larger goes on, so a merge may be told the
    other way round later; two copy groups are one whichever way round it is told.

    Parameters
    ----------
    rows : as ``story_events`` and ``group_events`` give them; earlier : the table of the base, None if it has none
    """
    told = earlier if earlier is not None else EVENTS.empty_table()
    known = {_key(row) for row in told.select(["event", "story_id", "other_id", "canonical_id"]).to_pylist()}
    fresh = []
    for row in sorted(rows, key=lambda row: (row["event"], row["canonical_id"] or "", row["story_id"] or "", row["other_id"])):
        if _key(row) not in known:
            known.add(_key(row))
            fresh.append(row)
    return pa.concat_tables([told, pa.Table.from_pylist(fresh, schema=EVENTS)]).combine_chunks()


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["event"] == "group_merged":
        return row["event"], frozenset([row["canonical_id"], row["other_id"]])
    return row["event"], row["story_id"], row["other_id"]


def _told(documents: Any, members: Ints, newcomers: Ints) -> dict[str, Any]:
    """When it happened, by the dates of the new documents, and whom it concerns."""
    times = documents.column("published").take(pa.array(newcomers)).cast(pa.int64()).drop_null().to_numpy()
    return {
        "at": pa.scalar(int(times.max()), pa.int64()).cast(TIMESTAMP).as_py() if len(times) else None,
        "documents": len(members),
        "members": documents.column("doc_id").take(pa.array(members)).to_pylist(),
    }

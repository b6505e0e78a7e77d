"""Continues stories and copy groups of a base with new documents; lists merges and splits.

Old documents never change their story, and story numbers are never reused. A cluster continues its
leading old story (``stories.changes.overlaps``); any other cluster with new documents founds one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..arrays.rows import Ints
from ..copies.pairs import PARTIAL, Matches, is_among, pair_keys
from ..copies.survivors import Survivors
from ..schema import EVENTS, TIMESTAMP
from ..stories.changes import StoryChange, overlaps


@dataclass(frozen=True, eq=False)
class Continuation:
    """``stories`` int64[n], the story of each document clustered; ``count`` of all stories, old and new; ``changes``."""

    stories: Ints
    count: int
    changes: list[StoryChange]


def continue_stories(labels: Ints, old_story: Ints, seniority: Ints) -> Continuation:
    """Give each cluster the number of the story that it continues or founds.

    Parameters
    ----------
    labels : int64[n], the cluster of each document
    old_story : int64[n], the story of an old document; -1 for a new one
    seniority : int64[n_old_stories], ranks of the old stories, a permutation: the most senior first

    Returns
    -------
    Continuation
        Old stories keep their numbers, 0 to n_old_stories - 1; new ones follow in the order of
        ``labels``. Members and newcomers of the changes are places among the documents clustered.

    Notes
    -----
    ``story_merged``: a cluster with new documents has more than half of two or more old stories (of
    their documents that were clustered); one change for each that it does not continue.
    ``story_split``: old documents and new ones are in a cluster that is the main cluster of no old
    story; it founds one.
    """
    n_old = len(seniority)
    names, cluster = np.unique(labels, return_inverse=True)
    old = old_story >= 0
    with_new = np.zeros(len(names), bool)
    with_new[cluster[~old]] = True

    shared = overlaps(cluster[old], old_story[old], seniority, len(names))
    where, story, leading = shared.cluster, shared.story, shared.leading
    founded = with_new & (leading < 0)
    number = np.where(founded, n_old + np.cumsum(founded) - 1, leading)
    stories = np.where(old, old_story, number[cluster])

    most = shared.most & with_new[where]
    several = np.bincount(where[most], minlength=len(names)) > 1
    merged = np.flatnonzero(most & several[where] & (story != leading[where]))
    split = np.flatnonzero(founded[where])

    by_cluster = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[by_cluster], np.arange(len(names) + 1))

    def change(event: str, pair: np.int64, one: int, other: int) -> StoryChange:
        here = by_cluster[starts[where[pair]] : starts[where[pair] + 1]]
        return StoryChange(event, one, other, here[old_story[here] == story[pair]], here[~old[here]])

    changes = [change("story_merged", pair, int(leading[where[pair]]), int(story[pair])) for pair in merged]
    changes += [change("story_split", pair, int(story[pair]), int(number[where[pair]])) for pair in split]
    return Continuation(stories, n_old + int(founded.sum()), changes)


def active_stories(
    old_story: Ints, times: npt.NDArray[np.float64], new_times: npt.NDArray[np.float64], window: float, n: int
) -> npt.NDArray[np.bool_]:
    """bool[n]: old stories that new documents can join, those with a document within the window of a new one.

    Parameters
    ----------
    old_story : int64[n_documents], the story of each old document
    times : float64[n_documents], of the old documents, NaN where unknown
    new_times : float64[n_new]; an undated document, old or new, is near to all
    window : in the unit of the times
    n : the number of old stories
    """
    active = np.zeros(n, bool)
    if len(new_times) == 0:
        return active
    if np.isnan(new_times).any():
        active[old_story] = True
        return active
    ordered = np.concatenate([[-np.inf], np.sort(new_times), [np.inf]])
    after = np.searchsorted(ordered[1:-1], times) + 1
    near = np.isnan(times) | (np.minimum(ordered[after] - times, times - ordered[after - 1]) <= window)
    active[old_story[near]] = True
    return active


@dataclass(frozen=True, eq=False)
class GroupTie:
    """New documents (``members``, rows, ascending) of the copy group of ``kept`` that also match the canonical ``other``."""

    kept: int
    other: int
    members: Ints


def tied_groups(matches: Matches, survivors: Survivors, n_old: int) -> list[GroupTie]:
    """Old copy groups that only new documents tie together; the groups stay as they are, the ties become events.

    Parameters
    ----------
    matches : of all documents
    survivors : how they are tied
    n_old : documents of the base, which are the first rows
    """
    left, right = matches.left, matches.right
    asked = (left < n_old) & (right >= n_old) & (matches.kind != PARTIAL)
    other, member = left[asked], right[asked]
    family = survivors.family
    kept = family[member]
    apart = (survivors.canonical[other] == other) & (kept < n_old) & (kept != family[other])
    # What the base ties already is nothing new.
    old = (right < n_old) & (matches.kind != PARTIAL)
    one, two = family[left[old]], family[right[old]]
    tied = np.unique(pair_keys(np.minimum(one, two), np.maximum(one, two), len(family)))
    other = family[other]
    apart &= ~is_among(pair_keys(np.minimum(kept, other), np.maximum(kept, other), len(family)), tied)
    kept, other, member = kept[apart], other[apart], member[apart]
    order = np.lexsort((member, other, kept))
    kept, other, member = kept[order], other[order], member[order]
    starts = np.flatnonzero((np.diff(kept, prepend=-1) != 0) | (np.diff(other, prepend=-1) != 0))
    groups = np.split(member, starts[1:])
    return [GroupTie(int(kept[start]), int(other[start]), group) for start, group in zip(starts, groups, strict=False)]


def story_events(changes: Iterable[StoryChange], documents: Any, clustered: Ints, story_ids: list[str]) -> list[dict[str, Any]]:
    """Rows of the events table from changes of stories.

    Parameters
    ----------
    changes : of numbered stories, see ``continue_stories``
    documents : Arrow table of all documents with ``doc_id`` and ``published``
    clustered : int64[n], the rows of the documents clustered
    story_ids : the id of each story, by its number
    """
    return [
        {
            "event": change.event,
            "story_id": story_ids[change.story],
            "other_id": None if change.other is None else story_ids[change.other],
            "canonical_id": None,
            **_when_and_who(documents, clustered[change.members], clustered[change.newcomers]),
        }
        for change in changes
    ]


def group_events(ties: Iterable[GroupTie], documents: Any, story_ids: Any) -> list[dict[str, Any]]:
    """Rows of the events table from old copy groups that new documents tie together.

    Parameters
    ----------
    documents : Arrow table of all documents with ``doc_id`` and ``published``
    story_ids : Arrow array, the story of each document or null
    """
    ids = documents.column("doc_id")
    return [
        {
            "event": "group_merged",
            "story_id": story_ids[tie.kept].as_py(),
            "other_id": ids[tie.other].as_py(),
            "canonical_id": ids[tie.kept].as_py(),
            **_when_and_who(documents, tie.members, tie.members),
        }
        for tie in ties
    ]


def events_table(rows: list[dict[str, Any]], earlier: Any | None) -> Any:
    """Build the events table: the events of the base in their order, then new ones sorted by event and ids.

    An event of the base is not listed again. Of two stories that merge the larger continues, so a
    later run may list the same merge the other way round; a pair of merged copy groups has no
    direction.

    Parameters
    ----------
    rows : from ``story_events`` and ``group_events``
    earlier : the events table of the base, None if it has none

    Returns
    -------
    Arrow table, ``schema.EVENTS``
    """
    listed = earlier if earlier is not None else EVENTS.empty_table()
    known = {_event_key(row) for row in listed.select(["event", "story_id", "other_id", "canonical_id"]).to_pylist()}
    fresh = []
    for row in sorted(rows, key=lambda row: (row["event"], row["canonical_id"] or "", row["story_id"] or "", row["other_id"])):
        if _event_key(row) not in known:
            known.add(_event_key(row))
            fresh.append(row)
    return pa.concat_tables([listed, pa.Table.from_pylist(fresh, schema=EVENTS)]).combine_chunks()


def _event_key(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["event"] == "group_merged":
        return row["event"], frozenset([row["canonical_id"], row["other_id"]])
    return row["event"], row["story_id"], row["other_id"]


def _when_and_who(documents: Any, members: Ints, newcomers: Ints) -> dict[str, Any]:
    """The columns ``at`` (the latest date of the new documents), ``documents`` and ``members`` of an event."""
    times = documents.column("published").take(pa.array(newcomers)).cast(pa.int64()).drop_null().to_numpy()
    return {
        "at": pa.scalar(int(times.max()), pa.int64()).cast(TIMESTAMP).as_py() if len(times) else None,
        "documents": len(members),
        "members": documents.column("doc_id").take(pa.array(members)).to_pylist(),
    }

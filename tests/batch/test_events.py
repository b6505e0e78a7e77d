"""The events table: each event once, in one order, with times of documents, never of a clock."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from dedup.batch.incremental import GroupTie, events_table, group_events, story_events
from dedup.schema import EVENTS, TIMESTAMP
from dedup.stories.changes import StoryChange

DAY2, DAY3 = datetime(2025, 3, 2, tzinfo=UTC), datetime(2025, 3, 3, 7, 30, tzinfo=UTC)
DOCUMENTS = pa.table({
    "doc_id": ["a", "b", "c", "d", "e"],
    "published": pa.array([None, DAY2, DAY3, DAY2, None], TIMESTAMP),
})  # fmt: skip


def change(event="story_merged", story=0, other=1, members=(1,), newcomers=(2, 3)):
    return StoryChange(event, story, other, np.array(members), np.array(newcomers))


def rows_of(*changes):
    return story_events(changes, DOCUMENTS, np.arange(5), ["s0", "s1", "s2"])


def test_event_lists_members_and_the_latest_time_of_new_documents():
    (row,) = events_table(rows_of(change()), None).to_pylist()
    assert row == {
        "event": "story_merged", "story_id": "s0", "other_id": "s1", "canonical_id": None, "at": DAY3, "documents": 1, "members": ["b"],
    }  # fmt: skip


def test_event_of_undated_documents_has_no_time():
    (row,) = events_table(rows_of(change(newcomers=[0, 4])), None).to_pylist()
    assert row["at"] is None


def test_members_are_places_among_the_clustered_documents():
    (row,) = story_events([change(members=[0], newcomers=[1])], DOCUMENTS, np.array([1, 3]), ["s0", "s1"])
    assert (row["members"], row["at"]) == (["b"], DAY2)


def test_group_tie_names_both_canonicals_and_the_story_of_the_kept_one():
    rows = group_events([GroupTie(0, 1, np.array([2, 3]))], DOCUMENTS, pa.array(["s0", "s1", "s0", "s0", "s1"]))
    (row,) = events_table(rows, None).to_pylist()
    assert row == {
        "event": "group_merged", "story_id": "s0", "other_id": "b", "canonical_id": "a", "at": DAY3, "documents": 2, "members": ["c", "d"],
    }  # fmt: skip
    assert group_events([GroupTie(0, 1, np.array([2]))], DOCUMENTS, pa.nulls(5, pa.string()))[0]["story_id"] is None


def test_order_of_events_does_not_matter():
    rows = rows_of(change(), change("story_split", 0, 2), change("story_merged", 0, 2))
    assert events_table(rows, None).equals(events_table(rows[::-1], None))


def test_events_are_listed_once_but_a_reversed_merge_is_new():
    first = events_table(rows_of(change(), change("story_split", 1, 2)), None)
    rows = rows_of(change(newcomers=[1]), change("story_merged", 1, 0), change("story_split", 1, 2), change("story_merged", 2, 0))
    later = events_table(rows, first)
    assert later.slice(0, 2).equals(first)
    assert [(row["event"], row["story_id"], row["other_id"]) for row in later.to_pylist()[2:]] == [
        ("story_merged", "s1", "s0"), ("story_merged", "s2", "s0"),
    ]  # fmt: skip


def test_no_events_give_an_empty_table():
    assert events_table([], None).equals(EVENTS.empty_table())

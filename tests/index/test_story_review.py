"""The review of a window: merges and splits that a batch run over its documents shows."""

from __future__ import annotations

import numpy as np
import pytest

from dedup import Config
from dedup.index.story_review import compare
from dedup.index.story_window import StoryWindow
from dedup.text.document_frequencies import background
from tests.index.story_documents import EVENTS, HOUR, vectors


def changes_of(labels, stories, times=None):
    n = len(labels)
    changes = compare(np.array(labels), np.array(stories), np.arange(n) + 100, np.arange(n) * 1.0 if times is None else np.array(times))
    return [(item.event, item.story, item.other, item.members.tolist()) for item in changes]


@pytest.mark.parametrize(
    ("labels", "stories", "expected"),
    [
        ([0, 0, 1], [7, 7, 8], []),
        ([0, 0, 0], [7, 7, 8], [("story_merged", 7, 8, [102])]),
        ([0, 0], [8, 7], [("story_merged", 8, 7, [101])]),  # a tie in documents: the earlier story continues
        ([0, 0, 1, 0], [7, 7, 8, 8], []),  # half of a story is not more than half
        ([0, 0, 1, 1, 0], [7, 7, 7, 7, 7], [("story_split", 7, None, [102, 103])]),
        ([0, 0, 1], [7, 7, 7], []),  # one document is no part
        ([0, 0, 0, 1, 1, 1, 1, 1], [7, 7, 7, 7, 7, 8, 8, 8], [("story_split", 7, 8, [103, 104])]),
        ([0, 0, 0, 0], [7, 8, 9, 9], [("story_merged", 9, 7, [100]), ("story_merged", 9, 8, [101])]),
    ],
)
def test_compare_reports_merges_and_splits(labels, stories, expected):
    assert changes_of(labels, stories) == expected


def test_ties_of_time_go_to_the_smaller_number():
    assert changes_of([0, 0], [8, 7], times=[5, 5]) == [("story_merged", 7, 8, [100])]


def loaded_window(stories):
    """A window with three reports of each of two events, given to these stories."""
    window = StoryWindow(background(), Config().stories)
    reports = EVENTS["السفانية"] + EVENTS["الديربي"]
    rows = vectors(window, reports)
    window.load(rows, np.arange(6), np.arange(6) * HOUR, np.zeros(6, bool), np.array(stories))
    return window


def test_review_reports_stories_that_a_batch_run_merges():
    (change,) = loaded_window([1, 1, 2, 3, 3, 3]).review()
    assert (change.event, change.story, change.other, change.members.tolist()) == ("story_merged", 1, 2, [2])


def test_review_reports_a_part_that_a_batch_run_splits_off():
    (change,) = loaded_window([1, 1, 1, 1, 1, 1]).review()
    assert (change.event, change.story, change.other) == ("story_split", 1, None)
    assert change.members.tolist() in ([0, 1, 2], [3, 4, 5])


def test_review_changes_nothing_and_can_be_repeated():
    window = loaded_window([1, 1, 2, 3, 3, 3])
    assert [item.event for item in window.review()] == [item.event for item in window.review()] == ["story_merged"]


def test_review_of_agreeing_stories_is_empty():
    assert loaded_window([1, 1, 1, 3, 3, 3]).review() == []


def test_an_extended_document_is_reviewed_with_what_it_extends():
    assert loaded_window([1, 1, 1, 3, 3, 3]).review() == []
    assert loaded_window([1, 1, 1, 3, 3, 1]).review({5: 0}) == []
    assert loaded_window([1, 1, 1, 3, 1, 1]).review({5: 4, 4: 0}) == []
    assert loaded_window([1, 1, 1, 3, 1, 1]).review() != []

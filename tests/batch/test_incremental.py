"""Continued stories: properties of every clustering, and an example for each rule."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.batch.incremental import active_stories, continue_stories, tied_groups
from dedup.copies.pairs import EXCERPT, NEAR, PARTIAL, Matches
from dedup.copies.survivors import Survivors


def continued(clusters, old_story, seniority=None):
    """Continue stories; clusters are named by any numbers, as ``old_story`` names old stories and -1 new documents."""
    n_old = max(old_story, default=-1) + 1
    ranks = np.arange(n_old) if seniority is None else np.array(seniority)
    return continue_stories(np.array(clusters, np.int64), np.array(old_story, np.int64), ranks)


def changes_of(answer):
    return [(item.event, item.story, item.other, item.members.tolist(), item.newcomers.tolist()) for item in answer.changes]


@st.composite
def clusterings(draw):
    n_old = draw(st.integers(0, 5))
    documents = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(-1, n_old - 1)), max_size=30))
    # Every old story that is clustered has a document here, so those without one are not drawn.
    return [cluster for cluster, _ in documents], [story for _, story in documents], n_old, draw(st.permutations(range(n_old)))


def run_drawn(drawn):
    clusters, old_story, _, seniority = drawn
    answer = continue_stories(np.array(clusters, np.int64), np.array(old_story, np.int64), np.array(seniority, np.int64))
    return clusters, old_story, answer


@given(clusterings())
def test_old_documents_keep_their_story(drawn):
    _, old_story, answer = run_drawn(drawn)
    assert all(story == given for story, given in zip(answer.stories.tolist(), old_story, strict=True) if given >= 0)


@given(clusterings())
def test_new_documents_of_a_cluster_share_one_story(drawn):
    clusters, old_story, answer = run_drawn(drawn)
    of_cluster = {}
    for cluster, before, story in zip(clusters, old_story, answer.stories.tolist(), strict=True):
        if before < 0:
            assert 0 <= story < answer.count
            assert of_cluster.setdefault(cluster, story) == story


@given(clusterings())
def test_founded_story_has_a_new_number_and_only_new_documents_of_one_cluster(drawn):
    clusters, old_story, answer = run_drawn(drawn)
    founded = {}
    for cluster, before, story in zip(clusters, old_story, answer.stories.tolist(), strict=True):
        if story >= drawn[2]:
            assert before < 0
            assert founded.setdefault(story, cluster) == cluster
    assert sorted(founded) == list(range(drawn[2], answer.count))
    assert [founded[number] for number in sorted(founded)] == sorted(founded.values())


@given(clusterings())
def test_new_document_joins_a_story_only_in_its_main_cluster(drawn):
    clusters, old_story, answer = run_drawn(drawn)
    parts = Counter((story, cluster) for story, cluster in zip(old_story, clusters, strict=True) if story >= 0)
    for cluster, before, story in zip(clusters, old_story, answer.stories.tolist(), strict=True):
        if before < 0 and story < drawn[2]:
            assert parts[story, cluster] == max(count for (other, _), count in parts.items() if other == story) > 0


@given(clusterings())
def test_changes_describe_what_happened(drawn):
    clusters, old_story, answer = run_drawn(drawn)
    for item in answer.changes:
        where = {clusters[place] for place in [*item.members.tolist(), *item.newcomers.tolist()]}
        assert len(where) == 1
        assert len(item.members) and len(item.newcomers)
        assert all(old_story[place] < 0 for place in item.newcomers.tolist())
        newcomers = {int(answer.stories[place]) for place in item.newcomers.tolist()}
        if item.event == "story_merged":
            assert newcomers == {item.story} and {old_story[place] for place in item.members.tolist()} == {item.other}
            assert 2 * len(item.members) > old_story.count(item.other)
        else:
            assert (
                newcomers == {item.other}
                and item.other >= drawn[2]
                and {old_story[place] for place in item.members.tolist()} == {item.story}
            )
    keys = [(item.event, item.story, item.other) for item in answer.changes]
    assert len(keys) == len(set(keys))


@given(clusterings(), st.randoms(use_true_random=False))
def test_document_order_changes_only_the_order_of_new_stories(drawn, random):
    clusters, old_story, answer = run_drawn(drawn)
    order = list(range(len(clusters)))
    random.shuffle(order)
    shuffled = continue_stories(np.array(clusters, np.int64)[order], np.array(old_story, np.int64)[order], np.array(drawn[3], np.int64))
    assert shuffled.stories.tolist() == answer.stories[order].tolist()


def test_clusters_without_old_documents_found_stories():
    answer = continued([0, 0, 2, 3, 3], [0, -1, -1, -1, -1])
    assert (answer.stories.tolist(), answer.count, changes_of(answer)) == ([0, 0, 1, 2, 2], 3, [])


def test_story_with_more_documents_continues():
    answer = continued([0, 0, 0, 0], [0, 1, 1, -1])
    assert answer.stories.tolist() == [0, 1, 1, 1]
    assert changes_of(answer) == [("story_merged", 1, 0, [0], [3])]


def test_ties_go_to_the_senior_story():
    assert continued([0, 0, 0], [0, 1, -1], seniority=[0, 1]).stories.tolist() == [0, 1, 0]
    assert continued([0, 0, 0], [0, 1, -1], seniority=[1, 0]).stories.tolist() == [0, 1, 1]


def test_three_stories_in_one_cluster_are_two_merges():
    answer = continued([0] * 7, [0, 0, 0, 1, 1, 2, -1])
    assert changes_of(answer) == [("story_merged", 0, 1, [3, 4], [6]), ("story_merged", 0, 2, [5], [6])]


def test_half_of_a_story_is_no_merge():
    answer = continued([0, 0, 0, 0, 5], [0, 0, 1, -1, 1])
    assert (answer.stories.tolist(), changes_of(answer)) == ([0, 0, 1, 0, 1], [])


def test_part_clustered_with_new_documents_is_a_split():
    answer = continued([0, 0, 7, 7, 7], [0, 0, 0, -1, -1])
    assert answer.stories.tolist() == [0, 0, 0, 1, 1]
    assert changes_of(answer) == [("story_split", 0, 1, [2], [3, 4])]


def test_part_clustered_with_another_story_is_no_split():
    answer = continued([0, 0, 0, 7, 7, 7, 7], [0, 0, 0, 0, 0, 1, -1])
    assert answer.stories.tolist()[-1] == 1
    assert changes_of(answer) == []


def test_changes_among_old_documents_are_not_reported():
    assert changes_of(continued([0, 0, 8], [0, 1, -1])) == []
    assert changes_of(continued([0, 7], [0, 0])) == []


def test_story_in_two_halves_continues_in_one():
    answer = continued([0, 0, 7, 7], [0, -1, 0, -1])
    assert answer.stories.tolist() == [0, 0, 0, 1]
    assert changes_of(answer) == [("story_split", 0, 1, [2], [3])]


def test_all_clusters_found_stories_without_a_base():
    answer = continued([4, 2, 4], [-1, -1, -1])
    assert (answer.stories.tolist(), answer.count) == ([1, 0, 1], 2)
    assert continued([], []).count == 0


def active(old_story, times, new_times, window=5.0):
    n = max(old_story, default=-1) + 1
    return active_stories(np.array(old_story, np.int64), np.array(times, float), np.array(new_times, float), window, n).tolist()


TIMES = st.one_of(st.floats(0, 50), st.just(float("nan")))


@given(st.lists(st.tuples(st.integers(0, 4), TIMES), max_size=12), st.lists(TIMES, max_size=6), st.floats(0.1, 20))
def test_story_is_active_if_a_document_is_near_a_new_one(documents, new_times, window):
    old_story, times = [story for story, _ in documents], [time for _, time in documents]
    near = {story for story, time in documents for new in new_times if not abs(time - new) > window}
    assert active(old_story, times, new_times, window) == [story in near for story in range(max(old_story, default=-1) + 1)]


def test_undated_documents_make_all_stories_active():
    assert active([0, 1], [1.0, float("nan")], []) == [False, False]
    assert active([0, 1], [1.0, float("nan")], [40.0]) == [False, True]
    assert active([0, 1], [1.0, 90.0], [40.0, float("nan")]) == [True, True]


def ties(pairs, canonical, n_old, family=None):
    left, right, kind = (np.array([pair[i] for pair in pairs], np.int64) for i in range(3))
    numbers = np.ones(len(pairs))
    matches = Matches(left, right, kind.astype(np.uint8), numbers, numbers, numbers)
    nothing = np.full(len(canonical), -1)
    survivors = Survivors(np.array(canonical), nothing, np.array(family or canonical), nothing)
    return [(tie.kept, tie.other, tie.members.tolist()) for tie in tied_groups(matches, survivors, n_old)]


def test_new_documents_that_match_two_old_canonicals_tie_their_groups():
    pairs = [(0, 3, NEAR), (1, 3, NEAR), (0, 4, NEAR), (1, 4, NEAR), (0, 2, NEAR)]
    assert ties(pairs, [0, 1, 0, 0, 0], 3) == [(0, 1, [3, 4])]


def test_partial_matches_copies_and_new_canonicals_tie_no_groups():
    assert ties([(0, 3, NEAR), (1, 3, PARTIAL)], [0, 1, 0, 0], 3) == []
    assert ties([(0, 3, NEAR), (2, 3, NEAR)], [0, 1, 1, 0], 3) == []
    assert ties([(0, 3, NEAR), (3, 4, NEAR)], [0, 1, 2, 3, 3], 3) == []
    assert ties([], [0, 1], 1) == []


def test_an_extended_new_document_ties_the_family_of_what_it_extends_to_others_that_it_matches():
    # 1 extends 0; the new documents 3 and 4 are kept, in the family of 0, and match 2, another old family.
    assert ties([(1, 3, NEAR), (2, 3, NEAR), (2, 4, NEAR)], [0, 1, 2, 3, 4], 3, [0, 0, 2, 0, 0]) == [(0, 2, [3, 4])]
    # Two kept documents of one family are no tie.
    assert ties([(0, 3, NEAR), (1, 3, NEAR)], [0, 1, 2, 3], 3, [0, 0, 2, 0]) == []


def test_a_match_with_any_kept_document_of_a_family_names_the_family():
    assert ties([(0, 3, NEAR), (2, 3, NEAR), (1, 4, NEAR)], [0, 1, 2, 0, 0], 3, [0, 1, 1, 0, 0]) == [(0, 1, [3, 4])]


def test_groups_that_the_base_ties_itself_are_no_event():
    assert ties([(0, 1, EXCERPT), (0, 3, NEAR), (1, 3, NEAR)], [0, 1, 2, 0], 3) == []
    assert ties([(0, 1, PARTIAL), (0, 3, NEAR), (1, 3, NEAR)], [0, 1, 2, 0], 3) == [(0, 1, [3])]

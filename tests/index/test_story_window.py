"""A new document joins the best story within the window or founds one; assignments are final."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dedup import Config
from dedup.index.story_window import Assignment, StoryWindow
from dedup.index.window_arrays import TERMS, VectorRows
from dedup.stories.evaluate import bcubed, harmonic
from dedup.text.document_frequencies import background
from tests.index.story_documents import EVENTS, HOUR, assign_one, random_rows, vectors
from tests.paths import CORPORA, JULY, needs_july

SAFANIYA, DERBY = EVENTS["السفانية"], EVENTS["الديربي"]


@pytest.fixture
def window():
    return StoryWindow(background(), Config().stories)


def all_reports():
    """(event, title, text), the first report of every event before the second of any."""
    return [(event, *EVENTS[event][turn]) for turn in range(3) for event in EVENTS]


def block(n, seed=0, days=8.0):
    """Random documents: vectors, numbers, times about in order, headlines, stories that they found."""
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0, days * 24 * HOUR, n)) + random.normal(0, 6 * HOUR, n)
    return random_rows(random, n), np.arange(n) + 5, times, random.random(n) < 0.3, np.arange(n) * 1000003 - 7


def test_report_of_the_same_event_joins_its_story(window):
    assert assign_one(window, *SAFANIYA[0], hours=0, number=1) == 1
    assert assign_one(window, *SAFANIYA[1], hours=5, number=2) == 1
    assert len(window) == 2


def test_another_event_founds_a_story(window):
    assign_one(window, *SAFANIYA[0], hours=0, number=1)
    assert assign_one(window, *DERBY[0], hours=1, number=2) == 2


def test_same_words_ten_days_later_are_another_event(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    assert assign_one(window, *DERBY[1], hours=240, number=2) == 2


def test_late_document_joins_by_its_own_time(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    assign_one(window, *SAFANIYA[0], hours=240, number=2)
    assert assign_one(window, *DERBY[1], hours=3, number=3) == 1


def test_headline_joins_the_story_of_an_article(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    assert assign_one(window, DERBY[1][0], "", hours=2, number=2) == 1


def test_two_headlines_join_by_their_letters(window):
    assign_one(window, "الهلال يهزم النصر بثلاثية في الديربي", "", hours=0, number=1)
    assert assign_one(window, "الهلال هزم النصر بثلاثية نظيفة في ديربي الرياض", "", hours=2, number=2) == 1


def test_empty_document_is_alone(window):
    assert assign_one(window, "", "", hours=0, number=1) == 1
    assert assign_one(window, "", "", hours=0, number=2) == 2


def test_assignments_are_final(window):
    given = {}
    for number, (_, title, text) in enumerate(all_reports()):
        given[number] = assign_one(window, title, text, hours=number, number=number)
        arrays = window._contents.arrays
        assert {other: int(arrays.names[arrays.story[row]]) for other, row in window._contents.row_of.items()} == given


def test_reports_of_five_events_make_five_stories(window):
    reports = all_reports()
    stories = [assign_one(window, title, text, hours=number, number=number) for number, (_, title, text) in enumerate(reports)]
    sides = bcubed([event for event, *_ in reports], stories)
    assert harmonic(*(float(np.mean(side)) for side in sides)) >= 0.9


def test_propose_changes_nothing(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    rows = vectors(window, [DERBY[1], SAFANIYA[0]])
    before = {name: value.copy() for name, value in window._contents.arrays._asdict().items()}
    first = [window.propose(rows, i, HOUR, False) for i in (0, 1)]
    assert first == [window.propose(rows, i, HOUR, False) for i in (0, 1)] == [Assignment(1), Assignment(None)]
    scratch = {"touched", "likes"}
    assert all(np.array_equal(before[name], getattr(window._contents.arrays, name)) for name in before.keys() - scratch)
    assert len(window) == 1


def test_document_that_fits_two_stories_reports_their_merge_once(window):
    rows = vectors(window, [SAFANIYA[0], SAFANIYA[1], SAFANIYA[2], SAFANIYA[2]])
    # Two stories by an earlier decision.
    window.load(rows.take(slice(0, 2)), np.array([1, 2]), np.array([0.0, HOUR]), np.zeros(2, bool), np.array([71, 72]))
    proposed = window.propose(rows, 2, 2 * HOUR, False)
    assert {proposed.story, *proposed.merged} == {71, 72}
    assert window.propose(rows, 2, 2 * HOUR, False) == proposed
    window.assign(rows.take(slice(2, 3)), np.array([3]), np.array([2 * HOUR]), np.zeros(1, bool), np.array([3]))
    assert window.propose(rows, 3, 3 * HOUR, False) == Assignment(proposed.story)


def test_stories_of_different_events_are_not_reported_as_merged(window):
    rows = vectors(window, [report for _, *report in all_reports()])
    n = len(rows)
    _, merges = window.assign(rows, np.arange(n), np.arange(n) * HOUR, np.zeros(n, bool), np.arange(n))
    assert all(EVENTS_OF[story] == EVENTS_OF[other] for _, story, other in merges)


EVENTS_OF = [event for event, *_ in all_reports()]


def test_removed_document_is_joined_by_none(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    assert window.remove(1)
    assert not window.remove(1)
    assert len(window) == 0
    assert assign_one(window, *DERBY[1], hours=1, number=2) == 2


def test_removed_document_no_longer_counts_in_weights(window):
    before = vectors(window, [DERBY[1]]).weights
    assign_one(window, *DERBY[0], hours=0, number=1)
    assert not np.array_equal(before, vectors(window, [DERBY[1]]).weights)
    window.remove(1)
    assert np.array_equal(before, vectors(window, [DERBY[1]]).weights)


def test_forget_before_drops_older_documents(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    assign_one(window, *SAFANIYA[0], hours=30, number=2)
    assert window.forget_before(24 * HOUR) == 1
    assert window.forget_before(24 * HOUR + 60) == 0
    assert list(window._contents.row_of) == [2]


def test_number_already_in_the_window_is_refused(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    with pytest.raises(ValueError, match="remove it before"):
        assign_one(window, *SAFANIYA[0], hours=1, number=1)


def test_founding_an_existing_number_continues_that_story(window):
    assign_one(window, *DERBY[0], hours=0, number=1)
    rows = vectors(window, [SAFANIYA[0]])
    placed, _ = window.assign(rows, np.array([9]), np.array([HOUR]), np.zeros(1, bool), np.array([1]))
    assert placed.tolist() == [-1]
    assert window.propose(vectors(window, [SAFANIYA[1]]), 0, HOUR, False).story == 1


def test_empty_block_is_assigned(window):
    rows = vectors(window, [DERBY[0]]).take(slice(0, 0))
    none = np.empty(0, np.int64)
    placed, merges = window.assign(rows, none, none.astype(float), none.astype(bool), none)
    assert (placed.tolist(), merges, window.review()) == ([], [], [])


def test_name_in_many_documents_loses_weight(window):
    report = ("ثوران بركان راونج", "أغلق المطار بسبب رماد البركان")
    first = vectors(window, [report])
    for number in range(40):
        rows = vectors(window, [(f"بركان راونج {number}", "الرماد يغلق مطار بالي")])
        window.load(rows, np.array([number]), np.array([HOUR]), np.zeros(1, bool), np.array([number]))
    later = vectors(window, [report])
    volcano = np.flatnonzero(first.terms[0] == vectors(window, [("راونج", "")]).terms[0, 0])[0]
    assert later.weights[0, volcano] < first.weights[0, volcano]


def test_block_has_the_vectors_of_its_documents_one_by_one(window):
    reports = [report for _, *report in all_reports()] + [(DERBY[0][0], ""), ("Hilal beat Nassr in Riyadh", "three goals to nil")]
    together = vectors(window, reports)
    for number, report in enumerate(reports):
        one = vectors(window, [report])
        assert np.array_equal(one.terms[0, : one.lengths[0]], together.terms[number, : together.lengths[number]])
        assert np.allclose(one.weights[0], together.weights[number], atol=1e-6)
        window.load(one, np.array([number]), np.array([0.0]), np.array([not report[1]]), np.array([number]))


@pytest.mark.parametrize("seed", range(3))
def test_block_is_assigned_as_its_documents_one_by_one(seed):
    rows, numbers, times, headline, founding = block(400, seed)
    together, alone = (StoryWindow(background(), Config().stories) for _ in range(2))
    stories, merges, proposed_merges = [], [], []
    for first in range(0, 400, 150):
        part = slice(first, first + 150)
        placed, more = together.assign(rows.take(part), numbers[part], times[part], headline[part], founding[part])
        stories += np.where(placed == -1, founding[part], placed).tolist()
        merges += [(first + row, story, other) for row, story, other in more]
    one_by_one = []
    for i in range(400):
        proposed = alone.propose(rows, i, times[i], bool(headline[i]))
        one_by_one.append(int(founding[i]) if proposed.story is None else proposed.story)
        proposed_merges += [(i, proposed.story, other) for other in proposed.merged]
        one = slice(i, i + 1)
        placed, _ = alone.assign(rows.take(one), numbers[one], times[one], headline[one], founding[one])
        assert placed[0] == (-1 if proposed.story is None else proposed.story)
    assert one_by_one == stories
    assert sorted(proposed_merges) == sorted(merges)
    assert len(set(stories)) < 390
    assert merges


def test_rewriting_the_arrays_changes_no_assignment():
    rows, numbers, times, headline, founding = block(600, 5)
    plain, renewed = (StoryWindow(background(), Config().stories) for _ in range(2))
    given = []
    for window in (plain, renewed):
        stories = []
        for first in range(0, 600, 50):
            part = slice(first, first + 50)
            placed, _ = window.assign(rows.take(part), numbers[part], times[part], headline[part], founding[part])
            stories += placed.tolist()
            for number in numbers[part][::7].tolist():
                window.remove(number)
            if window is renewed:
                window._contents._rewrite(1, 1, 1)
        given.append(stories)
    assert given[0] == given[1]
    assert len(plain) == len(renewed) == 600 - 12 * 8


def test_forgetting_bounds_the_memory():
    window = StoryWindow(background(), Config().stories)
    sizes = []
    for day in range(40):
        rows, _, times, headline, _ = block(1000, day, days=1.0)
        times = times + day * 24 * HOUR
        numbers = np.arange(1000) + 1000 * day
        window.forget_before(float(times[0]) - 5 * 24 * HOUR)
        window.assign(rows, numbers, times, headline, numbers)
        sizes.append(sum(array.nbytes for array in window._contents.arrays))
    assert len(window) < 8000
    assert max(sizes[20:]) <= 1.2 * max(sizes[:20])


@pytest.mark.slow
@needs_july
def test_online_stories_agree_with_labels_nearly_as_a_batch_run():
    import dedup
    from bench.quality.online import replay, stream_of

    result = dedup.run(JULY)
    stream, canonical = stream_of(result, Config())
    online = replay(stream, Config(), 500)
    place = np.full(len(canonical), -1)
    place[stream.rows] = np.arange(len(stream.rows))
    story = {}
    for row, (url, role) in enumerate(zip(*(result.documents.column(name).to_pylist() for name in ("url", "role")), strict=True)):
        if role != "embedded":
            story.setdefault(url, int(online.stories[place[canonical[row]]]))
    gold = [json.loads(line) for line in (CORPORA / "labels" / "stories_gold_dev.jsonl").read_text(encoding="utf-8").splitlines()]
    sides = bcubed([line["story"] for line in gold], [story[line["url"]] for line in gold])
    assert harmonic(*(float(np.mean(side)) for side in sides)) >= 0.84


def unit_rows(*documents):
    """Vectors of {term: weight}, all of them words."""
    n = len(documents)
    terms, weights = np.zeros((n, TERMS), np.uint64), np.zeros((n, TERMS), np.float32)
    for row, document in enumerate(documents):
        terms[row, : len(document)], weights[row, : len(document)] = list(document), list(document.values())
    lengths = np.array([len(document) for document in documents], np.int32)
    return VectorRows(terms, weights, lengths, lengths, np.ones(n, bool))


def loaded(window, rows, stories):
    n = len(rows)
    window.load(rows, np.arange(n), np.zeros(n), np.zeros(n, bool), np.array(stories))
    return window


@pytest.mark.parametrize(("cosine", "joins"), [(0.186, False), (0.188, True)])
def test_article_joins_at_1_1_times_the_batch_threshold(window, cosine, joins):
    """0.187 is 1.1 times 0.17: an online join is final."""
    loaded(window, unit_rows({8: 1.0}), [1])
    proposed = window.propose(unit_rows({8: cosine, 16: np.sqrt(1 - cosine**2)}), 0, 0.0, False)
    assert proposed.story == (1 if joins else None)


@pytest.mark.parametrize(("shared", "joins"), [(0.0399, False), (0.0401, True)])
def test_documents_with_a_score_below_0_04_are_not_compared(window, shared, joins):
    """Their other common term is in more documents than postings are read."""
    report = {8: np.sqrt(shared), 16: np.sqrt(1 - shared)}
    loaded(window, unit_rows(report, *[{16: 0.01, 24: 0.99}] * 2600), [1, *[2] * 2600])
    assert window.propose(unit_rows(report), 0, 0.0, False).story == (1 if joins else None)


@pytest.mark.parametrize(("others", "joins"), [(2498, True), (2499, False)])
def test_at_most_2500_postings_are_read(window, others, joins):
    """One posting of the rare term; then those of the common term, if the rest of the budget covers them."""
    report = {8: np.sqrt(0.03), 16: np.sqrt(0.97)}
    loaded(window, unit_rows(report, *[{16: 0.01, 24: 0.99}] * others), [1, *[2] * others])
    assert window.propose(unit_rows(report), 0, 0.0, False).story == (1 if joins else None)

"""The kernels of the story window against their twins."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Config
from dedup.index.story_window import ADMIT, PARTIAL, StoryWindow
from dedup.index.window_arrays import TERMS, WindowArrays
from dedup.kernels.index import (
    story_assignment as joining,
)
from dedup.kernels.index import (
    story_similarity as resembling,
)
from dedup.kernels.index import (
    tfidf as weighing,
)
from dedup.kernels.index import (
    window_arrays as listing,
)
from dedup.text.document_frequencies import DocumentFrequencies
from tests import oracle_index
from tests.index.arriving import HOUR, random_rows

NOTHING = DocumentFrequencies(np.empty(0, np.uint64), np.empty(0, np.uint32), 0)
TERM = st.integers(1, 40).map(lambda number: number * 4)
DOCUMENTS = st.lists(st.tuples(*[st.lists(TERM, max_size=8)] * 3), min_size=1, max_size=12)


def arrays(rows):
    return np.array([value for row in rows for value in row], np.uint64), np.cumsum([0, *map(len, rows)])


def plain(rows, times, headline, of=None):
    """Documents as the twins know them."""
    return [
        {
            "terms": list(zip(rows.terms[i, : rows.lengths[i]].tolist(), rows.weights[i, : rows.lengths[i]].tolist(), strict=True)),
            "words": int(rows.words[i]),
            "native": bool(rows.native[i]),
            "time": float(times[i]),
            "brief": bool(headline[i]),
            "story": None if of is None else int(of[i]),
        }
        for i in range(len(rows))
    ]


@given(st.dictionaries(st.integers(1, 2**64 - 1), st.integers(0, 99), max_size=30))
def test_a_table_finds_what_a_dict_finds(known):
    keys, values = np.zeros(64, np.uint64), np.zeros(64, np.int64)
    weighing.fill_table(keys, values, np.array(list(known), np.uint64), np.array(list(known.values()), np.int64))
    twin = oracle_index.fill_table(known.keys(), known.values())
    assert {int(key): int(value) for key, value in zip(keys, values, strict=True) if key} == twin


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS, st.dictionaries(TERM, st.integers(1, 9), max_size=20), st.integers(1, 12))
def test_documents_are_weighed_as_the_twin_weighs_them(held, arriving, known, most):
    config = Config().stories
    terms = np.array(sorted(known), np.uint64)
    background = DocumentFrequencies(terms, np.array([known[int(term)] for term in terms], np.uint32), 100)
    window = StoryWindow(background, config)
    before = window.rows(*(arrays(part) for part in zip(*held, strict=True)))
    n = len(held)
    window.load(before, np.arange(n), np.zeros(n), np.zeros(n, bool), np.arange(n))
    lists = window._lists
    keys, counts = window._weigher._keys, window._weigher._counts
    titles, bodies, letters = ([list(row) for row in part] for part in zip(*arriving, strict=True))
    got = weighing.weigh_rows(
        *arrays(titles), *arrays(bodies), *arrays(letters), 2.0, 5, 0.5, 0.7, keys, counts, 100,
        lists.table, lists.columns, lists.live, lists.documents, most,
    )  # fmt: skip
    rows, natives = oracle_index.weigh_rows(
        titles, bodies, letters, 2.0, 5, 0.5, 0.7, known, 100, plain(before, np.zeros(n), np.zeros(n), np.zeros(n)), most
    )
    assert got[4].tolist() == natives
    for i, row in enumerate(rows):
        assert got[3][i] == len(row)
        assert got[2][i] == sum(word for *_, word in row)
        assert sorted(got[1][i, : len(row)]) == pytest.approx(sorted(weight for _, weight, _ in row), abs=1e-5)
        if most >= 24:
            assert got[0][i, : len(row)].tolist() == [term for term, *_ in row]


@given(st.lists(st.lists(st.integers(1, 30), max_size=6, unique=True), max_size=8))
def test_terms_get_columns_in_order(rows):
    terms, lengths = np.zeros((len(rows), 6), np.uint64), np.array([len(row) for row in rows], np.int32)
    for number, row in enumerate(rows):
        terms[number, : len(row)] = row
    table, columns = np.zeros(128, np.uint64), np.zeros(128, np.int32)
    count = listing.take_columns(terms, lengths, table, columns, 0)
    twin = oracle_index.take_columns(rows, {})
    assert count == len(twin)
    assert {int(term): int(column) for term, column in zip(table, columns, strict=True) if term} == twin


@given(st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True), min_size=1, max_size=8), st.integers(0, 90))
def test_lists_get_room_or_stay_as_they_are(rows, size):
    terms, lengths = np.zeros((len(rows), 6), np.uint64), np.array([len(row) for row in rows], np.int32)
    for number, row in enumerate(rows):
        terms[number, : len(row)] = row
    table, columns = np.zeros(64, np.uint64), np.zeros(64, np.int32)
    listing.take_columns(terms, lengths, table, columns, 0)
    lists, wanted = np.zeros((12, 3), np.int32), np.zeros(12, np.int32)
    lists[0] = 0, 1, 1  # a list that is full
    pool = np.arange(size, dtype=np.int32) + 1, np.zeros(size, np.float32)
    if size == 0:
        lists[0] = 0
    before = {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]}
    used = listing.make_room(terms, lengths, table, columns, lists, *pool, min(size, 1), wanted)
    numbers = oracle_index.take_columns(rows, {})
    in_order = {column: 0 for row in rows for column in (numbers[term] for term in row)}
    in_order |= Counter(numbers[term] for row in rows for term in row)
    twin = oracle_index.make_room(before, in_order, min(size, 1), size)
    assert not wanted.any()
    if twin is None:
        assert used == -1
        assert {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]} == before
    else:
        assert used == twin[1]
        assert {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]} == twin[0]
        if size:
            assert pool[0][lists[0, 0]] == 1


def listed(lists):
    """{term: [(row, weight)]} of the rows that are not gone, and how many are counted."""
    found, counts = {}, {}
    for place in np.flatnonzero(lists.table):
        column = lists.columns[place]
        begin, length, capacity = lists.lists[column].tolist()
        assert length <= capacity
        postings = zip(
            lists.posting_rows[begin : begin + length].tolist(), lists.posting_weights[begin : begin + length].tolist(), strict=True
        )
        found[int(lists.table[place])] = [(row, weight) for row, weight in postings if lists.story[row] >= 0]
        counts[int(lists.table[place])] = int(lists.live[column].sum())
    return {term: rows for term, rows in found.items() if rows}, {term: count for term, count in counts.items() if count}


@pytest.mark.parametrize("seed", range(4))
def test_lists_hold_what_was_held_and_not_dropped(seed):
    random = np.random.default_rng(seed)
    window, twin, n = StoryWindow(NOTHING, Config().stories), [], 0
    for _ in range(12):
        size = int(random.integers(1, 120))
        rows, times, brief = random_rows(random, size, terms=400), random.uniform(0, 9e5, size), random.random(size) < 0.5
        stories = random.integers(0, 50, size)
        window.load(rows, np.arange(n, n + size), times, brief, stories)
        oracle_index.hold_rows(twin, plain(rows, times, brief), stories.tolist())
        gone = random.choice(n + size, 5).tolist()
        for number in gone:
            window.remove(number)
        oracle_index.drop_rows(twin, gone)
        n += size
        if random.random() < 0.3:
            window._lists._renew(1, 1, 1)
        lists = window._lists
        # Rows are numbered anew now and then: compared by the numbers of documents.
        found = {term: [(int(lists.numbers[row]), weight) for row, weight in rows] for term, rows in listed(lists)[0].items()}
        expected = oracle_index.fill_lists([document["terms"] if document["story"] is not None else [] for document in twin])
        assert found == expected
        assert listed(lists)[1] == {term: len(rows) for term, rows in expected.items()}
        alive = [document for document in twin if document["story"] is not None]
        assert len(window) == len(alive)
        assert lists.documents.tolist() == [
            sum(document["native"] and document["words"] > 0 for document in alive),
            sum(not document["native"] and document["words"] > 0 for document in alive),
            sum(len(document["terms"]) > document["words"] for document in alive),
        ]
        hours = Counter(int(document["time"] // 3600) & 8191 for document in alive)
        assert {hour: int(count) for hour, count in enumerate(lists.hours) if count} == hours


@pytest.mark.parametrize(("seed", "admit", "partial"), [(0, ADMIT, PARTIAL), (1, 20, 0.03), (2, 5, 0.1), (3, 60, 0.0)])
def test_documents_are_placed_as_the_twin_places_them(seed, admit, partial, monkeypatch):
    monkeypatch.setattr("dedup.index.story_window.ADMIT", admit)
    monkeypatch.setattr("dedup.index.story_window.PARTIAL", partial)
    random = np.random.default_rng(seed)
    n = 220
    rows, headline = random_rows(random, n), random.random(n) < 0.3
    times = np.sort(random.uniform(0, 9 * 24 * HOUR, n)) + random.normal(0, 6 * HOUR, n)
    window, twin = StoryWindow(NOTHING, Config().stories), []
    for first in range(0, n, 55):
        part = slice(first, first + 55)
        placed, merges = window.place_all(rows.take(part), np.arange(n)[part], times[part], headline[part], np.arange(n)[part])
        stories, merged = oracle_index.place_rows(
            twin, plain(rows.take(part), times[part], headline[part]), range(first, first + 55), window._rules.tolist(),
            admit, partial, resembling.MOST, resembling.CROWD, joining.SAMPLE,
        )  # fmt: skip
        assert [None if story == -1 else story for story in placed.tolist()] == stories
        assert set(merges) <= set(merged)
        assert {frozenset(pair[1:]) for pair in merged} <= {frozenset(pair) for pair in window._told}
        for number in range(first, first + 55, 9):
            window.remove(number)
        oracle_index.drop_rows(twin, range(first, first + 55, 9))
    assert len({story for story in stories if story is not None}) > 3


def test_of_many_the_most_alike_are_kept_and_of_equals_the_newest():
    random = np.random.default_rng(3)
    for n in (resembling.MOST + 1, 1000, 3000):
        rows, likes = random.permutation(n), random.integers(0, 40, n).astype(np.float32)
        expected = sorted(zip(-likes, -rows, strict=True))[: resembling.MOST]
        kept = resembling.most_alike(rows, likes, n)
        assert sorted(zip(-likes[:kept], -rows[:kept], strict=True)) == expected


def test_a_window_begins_with_room_and_without_documents():
    lists = WindowArrays()
    assert len(lists) == 0
    assert lists.row_columns.shape[1] == TERMS
    assert lists.rows().tolist() == []

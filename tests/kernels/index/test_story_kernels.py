"""The kernels of the story window against their reference implementations."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Config
from dedup.index.story_window import POSTINGS, SCORE, StoryWindow
from dedup.index.window_arrays import TERMS, WindowArrays
from dedup.kernels.index.story_assignment import SAMPLE
from dedup.kernels.index.story_similarity import MOST, NEAREST, most_similar
from dedup.kernels.index.tfidf import fill_table, weigh_rows
from dedup.kernels.index.window_arrays import make_room, take_columns
from dedup.kernels.index.window_tuples import KnownTerms, SearchLimits, TermRows, Weighting
from dedup.text.document_frequencies import DocumentFrequencies
from tests import oracle_index
from tests.index.story_documents import HOUR, random_rows

NOTHING = DocumentFrequencies(np.empty(0, np.uint64), np.empty(0, np.uint32), 0)
TERM = st.integers(1, 40).map(lambda number: number * 4)
DOCUMENTS = st.lists(st.tuples(*[st.lists(TERM, max_size=8)] * 3), min_size=1, max_size=12)


def arrays(rows):
    return np.array([value for row in rows for value in row], np.uint64), np.cumsum([0, *map(len, rows)])


def plain(rows, times, headline, of=None):
    """Documents as the reference implementation takes them."""
    return [
        {
            "terms": list(zip(rows.terms[i, : rows.lengths[i]].tolist(), rows.weights[i, : rows.lengths[i]].tolist(), strict=True)),
            "words": int(rows.words[i]),
            "native": bool(rows.native[i]),
            "time": float(times[i]),
            "headline": bool(headline[i]),
            "story": None if of is None else int(of[i]),
        }
        for i in range(len(rows))
    ]


@given(st.dictionaries(st.integers(1, 2**64 - 1), st.integers(0, 99), max_size=30))
def test_hash_table_finds_what_a_dict_finds(known):
    keys, values = np.zeros(64, np.uint64), np.zeros(64, np.int64)
    fill_table(keys, values, np.array(list(known), np.uint64), np.array(list(known.values()), np.int64))
    reference = oracle_index.fill_table(known.keys(), known.values())
    assert {int(key): int(value) for key, value in zip(keys, values, strict=True) if key} == reference


@settings(max_examples=60)
@given(DOCUMENTS, DOCUMENTS, st.dictionaries(TERM, st.integers(1, 9), max_size=20), st.integers(1, 12))
def test_weights_match_the_reference(present, incoming, known, most):
    config = Config().stories
    terms = np.array(sorted(known), np.uint64)
    background = DocumentFrequencies(terms, np.array([known[int(term)] for term in terms], np.uint32), 100)
    window = StoryWindow(background, config)
    before = window.rows(*(arrays(part) for part in zip(*present, strict=True)))
    n = len(present)
    window.load(before, np.arange(n), np.zeros(n), np.zeros(n, bool), np.arange(n))
    window_arrays, known_table = window._contents.arrays, window._weigher._known
    titles, bodies, letters = ([list(row) for row in part] for part in zip(*incoming, strict=True))
    texts, known_terms = TermRows(*arrays(titles), *arrays(bodies), *arrays(letters)), KnownTerms(known_table.keys, known_table.counts, 100)
    counted = window_arrays.table, window_arrays.columns, window_arrays.live, window_arrays.documents
    got = weigh_rows(texts, Weighting(2.0, 5, 0.5, 0.7), known_terms, *counted, most)
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
def test_new_terms_get_columns_in_order(rows):
    terms, lengths = np.zeros((len(rows), 6), np.uint64), np.array([len(row) for row in rows], np.int32)
    for number, row in enumerate(rows):
        terms[number, : len(row)] = row
    table, columns = np.zeros(128, np.uint64), np.zeros(128, np.int32)
    count = take_columns(terms, lengths, table, columns, 0)
    reference = oracle_index.take_columns(rows, {})
    assert count == len(reference)
    assert {int(term): int(column) for term, column in zip(table, columns, strict=True) if term} == reference


@given(st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True), min_size=1, max_size=8), st.integers(0, 90))
def test_make_room_lengthens_all_lists_or_none(rows, size):
    terms, lengths = np.zeros((len(rows), 6), np.uint64), np.array([len(row) for row in rows], np.int32)
    for number, row in enumerate(rows):
        terms[number, : len(row)] = row
    table, columns = np.zeros(64, np.uint64), np.zeros(64, np.int32)
    take_columns(terms, lengths, table, columns, 0)
    lists, wanted = np.zeros((12, 3), np.int32), np.zeros(12, np.int32)
    whole = WindowArrays().arrays
    lists[0] = 0, 1, 1  # a list that is full
    pool = np.arange(size, dtype=np.int32) + 1, np.zeros(size, np.float32)
    if size == 0:
        lists[0] = 0
    before = {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]}
    window = whole._replace(table=table, columns=columns, lists=lists, posting_rows=pool[0], posting_weights=pool[1], wanted=wanted)
    used = make_room(terms, lengths, window, min(size, 1))
    numbers = oracle_index.take_columns(rows, {})
    in_order = {column: 0 for row in rows for column in (numbers[term] for term in row)}
    in_order |= Counter(numbers[term] for row in rows for term in row)
    reference = oracle_index.make_room(before, in_order, min(size, 1), size)
    assert not wanted.any()
    if reference is None:
        assert used == -1
        assert {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]} == before
    else:
        assert used == reference[1]
        assert {column: tuple(row) for column, row in enumerate(lists.tolist()) if row[2]} == reference[0]
        if size:
            assert pool[0][lists[0, 0]] == 1


def listed(lists):
    """{term: [(row, weight)]} of the live rows, and how many are counted."""
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
def test_posting_lists_hold_the_live_documents(seed):
    random = np.random.default_rng(seed)
    window, reference, n = StoryWindow(NOTHING, Config().stories), [], 0
    for _ in range(12):
        size = int(random.integers(1, 120))
        rows, times, headline = random_rows(random, size, terms=400), random.uniform(0, 9e5, size), random.random(size) < 0.5
        stories = random.integers(0, 50, size)
        window.load(rows, np.arange(n, n + size), times, headline, stories)
        oracle_index.add_documents(reference, plain(rows, times, headline), stories.tolist())
        dropped = random.choice(n + size, 5).tolist()
        for number in dropped:
            window.remove(number)
        oracle_index.drop_rows(reference, dropped)
        n += size
        if random.random() < 0.3:
            window._contents._rewrite(1, 1, 1)
        lists = window._contents.arrays
        # A rewrite renumbers rows, so rows are compared by the numbers of their documents.
        found = {term: [(int(lists.numbers[row]), weight) for row, weight in rows] for term, rows in listed(lists)[0].items()}
        expected = oracle_index.fill_lists([document["terms"] if document["story"] is not None else [] for document in reference])
        assert found == expected
        assert listed(lists)[1] == {term: len(rows) for term, rows in expected.items()}
        alive = [document for document in reference if document["story"] is not None]
        assert len(window) == len(alive)
        assert lists.documents.tolist() == [
            sum(document["native"] and document["words"] > 0 for document in alive),
            sum(not document["native"] and document["words"] > 0 for document in alive),
            sum(len(document["terms"]) > document["words"] for document in alive),
        ]
        hours = Counter(int(document["time"] // 3600) & 8191 for document in alive)
        assert {hour: int(count) for hour, count in enumerate(lists.hours) if count} == hours


@pytest.mark.parametrize(("seed", "postings", "score"), [(0, POSTINGS, SCORE), (1, 20, 0.03), (2, 5, 0.1), (3, 60, 0.0)])
def test_assignments_match_the_reference(seed, postings, score, monkeypatch):
    monkeypatch.setattr("dedup.index.story_window.POSTINGS", postings)
    monkeypatch.setattr("dedup.index.story_window.SCORE", score)
    random = np.random.default_rng(seed)
    n = 220
    rows, headline = random_rows(random, n), random.random(n) < 0.3
    times = np.sort(random.uniform(0, 9 * 24 * HOUR, n)) + random.normal(0, 6 * HOUR, n)
    window, reference = StoryWindow(NOTHING, Config().stories), []
    for first in range(0, n, 55):
        part = slice(first, first + 55)
        placed, merges = window.assign(rows.take(part), np.arange(n)[part], times[part], headline[part], np.arange(n)[part])
        stories, merged = oracle_index.assign_documents(
            reference, plain(rows.take(part), times[part], headline[part]), range(first, first + 55), window._rules,
            SearchLimits(postings, score), MOST, NEAREST, SAMPLE,
        )  # fmt: skip
        assert [None if story == -1 else story for story in placed.tolist()] == stories
        assert set(merges) <= set(merged)
        assert {frozenset(pair[1:]) for pair in merged} <= {frozenset(pair) for pair in window._reported}
        for number in range(first, first + 55, 9):
            window.remove(number)
        oracle_index.drop_rows(reference, range(first, first + 55, 9))
    assert len({story for story in stories if story is not None}) > 3


def test_most_similar_keeps_the_highest_and_breaks_ties_by_the_newest():
    random = np.random.default_rng(3)
    for n in (MOST + 1, 1000, 3000):
        rows, likes = random.permutation(n), random.integers(0, 40, n).astype(np.float32)
        expected = sorted(zip(-likes, -rows, strict=True))[:MOST]
        kept = most_similar(rows, likes, n)
        assert sorted(zip(-likes[:kept], -rows[:kept], strict=True)) == expected


def test_new_window_has_room_and_no_documents():
    lists = WindowArrays()
    assert len(lists) == 0
    assert lists.arrays.row_columns.shape[1] == TERMS
    assert lists.rows().tolist() == []

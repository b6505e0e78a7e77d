"""Inverted index: values drawn by a row are found in all rows, and pairs share enough of them."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.copies.inverted_index import count_drawn, entries_of, mark_drawn, posting_pairs, sampled
from tests import oracle
from tests.kernels.copies.test_buckets import ROWS, pairs_of

ASCENDING = st.lists(st.sets(st.integers(0, 99) | st.integers(0, 2**64 - 1), max_size=9).map(sorted), max_size=5)
BOUNDS = st.integers(0, 99) | st.integers(0, 2**64 - 1)


@given(ASCENDING, st.sampled_from([1, 4]), st.sampled_from([1, 16, 64]), st.data())
def test_samples_match_the_reference(rows, words, slots, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    bounds = data.draw(st.lists(BOUNDS, min_size=len(chosen), max_size=len(chosen)))
    marks, places, flat = np.zeros(words, np.uint64), np.array(chosen, np.int64), oracle.flat(rows)
    drawn = mark_drawn(*flat, places, np.array(bounds, np.uint64), marks)
    marked = {64 * word + bit for word, bits in enumerate(marks.tolist()) for bit in range(64) if bits >> bit & 1}
    assert (marked, drawn.tolist()) == oracle.mark_drawn(rows, chosen, bounds, 64 * words)
    counters = np.zeros(slots, np.uint8)
    for part in (places[:2], places[2:]):
        count_drawn(*flat, part, marks, counters)
    assert counters.tolist() == oracle.count_drawn(rows, chosen, marked, 64 * words, slots)
    values, owners = sampled(*flat, places, marks, counters)
    assert (drawn.dtype, values.dtype, owners.dtype) == (np.int64, np.uint64, np.int32)
    expected = oracle.sampled(rows, chosen, marked, 64 * words, counters.tolist())
    assert list(zip(owners.tolist(), values.tolist(), strict=True)) == expected


def taken(rows, chosen, bounds):
    flat, chosen = oracle.flat(rows), np.array(chosen)
    marks, counters = np.zeros(64, np.uint64), np.zeros(1 << 10, np.uint8)
    mark_drawn(*flat, chosen, np.array(bounds, np.uint64), marks)
    count_drawn(*flat, chosen, marks, counters)
    values, owners = sampled(*flat, chosen, marks, counters)
    return list(zip(owners.tolist(), values.tolist(), strict=True))


def test_values_drawn_by_one_row_are_sampled_from_all_chosen_rows():
    rows = [[1 << 20, (60 << 20) + 1], [1 << 20, 70 << 20], [2 << 20, (60 << 20) + 1, 80 << 20]]
    assert taken(rows, [0, 2], [61 << 20, 0]) == [(0, (60 << 20) + 1), (1, (60 << 20) + 1)]


def test_values_of_a_single_row_are_left_out():
    assert taken([[1, 2], [2, 3]], [0, 1], [9, 9]) == [(0, 2), (1, 2)]


def test_sampling_grows_its_arrays():
    assert taken([list(range(700))] * 3, [0, 1, 2], [700, 0, 0]) == [(row, value) for row in range(3) for value in range(700)]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_entries_match_the_reference(members):
    offsets, places = entries_of(np.array(members, np.int32), 6)
    assert (offsets.dtype, places.dtype) == (np.int64, np.int32)
    assert oracle.listed(places, offsets) == oracle.entries_of(members, 6)


def postings(rows, list_cap, least=1, bounds=None):
    """Posting lists of the values in at least ``least`` rows, as ``posting_pairs`` takes them.

    Without ``bounds`` each row draws all that it has.
    """
    spread = Counter(value for values in rows for value in values)
    entries = sorted((value, row) for row, values in enumerate(rows) for value in values if spread[value] >= least)
    heads = {value: i for i, (value, _) in reversed(list(enumerate(entries)))}
    place = {entry: i for i, entry in enumerate(entries)}
    places, offsets = oracle.flat([[place[v, row] for v in values if spread[v] >= least] for row, values in enumerate(rows)], np.int32)
    starts = [heads[value] if spread[value] <= list_cap else -1 for value, _ in entries]
    drawn = np.array([bounds is None or value < bounds[row] for value, row in entries], np.bool_)
    return offsets, places, np.array(starts, np.int32), np.array([row for _, row in entries], np.int32), drawn


@given(ROWS, st.integers(2, 6), st.sampled_from([1, 2]), st.data())
def test_pairs_match_the_reference_with_and_without_values_of_single_rows(rows, list_cap, least, data):
    bounds, needed = (
        data.draw(st.lists(numbers, min_size=len(rows), max_size=len(rows))) for numbers in (st.integers(0, 14), st.integers(1, 4))
    )
    left, right = posting_pairs(*postings(rows, list_cap, least, bounds), np.array(needed, np.int64), 0, len(rows))
    assert (left.dtype, right.dtype) == (np.int64, np.int64)
    assert right.tolist() == sorted(right.tolist())
    found = pairs_of(left, right)
    assert len(found) == len(set(found))
    assert set(found) == oracle.posting_pairs(rows, bounds, list_cap, needed)


@pytest.mark.parametrize(("needed", "pairs"), [([1, 2], 1), ([2, 1], 1), ([2, 2], 0)])
def test_a_pair_needs_the_smaller_number_of_its_rows(needed, pairs):
    left, _ = posting_pairs(*postings([[1, 2, 3], [3, 4, 5]], 9), np.array(needed), 0, 2)
    assert len(left) == pairs


def test_pairing_grows_its_arrays():
    rows = [[1]] * 80
    left, right = posting_pairs(*postings(rows, 200), np.ones(80, np.int64), 0, 80)
    assert set(pairs_of(left, right)) == {(i, j) for j in range(80) for i in range(j)}
    assert len(left) == math.comb(80, 2) > 1024


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_pairs_of_postings_do_not_depend_on_the_number_of_threads(threads):
    rows = [sorted({i * j % 17 for j in range(1, 6)}) for i in range(40)]
    lists = *postings(rows, 12), np.full(40, 2)
    whole = posting_pairs(*lists, 0, 40)
    parts = map_blocks(lambda a, b: posting_pairs(*lists, a, b), 40, threads, at_least=1)
    for i in range(2):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()


def test_no_rows_give_no_pairs():
    left, right = posting_pairs(*postings([], 4), np.empty(0, np.int64), 0, 0)
    assert (left.dtype, right.dtype, len(left)) == (np.int64, np.int64, 0)

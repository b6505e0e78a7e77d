"""Buckets and postings: who is looked at with whom, at a cost that no crowd makes quadratic."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.buckets import bucket_pairs, count_hashes, is_counted_twice, mark_drawn, posting_pairs, sampled
from dedup.threads import map_blocks
from tests import oracle

KEYS = st.lists(st.integers(0, 5) | st.integers(2**63, 2**63 + 2), max_size=40).map(sorted)
ROWS = st.lists(st.sets(st.integers(0, 12), max_size=8).map(sorted), max_size=12)


def pairs_of(left, right):
    return list(zip(left.tolist(), right.tolist(), strict=True))


@given(KEYS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_pairs_of_buckets_are_their_twins(keys, cap, random):
    members = list(range(len(keys)))
    random.shuffle(members)
    left, right, capped = bucket_pairs(np.array(keys, np.uint64), np.array(members, np.int64), cap)
    assert (pairs_of(left, right), capped) == oracle.bucket_pairs(keys, members, cap)


def test_a_bucket_of_many_costs_its_size_times_a_constant():
    left, _, capped = bucket_pairs(np.zeros(10_000, np.uint64), np.arange(10_000), 64)
    assert len(left) <= 10_000 * (64 // 8 + 64 // 16)
    assert capped == 10_000


ASCENDING = st.lists(st.sets(st.integers(0, 99) | st.integers(0, 2**64 - 1), max_size=9).map(sorted), max_size=5)


BOUNDS = st.integers(0, 99) | st.integers(0, 2**64 - 1)


@given(ASCENDING, st.sampled_from([1, 4]), st.data())
def test_samples_are_their_twins(rows, words, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    bounds = data.draw(st.lists(BOUNDS, min_size=len(chosen), max_size=len(chosen)))
    marks, places = np.zeros(words, np.uint64), np.array(chosen, np.int64)
    drawn = mark_drawn(*oracle.flat(rows), places, np.array(bounds, np.uint64), marks)
    marked = {64 * word + bit for word, bits in enumerate(marks.tolist()) for bit in range(64) if bits >> bit & 1}
    assert (marked, drawn.tolist()) == oracle.mark_drawn(rows, chosen, bounds, 64 * words)
    values, offsets = sampled(*oracle.flat(rows), places, marks)
    assert (drawn.dtype, values.dtype, offsets.dtype) == (np.int64, np.uint64, np.int64)
    assert oracle.listed(values, offsets) == oracle.sampled(rows, chosen, marked, 64 * words)


def test_what_one_row_draws_is_sampled_of_another_and_of_no_row_that_is_not_chosen():
    rows = [[value << 20 for value in row] for row in ([1, 60], [1, 2, 70], [2, 60, 80])]
    flat, marks = oracle.flat(rows), np.zeros(64, np.uint64)
    mark_drawn(*flat, np.array([0, 2]), np.array([61 << 20, 0], np.uint64), marks)
    assert oracle.listed(*sampled(*flat, np.array([0, 2]), marks)) == [[1 << 20, 60 << 20], [60 << 20]]


def test_more_values_than_there_was_room_for_are_all_sampled():
    flat, marks = oracle.flat([list(range(700))] * 3), np.zeros(64, np.uint64)
    mark_drawn(*flat, np.array([0]), np.array([700], np.uint64), marks)
    assert oracle.listed(*sampled(*flat, np.arange(3), marks)) == [list(range(700))] * 3


@given(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=60), st.sampled_from([1, 16, 64]), st.integers(0, 60))
def test_what_is_counted_twice_is_its_twin(values, slots, cut):
    counters = np.zeros(slots, np.uint8)
    for part in (values[:cut], values[cut:]):
        count_hashes(np.array(part, np.uint64), counters)
    assert counters.tolist() == oracle.count_hashes(values, slots)
    answer = is_counted_twice(np.array(values, np.uint64), counters)
    assert answer.dtype == np.bool_
    assert answer.tolist() == oracle.is_counted_twice(values, counters.tolist())


@given(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=60), st.sampled_from([1, 16, 64]))
def test_no_value_that_comes_twice_is_taken_for_one_that_comes_once(values, slots):
    counters = np.zeros(slots, np.uint8)
    count_hashes(np.array(values, np.uint64), counters)
    answer = is_counted_twice(np.array(values, np.uint64), counters).tolist()
    assert all(said for said, value in zip(answer, values, strict=True) if values.count(value) > 1)


def postings(rows, list_cap, least=1, bounds=None):
    """The lists of the rows that hold each value, of those in ``least`` rows or more, as ``posting_pairs`` takes them.

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
def test_pairs_of_postings_are_their_twins_with_and_without_what_one_row_has_alone(rows, list_cap, least, data):
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
def test_a_pair_needs_what_the_less_demanding_of_its_rows_needs(needed, pairs):
    left, _ = posting_pairs(*postings([[1, 2, 3], [3, 4, 5]], 9), np.array(needed), 0, 2)
    assert len(left) == pairs


def test_more_pairs_than_there_was_room_for_are_all_kept():
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


def test_empty_inputs_have_the_right_types():
    left, right, capped = bucket_pairs(np.empty(0, np.uint64), np.empty(0, np.int64), 4)
    assert (left.dtype, right.dtype, len(left), capped) == (np.int64, np.int64, 0, 0)
    values, offsets = sampled(*oracle.flat([]), np.empty(0, np.int64), np.zeros(1, np.uint64))
    assert (values.dtype, offsets.dtype, offsets.tolist()) == (np.uint64, np.int64, [0])
    left, right = posting_pairs(*postings([], 4), np.empty(0, np.int64), 0, 0)
    assert (left.dtype, right.dtype, len(left)) == (np.int64, np.int64, 0)

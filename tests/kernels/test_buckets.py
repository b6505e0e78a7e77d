"""Buckets and postings: who is looked at with whom, at a cost that no crowd makes quadratic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.buckets import bucket_pairs, posting_pairs, sampled
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


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=9), max_size=5), st.integers(0, 2**64 - 1))
def test_samples_are_their_twins(rows, below):
    values, offsets = sampled(*oracle.flat(rows), np.uint64(below))
    assert oracle.listed(values, offsets) == oracle.sampled(rows, below)


@given(st.lists(st.lists(st.integers(0, 99), max_size=9), min_size=1, max_size=5))
def test_a_sample_reads_rows_that_do_not_begin_at_zero_in_place(rows):
    values, offsets = oracle.flat([[1, 2, 3], *rows])
    assert oracle.listed(*sampled(values, offsets[1:], np.uint64(50))) == oracle.sampled(rows, 50)


def postings(rows, list_cap):
    """The lists of the rows that hold each value, as ``posting_pairs`` takes them."""
    entries = sorted((value, row) for row, values in enumerate(rows) for value in values)
    spread = [value for value, _ in entries]
    place = {entry: i for i, entry in enumerate(entries)}
    places, offsets = oracle.flat([[place[value, row] for value in values] for row, values in enumerate(rows)], np.int64)
    starts = [spread.index(value) if spread.count(value) <= list_cap else -1 for value in spread]
    return offsets, places, np.array(starts, np.int64), np.array([row for _, row in entries], np.int64)


@given(ROWS, st.integers(2, 6), st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(1, 4))
def test_pairs_of_postings_are_their_twins(rows, list_cap, least_share, most_needed):
    left, right = posting_pairs(*postings(rows, list_cap), least_share, most_needed, 0, len(rows))
    assert (left.dtype, right.dtype) == (np.int64, np.int64)
    assert right.tolist() == sorted(right.tolist())
    found = pairs_of(left, right)
    assert len(found) == len(set(found))
    assert set(found) == oracle.posting_pairs(rows, list_cap, least_share, most_needed)


@pytest.mark.parametrize(("least_share", "most_needed", "pairs"), [(0.5, 4, 0), (0.3, 4, 1), (0.5, 1, 1), (0.0, 4, 1)])
def test_the_share_that_is_needed_is_rounded_up_to_at_least_one_and_at_most_the_most(least_share, most_needed, pairs):
    left, _ = posting_pairs(*postings([[1, 2, 3], [3, 4, 5], [6]], 9), least_share, most_needed, 0, 3)
    assert len(left) == pairs


def test_more_pairs_than_there_was_room_for_are_all_kept():
    rows = [[1]] * 80
    left, right = posting_pairs(*postings(rows, 200), 0.3, 3, 0, 80)
    assert set(pairs_of(left, right)) == {(i, j) for j in range(80) for i in range(j)}
    assert len(left) == math.comb(80, 2) > 1024


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_pairs_of_postings_do_not_depend_on_the_number_of_threads(threads):
    rows = [sorted({i * j % 17 for j in range(1, 6)}) for i in range(40)]
    lists = postings(rows, 12)
    whole = posting_pairs(*lists, 0.3, 2, 0, 40)
    parts = map_blocks(lambda a, b: posting_pairs(*lists, 0.3, 2, a, b), 40, threads, at_least=1)
    for i in range(2):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()


def test_empty_inputs_have_the_right_types():
    left, right, capped = bucket_pairs(np.empty(0, np.uint64), np.empty(0, np.int64), 4)
    assert (left.dtype, right.dtype, len(left), capped) == (np.int64, np.int64, 0, 0)
    values, offsets = sampled(*oracle.flat([]), np.uint64(9))
    assert (values.dtype, offsets.dtype, offsets.tolist()) == (np.uint64, np.int64, [0])
    left, right = posting_pairs(*postings([], 4), 0.3, 3, 0, 0)
    assert (left.dtype, right.dtype, len(left)) == (np.int64, np.int64, 0)

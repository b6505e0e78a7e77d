"""Winnowing misses no long common passage; tallying counts how many keys documents share."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.lookup import candidates
from dedup.index.store import PostingLists
from dedup.kernels.index.tally import tally
from dedup.kernels.index.winnow import winnow
from tests import oracle, oracle_index

HASHES = st.integers(0, 5) | st.integers(2**64 - 3, 2**64 - 1) | st.integers(0, 2**64 - 1)
ROWS = st.lists(st.lists(HASHES, max_size=40), max_size=6)


def winnowed(rows, windows):
    return oracle.listed(*winnow(*oracle.flat(rows), np.array(windows, np.int64)))


@given(st.lists(st.tuples(st.lists(HASHES, max_size=40), st.integers(1, 9)), max_size=6))
def test_winnowing_equals_the_reference_implementation(rows):
    texts, windows = [row for row, _ in rows], [window for _, window in rows]
    values, offsets = winnow(*oracle.flat(texts), np.array(windows, np.int64))
    assert (values.dtype, offsets.dtype) == (np.uint64, np.int64)
    assert oracle.listed(values, offsets) == oracle_index.winnow(texts, windows)


@given(st.lists(HASHES, max_size=30), st.lists(HASHES, max_size=30), st.integers(1, 9), st.integers(1, 9), st.data())
def test_rows_with_a_common_run_of_the_wider_window_share_a_fingerprint(one, other, narrow, wide, data):
    narrow, wide = sorted([narrow, wide])
    run = data.draw(st.lists(HASHES, min_size=wide, max_size=wide + 5))
    at, to = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    rows = [one[:at] + run + one[at:], other[:to] + run + other[to:]]
    for windows in ([wide, wide], [narrow, wide], [1, wide]):
        left, right = winnowed(rows, windows)
        assert set(right) & set(rows[0])
        if windows[0] in (1, wide):
            assert set(left) & set(right)


def test_a_window_of_one_takes_all_hashes():
    assert winnowed([[5, 3, 9, 3]], [1]) == [[3, 5, 9]]


def test_rows_need_not_begin_at_the_start_of_the_array():
    hashes = np.array([1, 9, 8, 7, 2], np.uint64)
    values, offsets = winnow(hashes, np.array([1, 1, 4]), np.array([2, 2]))
    assert oracle.listed(values, offsets) == [[], [7, 8]]


def test_empty_input_has_no_fingerprints():
    assert winnowed([], []) == []
    assert winnowed([[], []], [4, 1]) == [[], []]


def test_the_density_for_random_hashes_is_two_over_window_plus_one():
    hashes = np.random.default_rng(5).integers(0, 2**64, 100_000, np.uint64)
    values, _ = winnow(hashes, np.array([0, len(hashes)]), np.array([7]))
    assert len(values) == pytest.approx(len(hashes) * 2 / 8, rel=0.02)


# Tallying

VALUES = st.builds(lambda number, size: number << 4 | size, st.integers(0, 6) | st.integers(0, 900), st.integers(0, 15))
NEEDED = st.lists(st.integers(0, 5), min_size=16, max_size=16)


@given(st.lists(st.tuples(st.lists(VALUES, max_size=30), NEEDED), max_size=5), st.integers(0, 8))
def test_tallying_equals_the_reference_implementation_and_clears_its_scratch(rows, most):
    lists, needed = [row for row, _ in rows], [needs for _, needs in rows]
    scratch = np.zeros(1000, np.uint16)
    table = np.array(needed, np.int32).reshape(len(rows), 16)
    numbers, shared, offsets = tally(*oracle.flat(lists, np.uint32), table, scratch, most)
    assert (numbers.dtype, shared.dtype, offsets.dtype) == (np.int64, np.int32, np.int64)
    found = [list(zip(*row, strict=True)) for row in zip(oracle.listed(numbers, offsets), oracle.listed(shared, offsets), strict=True)]
    assert found == oracle_index.tally(lists, needed, most)
    assert not scratch.any()


def hits_of(values):
    return PostingLists(np.array(values, np.uint32), np.array([0, len(values)]), np.zeros(1, np.int64))


def test_counters_grow_with_the_largest_number():
    needed = np.full((1, 16), 2, np.int32)
    for number in (3, 4095, 4096, 2**21, 2**28 - 1):
        numbers, shared, _ = candidates(hits_of([number << 4, 5 << 4, number << 4]), needed, 9)
        assert (numbers.tolist(), shared.tolist()) == ([number], [2])


def test_counts_saturate_at_the_largest_counter_value():
    numbers, shared, _ = candidates(hits_of([16] * 1_000_000 + [32]), np.full((1, 16), 65535, np.int32), 9)
    assert (numbers.tolist(), shared.tolist()) == ([1], [65535])


def test_no_rows_have_no_candidates():
    none = PostingLists(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.int64))
    numbers, shared, offsets = candidates(none, np.empty((0, 16), np.int32), 9)
    assert (len(numbers), len(shared), offsets.tolist()) == (0, 0, [0])


def test_threads_have_counters_of_their_own():
    needed, wrong = np.full((1, 16), 3, np.int32), []

    def count(number):
        for _ in range(200):
            numbers, shared, _ = candidates(hits_of([number << 4] * 3 + [7 << 4] * 2), needed, 9)
            if (numbers.tolist(), shared.tolist()) != ([number], [3]):
                wrong.append(number)

    threads = [threading.Thread(target=count, args=(number,)) for number in (10, 5000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []

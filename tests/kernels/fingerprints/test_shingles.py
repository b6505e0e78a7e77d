"""Shingles: n consecutive values as one hash, sorted and unique in each row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.fingerprints.shingles import row_hashes, shingle_hash, shingle_hashes, shingle_rows, unique_rows
from tests import oracle

VALUES = st.integers(0, 5) | st.integers(0, 2**64 - 1)
ROWS = st.lists(st.lists(VALUES, max_size=12), max_size=6)
WORDS = st.integers(1, 6)


@given(ROWS, WORDS)
def test_shingles_match_the_reference(rows, n):
    shingles, offsets = shingle_rows(*oracle.flat(rows), n)
    assert oracle.listed(shingles, offsets) == oracle.shingle_rows(rows, n)
    assert oracle.listed(*shingle_hashes(*oracle.flat(rows), n)) == oracle.shingle_hashes(rows, n)


@given(ROWS)
def test_unique_rows_match_the_reference(rows):
    values, offsets = unique_rows(*oracle.flat(rows))
    assert oracle.listed(values, offsets) == oracle.unique_rows(rows)


@given(ROWS)
def test_row_hashes_match_the_reference(rows):
    assert row_hashes(*oracle.flat(rows)).tolist() == oracle.row_hashes(rows)


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_the_hash_of_a_shingle_matches_the_reference(values):
    array = np.array([9, *values, 9], np.uint64)
    assert int(shingle_hash(array, 1, len(values))) == oracle.shingle_hash(values)


@given(st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=6), WORDS)
def test_rows_that_do_not_start_at_zero_are_read(rows, n):
    values, offsets = oracle.flat([[1, 2, 3], *rows])
    shingles, shingle_offsets = shingle_rows(values, offsets[1:], n)
    assert oracle.listed(shingles, shingle_offsets) == oracle.shingle_rows(rows, n)
    assert oracle.listed(*shingle_hashes(values, offsets[1:], n)) == oracle.shingle_hashes(rows, n)
    unique, unique_offsets = unique_rows(values, offsets[1:])
    assert oracle.listed(unique, unique_offsets) == oracle.unique_rows(rows)


UNEVEN = {
    "one_value": [7] * 300,
    "low_values": list(range(300))[::-1],
    "high_values": [2**64 - 1 - i * i % 97 for i in range(300)],
    "one_bucket_of_many": [i << 40 for i in range(60)] + [i * 0x9E3779B97F4A7C15 % 2**64 for i in range(100)],
    "just_small_enough_for_swaps": [24 - i for i in range(24)],
    "just_too_large_for_swaps": [25 - i for i in range(25)],
}


@pytest.mark.parametrize("row", UNEVEN.values(), ids=UNEVEN)
def test_non_uniform_values_are_sorted(row):
    rows = [row[:1], row, [], row[::-1]]
    assert oracle.listed(*unique_rows(*oracle.flat(rows))) == oracle.unique_rows(rows)


def test_a_row_of_more_values_than_buckets_is_sorted():
    values = np.arange(150_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    unique, offsets = unique_rows(np.concatenate([values, values[:9]]), np.array([0, 150_009]))
    assert unique.tolist() == sorted(values.tolist())
    assert offsets.tolist() == [0, 150_000]


@given(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=200))
def test_long_rows_match_the_reference(row):
    assert oracle.listed(*unique_rows(*oracle.flat([row]))) == oracle.unique_rows([row])


def test_a_row_of_one_to_n_values_has_one_shingle_and_an_empty_row_none():
    shingles, offsets = shingle_rows(*oracle.flat([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]), 3)
    assert np.diff(offsets).tolist() == [0, 1, 1, 1, 2]
    assert len(set(shingles.tolist())) == 4  # only [1, 2, 3] occurs twice


def test_order_and_length_of_a_shingle_matter():
    rows = [[1, 2], [2, 1], [1], [0, 1], [1, 0], [0]]
    assert len(set(shingle_rows(*oracle.flat(rows), 3)[0].tolist())) == len(rows)


@pytest.mark.parametrize("rows", [[], [[]], [[7]]], ids=["no_row", "empty_row", "one_value"])
def test_small_inputs_have_the_right_shape_and_types(rows):
    for values, offsets in (shingle_rows(*oracle.flat(rows), 3), unique_rows(*oracle.flat(rows))):
        assert (values.dtype, offsets.dtype, offsets.shape) == (np.uint64, np.int64, (len(rows) + 1,))
    hashes = row_hashes(*oracle.flat(rows))
    assert (hashes.dtype, hashes.shape) == (np.uint64, (len(rows),))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_shingles_do_not_depend_on_the_number_of_threads(threads):
    values, offsets = oracle.flat([[i * j % 11 for j in range(i % 9)] for i in range(60)])
    parts = map_blocks(lambda a, b: shingle_rows(values, offsets[a : b + 1], 3)[0], 60, threads, at_least=1)
    assert np.concatenate(parts).tolist() == shingle_rows(values, offsets, 3)[0].tolist()

"""Overlap: exact intersections of sorted rows, and what makes a value rare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.overlap import count_in_sources, count_values, overlap_pairs, rarity_weights, row_sums, subsequence_pairs
from dedup.threads import map_blocks
from tests import oracle

SETS = st.lists(st.sets(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=12).map(sorted), min_size=1, max_size=6)


@given(SETS)
def test_overlaps_are_their_twins(rows):
    values, offsets = oracle.flat(rows)
    weights = {value: (value % 5 + 1) / 8 for value in values.tolist()}  # sums of eighths are exact
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    left, right = np.array(pairs, np.int64).T
    array = np.array([weights[value] for value in values.tolist()], np.float32)
    shared, shared_weight = overlap_pairs(values, offsets, array, left, right)
    assert list(zip(shared.tolist(), shared_weight.tolist(), strict=True)) == oracle.overlap_pairs(rows, weights, pairs)


@given(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=60))
def test_counts_are_their_twins(values):
    counters = np.zeros(16, np.uint8)
    count_values(np.array(values, np.uint64), counters)
    assert counters.tolist() == oracle.count_values(values, 16)


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 9))
def test_rarity_weights_are_their_twins(values, common):
    counters = oracle.count_values(values, 64)
    weights = rarity_weights(np.array(values, np.uint64), np.array(counters, np.uint8), common)
    assert weights.dtype == np.float32
    assert weights.tolist() == np.array(oracle.rarity_weights(values, counters, common), np.float32).tolist()


@given(st.lists(st.lists(st.integers(0, 64).map(lambda eighths: eighths / 8), max_size=8), max_size=5))
def test_row_sums_are_their_twins(rows):
    sums = row_sums(*oracle.flat(rows, np.float32))
    assert sums.dtype == np.float64
    assert sums.tolist() == oracle.row_sums(rows)


def test_a_count_is_never_below_the_true_one():
    values = np.arange(1000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    counters = np.zeros(64, np.uint8)
    count_values(np.concatenate([values, values[:10]]), counters)
    assert counters.sum() == 1010
    assert all(counters[int(value) % 64] >= 2 for value in values[:10])


@pytest.mark.parametrize("rows", [[[]], [[7]]], ids=["empty_row", "one_value"])
def test_small_inputs_have_the_right_shape_and_types(rows):
    values, offsets = oracle.flat(rows)
    weights = np.ones(len(values), np.float32)
    for pairs in (np.empty(0, np.int64), np.zeros(1, np.int64)):
        shared, shared_weight = overlap_pairs(values, offsets, weights, pairs, pairs)
        assert (shared.dtype, shared_weight.dtype) == (np.int64, np.float64)
        assert shared.tolist() == [len(rows[0])] * len(pairs)
    assert rarity_weights(np.empty(0, np.uint64), np.zeros(4, np.uint8), 1).tolist() == []
    assert row_sums(np.empty(0, np.float32), np.zeros(1, np.int64)).tolist() == []


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_overlaps_do_not_depend_on_the_number_of_threads(threads):
    values, offsets = oracle.flat([sorted({i * j % 31 for j in range(1, 9)}) for i in range(20)])
    left, right = np.triu_indices(20, 1)
    weights = np.linspace(0, 1, len(values)).astype(np.float32)
    whole = overlap_pairs(values, offsets, weights, left, right)
    parts = map_blocks(lambda a, b: overlap_pairs(values, offsets, weights, left[a:b], right[a:b]), len(left), threads, at_least=1)
    for i in range(2):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=2, max_size=5))
def test_what_only_leaves_values_out_is_its_twin(rows):
    values, offsets = oracle.flat(rows)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    found = subsequence_pairs(values, offsets, left, right)
    assert found.dtype == np.bool_
    assert found.tolist() == oracle.subsequence_pairs(rows, pairs)


@given(st.lists(st.tuples(st.integers(0, 2), st.sets(st.integers(0, 40), max_size=6)), max_size=9))
def test_counts_within_sources_are_their_twins(documents):
    rows = [sorted(values) for _, values in documents]
    values, offsets = oracle.flat(rows)
    sources = np.array([source for source, _ in documents], np.int64)
    order = np.argsort(sources, kind="stable")
    ends = np.cumsum([np.count_nonzero(sources == source) for source in range(3)])
    counters, within = np.zeros(16, np.uint8), np.zeros(16, np.uint8)
    count_in_sources(values, offsets, order, ends, counters, within)
    of_source = [[row for row, (own, _) in enumerate(documents) if own == source] for source in range(3)]
    assert counters.tolist() == oracle.count_in_sources(rows, of_source, 16)
    assert not within.any()

"""Neighbours in a time window: the most similar, ties to the later row, undated rows compared with all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from dedup.arrays.threads import map_blocks
from dedup.kernels.stories.similarity import Limits, Sparse, Timeline, window_neighbours
from tests import oracle

COLUMNS = 6
#: Eighths: products and sums are exact in float32, so that equal similarities are equal.
VECTOR = st.dictionaries(st.integers(0, COLUMNS - 1), st.integers(1, 8).map(lambda eighths: eighths / 8), max_size=4)


@st.composite
def timelines(draw):
    rows = draw(st.lists(VECTOR, min_size=1, max_size=12))
    undated = draw(st.integers(0, len(rows)))
    days = sorted(draw(st.lists(st.integers(0, 12).map(float), min_size=len(rows) - undated, max_size=len(rows) - undated)))
    return rows, [math.nan] * undated + days


def prepared(rows, times, window, headline):
    """The matrix by rows and by columns, and its timeline."""
    offsets = np.cumsum([0, *map(len, rows)])
    indices = [column for row in rows for column in sorted(row)]
    data = [row[column] for row in rows for column in sorted(row)]
    matrix = sparse.csr_matrix((np.array(data, np.float32), np.array(indices, np.int32), offsets), shape=(len(rows), COLUMNS))
    by_column = matrix.tocsc()
    days = np.array(times, np.float64)
    undated = int(np.isnan(days).sum())
    starts = undated + np.searchsorted(days[undated:], days - window)
    sides = (Sparse(side.indptr, side.indices, side.data) for side in (matrix, by_column))
    return *sides, Timeline(days, headline, starts, undated)


def neighbours(rows, times, window, decay, least, most, headline=None, headline_least=9.0, reach=1000):
    headline = np.zeros(len(rows), bool) if headline is None else np.array(headline)
    limits = Limits(np.array([least, headline_least], np.float32), most, reach)
    return window_neighbours(*prepared(rows, times, window, headline), decay, limits, 0, len(rows))


@given(timelines(), st.sampled_from([0.0, 2.0, 5.0]), st.sampled_from([1.5, 3.0]), st.sampled_from([0.1, 0.3, 0.7]), st.integers(1, 4))
def test_neighbours_match_the_reference(timeline, window, decay, floor, most):
    rows, times = timeline
    near_floor = oracle.window_neighbours(rows, times, window, decay, floor - 1e-5, len(rows))
    assume(all(abs(score - floor) > 1e-5 for score in near_floor.values()))
    left, right, similarity = neighbours(rows, times, window, decay, floor, most)
    assert (left.dtype, right.dtype, similarity.dtype) == (np.int32, np.int32, np.float32)
    expected = oracle.window_neighbours(rows, times, window, decay, floor, most)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == list(expected)
    assert similarity.tolist() == pytest.approx(list(expected.values()), rel=1e-6)


def test_two_headlines_have_their_own_least_similarity():
    rows = [{0: 0.5}, {0: 0.5}, {0: 0.5}]
    left, right, _ = neighbours(rows, [0.0] * 3, 1.0, 3.0, 0.3, 9, [True, False, True], 0.2)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(2, 0)]


def test_ties_keep_the_later_row():
    rows = [{0: 1.0}] * 5
    left, right, _ = neighbours(rows, [0.0] * 5, 1.0, 3.0, 0.5, 2)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2), (4, 2), (4, 3)]


@given(timelines(), st.integers(1, 12))
def test_reach_bounds_postings_and_prefers_rare_columns(timeline, reach):
    rows, times = timeline
    left, right, similarity = neighbours(rows, times, 5.0, 3.0, 1e-6, 99, reach=reach)
    expected = oracle.window_neighbours(rows, times, 5.0, 3.0, 1e-6, 99, reach)
    assert dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True)) == pytest.approx(expected, rel=1e-6)


def test_dense_rows_meet_the_nearest_and_those_that_share_rare_columns():
    rows = [{0: 0.5, 1: 0.5}] + [{0: 1.0}] * 50 + [{0: 0.5, 1: 0.5}]
    for times in ([0.0] * 52, [math.nan] * 52, [math.nan] * 26 + [0.0] * 26):
        left, right, _ = neighbours(rows, times, 5.0, 3.0, 0.1, 99, reach=11)
        assert right[left == 51].tolist() == [0, *range(41, 51)]


def test_similarity_decays_as_a_gaussian_of_days():
    _, _, similarity = neighbours([{0: 1.0}, {0: 1.0}], [0.0, 3.0], 5.0, 3.0, 0.1, 9)
    assert similarity.tolist() == pytest.approx([math.exp(-0.5)])


def test_undated_row_is_compared_with_all_without_decay():
    left, right, similarity = neighbours([{0: 1.0}] * 3, [math.nan, 0.0, 900.0], 5.0, 3.0, 0.1, 9)
    assert list(zip(left.tolist(), right.tolist(), similarity.tolist(), strict=True)) == [(1, 0, 1.0), (2, 0, 1.0)]


def test_rows_outside_the_window_are_never_compared():
    left, _, _ = neighbours([{0: 1.0}] * 3, [0.0, 5.1, 10.3], 5.0, 100.0, 0.01, 9)
    assert left.tolist() == []


@pytest.mark.parametrize("rows", [[], [{}], [{0: 1.0}]], ids=["no_row", "empty_row", "one_row"])
def test_small_inputs_give_the_right_types(rows):
    left, right, similarity = neighbours(rows, [0.0] * len(rows), 5.0, 3.0, 0.1, 4)
    assert (left.dtype, right.dtype, similarity.dtype) == (np.int32, np.int32, np.float32)
    assert len(left) == len(right) == len(similarity) == 0


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_neighbours_do_not_depend_on_threads(threads):
    rows = [{i % COLUMNS: 0.5, i * i % COLUMNS: 0.75, i // 7 % COLUMNS: 0.625} for i in range(60)]
    times = [math.nan] * 5 + [i / 4 for i in range(55)]
    arrays = *prepared(rows, times, 3.0, np.zeros(60, bool)), 2.0, Limits(np.array([0.2, 9], np.float32), 4, 40)
    whole = window_neighbours(*arrays, 0, 60)
    parts = map_blocks(lambda a, b: window_neighbours(*arrays, a, b), 60, threads, at_least=1)
    for i in range(3):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()

"""Overlap: exact intersections of sorted rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.copies.overlap import overlap_pairs, subsequence_pairs
from tests import oracle

SETS = st.lists(st.sets(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=12).map(sorted), min_size=1, max_size=6)
MANY = [sorted({i * j % 31 for j in range(1, 9)}) for i in range(20)]


def every_pair(rows):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    return pairs, *np.array(pairs, np.int64).T


@given(SETS)
def test_overlaps_match_the_reference(rows):
    pairs, left, right = every_pair(rows)
    shared = overlap_pairs(*oracle.flat(rows), left, right)
    assert shared.dtype == np.int64
    assert shared.tolist() == oracle.overlap_pairs(rows, pairs)


@pytest.mark.parametrize("rows", [[[]], [[7]]], ids=["empty_row", "one_value"])
def test_small_inputs_have_the_right_shape_and_types(rows):
    for pairs in (np.empty(0, np.int64), np.zeros(1, np.int64)):
        shared = overlap_pairs(*oracle.flat(rows), pairs, pairs)
        assert (shared.dtype, shared.tolist()) == (np.int64, [len(rows[0])] * len(pairs))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_overlaps_do_not_depend_on_the_number_of_threads(threads):
    rows = oracle.flat(MANY)
    left, right = np.triu_indices(20, 1)
    parts = map_blocks(lambda a, b: overlap_pairs(*rows, left[a:b], right[a:b]), len(left), threads, at_least=1)
    assert np.concatenate(parts).tolist() == overlap_pairs(*rows, left, right).tolist()


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=2, max_size=5))
def test_subsequences_match_the_reference(rows):
    pairs, left, right = every_pair(rows)
    found = subsequence_pairs(*oracle.flat(rows), left, right)
    assert found.dtype == np.bool_
    assert found.tolist() == oracle.subsequence_pairs(rows, pairs)

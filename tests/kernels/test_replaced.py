"""Replaced facts: how much of a form is filled in anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.replaced import count_replaced, replaced_facts
from dedup.threads import map_blocks
from tests import oracle

#: Small and multiplied, so that a term is a fact or not wherever it stands: odd ones are.
TERMS = st.lists(st.integers(0, 12), max_size=25)


def facts(row):
    return [value % 2 == 1 for value in row]


def as_arrays(row):
    return np.array(row, np.uint64), np.array(facts(row), bool)


@given(TERMS, TERMS)
def test_counts_are_their_twins(a, b):
    assert count_replaced(*as_arrays(a), *as_arrays(b)) == oracle.count_replaced(a, facts(a), b, facts(b))


@given(st.lists(TERMS, min_size=2, max_size=4))
def test_a_pair_is_counted_from_its_shorter_side(rows):
    values, offsets = oracle.flat(rows)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows)) if i != j]
    left, right = np.array(pairs, np.int64).T
    counts, densities = replaced_facts(values, offsets, values % np.uint64(2) == 1, left, right)
    assert (counts.dtype, densities.dtype) == (np.int64, np.float64)
    expected = oracle.replaced_facts(rows, [facts(row) for row in rows], pairs)
    assert list(zip(counts.tolist(), densities.tolist(), strict=True)) == expected


def test_another_number_in_the_same_place_is_replaced():
    assert count_replaced(*as_arrays([2, 4, 1, 6, 8]), *as_arrays([2, 4, 3, 6, 8])) == 1


def test_a_text_replaces_nothing_of_itself():
    assert count_replaced(*as_arrays([2, 4, 1, 6]), *as_arrays([2, 4, 1, 6])) == 0


def test_a_missing_number_is_not_replaced():
    assert count_replaced(*as_arrays([2, 4, 1, 6, 8]), *as_arrays([2, 4, 6, 8])) == 0


@pytest.mark.parametrize("rows", [[[]], [[1]]], ids=["empty_row", "one_term"])
def test_small_inputs_have_the_right_types(rows):
    values, offsets = oracle.flat(rows)
    flags = np.ones(len(values), bool)
    for pairs in (np.empty(0, np.int64), np.zeros(1, np.int64)):
        counts, densities = replaced_facts(values, offsets, flags, pairs, pairs)
        assert (counts.dtype, densities.dtype, counts.tolist()) == (np.int64, np.float64, [0] * len(pairs))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_counts_do_not_depend_on_the_number_of_threads(threads):
    values, offsets = oracle.flat([[i * j % 13 for j in range(20)] for i in range(12)])
    flags = values % np.uint64(2) == 1
    left, right = np.triu_indices(12, 1)
    whole = replaced_facts(values, offsets, flags, left, right)
    parts = map_blocks(lambda a, b: replaced_facts(values, offsets, flags, left[a:b], right[a:b]), len(left), threads, at_least=1)
    for i in range(2):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()

"""Pairs of rows: overlap from counts, and the excerpt of a pair by number and by name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.copies.pairs import LEFT, NEITHER, RIGHT, contained_names, contained_numbers, contained_of_document, measure_overlap, overlap
from tests import oracle

NAMES = st.lists(st.sampled_from([None, "a", "b"]), max_size=9)


@given(st.lists(st.tuples(*[st.sets(st.integers(0, 9), max_size=9)] * 2), min_size=1, max_size=5))
def test_overlap_is_set_arithmetic(pairs):
    rows = oracle.flat([sorted(row) for pair in pairs for row in pair])
    left = np.arange(0, 2 * len(pairs), 2)
    measured = measure_overlap(rows, left, left + 1)
    for place, (a, b) in enumerate(pairs):
        assert measured.jaccard[place] == (len(a & b) / len(a | b) if a | b else 0)
        assert measured.containment[place] == (len(a & b) / min(len(a), len(b)) if a and b else 0)
        assert measured.left_is_smaller[place] == (len(a) <= len(b))


def test_disjoint_and_empty_sets_have_no_overlap():
    jaccard, containment, left_is_smaller = overlap(np.array([0, 0]), np.array([0, 3]), np.array([0, 2]))
    assert (jaccard.tolist(), containment.tolist(), left_is_smaller.tolist()) == ([0, 0], [0, 0], [True, False])


@given(NAMES, st.integers(0, 9))
def test_contained_numbers_and_names_convert_both_ways(names, cut):
    whole = pa.array(names, pa.string())
    for column in (whole, pa.chunked_array([whole[:cut], whole[cut:]])):
        numbers = contained_numbers(column)
        assert numbers.dtype == np.uint8
        assert contained_names(numbers).to_pylist() == names


def test_the_left_document_of_a_pair_is_a():
    assert contained_names(np.array([NEITHER, LEFT, RIGHT], np.uint8)).to_pylist() == [None, "a", "b"]


@pytest.mark.parametrize(("number", "name"), [(NEITHER, None), (LEFT, "match"), (RIGHT, "this")])
def test_a_document_is_the_right_side_of_its_match(number, name):
    assert contained_of_document(number) == name

"""Shingles that an outlet repeats among the neighbours of a document weigh less."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.index import local_weights
from dedup.kernels.index.local_weights import Neighbourhood, local_distinct_containment
from tests import oracle, oracle_index

rows_of_values = st.lists(st.sets(st.integers(1, 12), max_size=8).map(sorted), min_size=2, max_size=7)


@given(rows_of_values, st.data())
def test_local_distinct_containment_equals_the_reference_implementation(rows, data):
    values, offsets = oracle.flat(rows, np.uint64)
    first = data.draw(st.integers(1, len(rows) - 1))
    sources = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=len(rows), max_size=len(rows))), np.int64)
    around = [sorted(data.draw(st.sets(st.integers(0, row - 1)))) for row in range(first, len(rows))]
    members, bounds = oracle.flat(around, np.int64)
    pairs = [(other, row) for row, others in enumerate(around, first) for other in others]
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    arguments = (values, offsets, left, right, Neighbourhood(members, bounds, first, sources), 3, 2)
    assert np.allclose(local_distinct_containment(*arguments), oracle_index.local_distinct_containment(*arguments))


def test_a_template_weighs_little_only_among_siblings_of_its_own_outlet():
    form = list(range(1, 9))
    rows = [[*form, 100 + number] for number in range(6)]
    values, offsets = oracle.flat(rows, np.uint64)
    left, right, members, bounds = np.array([0]), np.array([5]), np.arange(5), np.array([0, 5])
    alike, apart = (
        local_distinct_containment(values, offsets, left, right, Neighbourhood(members, bounds, 5, sources), 10, 2)[0]
        for sources in (np.zeros(6, np.int64), np.arange(6))
    )
    assert (round(alike, 3), round(apart, 3)) == (round(8 / 3 / (8 / 3 + 1), 3), round(8 / 9, 3))


@given(st.sets(st.integers(0, 9)).map(sorted), st.sets(st.integers(0, 9)).map(sorted))
def test_shared_values_are_counted_at_their_place_in_the_first_row(one, other):
    values = np.array([*one, *other], np.uint64)
    counts, expected = np.ones(len(one), np.int64), np.ones(len(one), np.int64)
    spans = (0, len(one), len(one), len(values))
    local_weights.count_shared(values, *spans, counts)
    oracle_index.count_shared(values, *spans, expected)
    assert counts.tolist() == expected.tolist()

"""Density of a neighbourhood: the mean of the largest similarities, absent ones counting 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.stories.similarity import neighbourhood_density
from tests import oracle

EDGES = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] > pair[1]),
    st.integers(1, 8).map(lambda eighths: eighths / 8),
)


def density(n, edges, most):
    left, right = (np.array([pair[side] for pair in edges], np.int64) for side in (0, 1))
    return neighbourhood_density(n, left, right, np.array(list(edges.values()), np.float32), most)


@given(EDGES, st.integers(1, 5))
def test_density_matches_the_reference(edges, most):
    assert density(8, edges, most).tolist() == pytest.approx(oracle.neighbourhood_density(8, edges, most))


def test_absent_neighbours_count_as_0():
    assert density(3, {(1, 0): 1.0, (2, 0): 0.5}, 10).tolist() == pytest.approx([0.15, 0.1, 0.05])


@pytest.mark.parametrize("n", [0, 2])
def test_nodes_without_edges_have_density_0(n):
    answer = density(n, {}, 3)
    assert answer.dtype == np.float64
    assert answer.tolist() == [0.0] * n

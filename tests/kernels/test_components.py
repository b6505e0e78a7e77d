"""Connected components: labels by the smallest node, whatever the order of edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.components import components
from tests import oracle

GRAPHS = st.integers(1, 25).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
)


def labels(n, edges):
    left, right = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    return components(n, left, right)


@given(GRAPHS)
def test_components_are_their_twins(graph):
    assert labels(*graph).tolist() == oracle.components(*graph)


@given(GRAPHS, st.randoms(use_true_random=False))
def test_the_order_and_the_direction_of_edges_do_not_matter(graph, random):
    n, edges = graph
    turned = [edge[::-1] for edge in edges]
    random.shuffle(turned)
    assert labels(n, turned).tolist() == labels(n, edges).tolist()


def test_a_long_chain_is_one_component():
    n = 100_000
    chain = np.arange(n - 1)
    assert not components(n, chain[::-1].copy(), chain[::-1] + 1).any()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_nodes_without_edges_stand_alone(n):
    answer = labels(n, [])
    assert answer.dtype == np.int64
    assert answer.tolist() == list(range(n))

"""Average linkage on sparse edges: the same clusters as on all pairs, ties to the earlier."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from dedup.kernels.linkage import average_linkage
from tests import oracle

#: Eighths: sums are exact, so that equal averages are equal.
GRAPHS = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.dictionaries(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] > pair[1]),
            st.integers(1, 8).map(lambda eighths: eighths / 8),
        ),
    )
)


def clusters(n, edges, cut):
    left, right = (np.array([pair[side] for pair in edges], np.int64) for side in (0, 1))
    return average_linkage(n, left, right, np.array(list(edges.values()), np.float64), cut)


@given(GRAPHS, st.sampled_from([0.25, 0.375, 0.5]))
def test_clusters_are_their_twins(graph, cut):
    assert clusters(*graph, cut).tolist() == oracle.average_linkage(*graph, cut)


@given(GRAPHS, st.randoms(use_true_random=False))
def test_the_order_and_the_direction_of_edges_do_not_matter(graph, random):
    n, edges = graph
    turned = [(pair[::-1], value) for pair, value in edges.items()]
    random.shuffle(turned)
    assert clusters(n, dict(turned), 0.3).tolist() == clusters(n, edges, 0.3).tolist()


def test_clusters_are_those_of_scipy_on_the_whole_matrix():
    random = np.random.default_rng(5)
    n = 120
    near = random.random((n, n)) * (random.random((n, n)) < 0.3)
    edges = {(i, j): float(near[i, j]) for i in range(n) for j in range(i) if near[i, j]}
    distance = np.array([1 - near[j, i] for i in range(n) for j in range(i + 1, n)])
    for cut in (0.1, 0.2, 0.4):
        expected = fcluster(linkage(distance, "average"), 1 - cut, "distance")
        first = {label: i for i, label in reversed(list(enumerate(expected)))}
        assert clusters(n, edges, cut).tolist() == [first[label] for label in expected]


def test_a_chain_is_no_cluster_but_its_pairs_are():
    n = 50_000
    answer = clusters(n, {(i + 1, i): 1.0 for i in range(n - 1)}, 0.6)
    assert answer.tolist() == [i - i % 2 for i in range(n)]


def test_a_large_clique_is_one_cluster():
    assert not clusters(150, {(i, j): 0.5 for i in range(150) for j in range(i)}, 0.5).any()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_nodes_without_edges_stand_alone(n):
    answer = clusters(n, {}, 0.5)
    assert answer.dtype == np.int64
    assert answer.tolist() == list(range(n))

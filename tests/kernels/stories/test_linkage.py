"""Average linkage on sparse edges: the same clusters as on all pairs, ties to the earlier clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from dedup.kernels.stories.linkage import average_linkage
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


def clusters(n, edges, threshold, times=None, window=1.0, least=1.0):
    left, right = (np.array([pair[side] for pair in edges], np.int64) for side in (0, 1))
    times = np.full(n, np.nan) if times is None else np.array(times, float)  # None becomes NaN
    return average_linkage(n, left, right, np.array(list(edges.values()), np.float64), times, window, least, threshold)


@given(GRAPHS, st.lists(st.none() | st.integers(0, 20), min_size=9, max_size=9), st.sampled_from([0.25, 0.5, 1.0]), st.data())
def test_clusters_match_the_reference(graph, times, least, data):
    n, edges = graph
    threshold, window = data.draw(st.sampled_from([0.25, 0.375, 0.5])), data.draw(st.integers(0, 20))
    edges = {pair: value for pair, value in edges.items() if None in (of := [times[i] for i in pair]) or abs(of[0] - of[1]) <= window}
    assert clusters(n, edges, threshold, times[:n], window, least).tolist() == oracle.average_linkage(
        n, edges, times[:n], window, least, threshold
    )


@given(GRAPHS, st.randoms(use_true_random=False))
def test_order_and_direction_of_edges_do_not_matter(graph, random):
    n, edges = graph
    turned = [(pair[::-1], value) for pair, value in edges.items()]
    random.shuffle(turned)
    assert clusters(n, dict(turned), 0.3).tolist() == clusters(n, edges, 0.3).tolist()


def test_clusters_match_scipy_on_the_full_matrix():
    random = np.random.default_rng(5)
    n = 120
    near = random.random((n, n)) * (random.random((n, n)) < 0.3)
    edges = {(i, j): float(near[i, j]) for i in range(n) for j in range(i) if near[i, j]}
    distance = np.array([1 - near[j, i] for i in range(n) for j in range(i + 1, n)])
    for threshold in (0.1, 0.2, 0.4):
        expected = fcluster(linkage(distance, "average"), 1 - threshold, "distance")
        first = {label: i for i, label in reversed(list(enumerate(expected)))}
        assert clusters(n, edges, threshold).tolist() == [first[label] for label in expected]


def test_chain_is_split_into_pairs():
    n = 50_000
    answer = clusters(n, {(i + 1, i): 1.0 for i in range(n - 1)}, 0.6)
    assert answer.tolist() == [i - i % 2 for i in range(n)]


def test_large_clique_is_one_cluster():
    assert not clusters(150, {(i, j): 0.5 for i in range(150) for j in range(i)}, 0.5).any()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_nodes_without_edges_stand_alone(n):
    answer = clusters(n, {}, 0.5)
    assert answer.dtype == np.int64
    assert answer.tolist() == list(range(n))


def test_story_longer_than_the_window_is_one_cluster():
    # One document a day for thirty days, each like those of the five days before and after it.
    days = list(range(30))
    edges = {(i, j): 0.5 for i in days for j in range(max(0, i - 5), i)}
    assert set(clusters(30, edges, 0.4, days, 5, 0.01).tolist()) == {0}
    assert len(set(clusters(30, edges, 0.4).tolist())) > 3


def test_single_pair_within_the_window_does_not_join_two_long_stories():
    days = [0, 1, 2, 3, 4, 5.5, 7, 8, 9, 10]
    edges = {(i, j): 1.0 for side in (range(5), range(5, 10)) for i in side for j in side if j < i}
    edges[5, 4] = 0.9
    assert len(set(clusters(10, edges, 0.4, days, 1.5, 0.25).tolist())) == 2
    assert len(set(clusters(10, edges, 0.4, days, 1.5, 0.01).tolist())) == 1

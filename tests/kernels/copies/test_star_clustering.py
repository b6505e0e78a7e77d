"""Star clustering: no node is tied to its centre by a chain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.star_clustering import linked, star_groups
from tests import oracle


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 14))
    edges = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]), unique=True, max_size=40))
    return edges, draw(st.permutations(range(n)))


def neighbour_rows(edges, n):
    return oracle.flat([sorted({b for a, b in edges if a == i} | {a for a, b in edges if b == i}) for i in range(n)], np.int64)


def centres(edges, ranks, most_checks=2000):
    neighbours, offsets = neighbour_rows(edges, len(ranks))
    left, right = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    return star_groups(left, right, np.array(ranks, np.int64), offsets, neighbours, most_checks)


@given(graphs(), st.sampled_from([1, 2, 2000]))
def test_stars_match_the_reference(graph, most_checks):
    assert centres(*graph, most_checks).tolist() == oracle.star_groups(*graph, most_checks)


@given(graphs())
def test_every_member_is_linked_to_its_centre_which_outranks_it(graph):
    edges, ranks = graph
    for node, centre in enumerate(centres(edges, ranks).tolist()):
        assert centre == node or ((min(node, centre), max(node, centre)) in edges and ranks[centre] < ranks[node])


@given(graphs())
def test_linked_finds_every_edge(graph):
    edges, ranks = graph
    neighbours, offsets = neighbour_rows(edges, len(ranks))
    for a in range(len(ranks)):
        for b in range(len(ranks)):
            assert bool(linked(offsets, neighbours, a, b)) == ((min(a, b), max(a, b)) in edges)


def test_the_ends_of_a_chain_stay_separate():
    assert centres([(0, 1), (1, 2)], [0, 1, 2]).tolist() == [0, 0, 2]


@pytest.mark.parametrize("n", [0, 1])
def test_nodes_without_edges_are_their_own_centres(n):
    answer = centres([], list(range(n)))
    assert answer.dtype == np.int64
    assert answer.tolist() == list(range(n))


def refused_merges_and_a_good_one(size, good):
    """A better centre that misses one member of a group of ``size``, then one that is linked to all of a group of ``good``."""
    better, centre, members = 0, 1, range(2, size + 1)
    extra, good_better, good_centre = size + 1, size + 2, size + 3
    good_members = range(size + 4, size + 3 + good)
    edges = [(centre, member) for member in members] + [(good_centre, member) for member in good_members]
    edges += [(better, member) for member in members] + [(better, extra)]
    edges += [(good_better, member) for member in (good_centre, *good_members)]
    return edges, list(range(size + 3 + good)), good_better, good_centre


@pytest.mark.parametrize(("size", "is_merged"), [(10, True), (80, False)])
def test_look_ups_for_large_groups_end_at_32_an_edge(size, is_merged):
    edges, ranks, better, centre = refused_merges_and_a_good_one(size, good=20)
    # Each of the ``size - 1`` edges to the first group looks up all its members in vain.
    assert ((size - 1) * size + 20 <= 32 * len(edges)) == is_merged
    assert centres(edges, ranks, most_checks=2)[centre] == (better if is_merged else centre)

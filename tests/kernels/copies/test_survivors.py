"""The choice of survivors equals a plain reference, and ties do not depend on the order of edges."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.survivors import Edges, choose_survivors, find_collections, judge_each
from tests import oracle

CONTAINED, MOST_OWN = 0.62, 200
SHARES = st.sampled_from([0.1, 0.61, 0.62, 0.8, 0.9, 1.0])


@st.composite
def graphs(draw):
    """Order of the new documents, edges of pairs, sizes, and the base."""
    n = draw(st.integers(1, 12))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.dictionaries(st.sampled_from(pairs), st.tuples(SHARES, SHARES, st.booleans()), max_size=40)) if pairs else {}
    sizes = draw(st.lists(st.sampled_from([0, 30, 400, 600, 1000]), min_size=n, max_size=n))
    base = []
    for row in range(draw(st.integers(0, n))):
        other = draw(st.integers(0, row))
        if base and other < row and base[other][0] == other:
            base.append(draw(st.sampled_from([(other, -1, base[other][2]), (row, other, base[other][2])])))
        else:
            base.append((row, -1, row))
    return draw(st.permutations(range(len(base), n))), edges, sizes, base


def edges_of(pairs, n, order):
    """Edges under both ends, those of a document in any order."""
    listed = [[] for _ in range(n)]
    for (left, right), (share_left, share_right, title) in pairs.items():
        listed[left].append((right, share_left, share_right, title))
        listed[right].append((left, share_right, share_left, title))
    for row in listed:
        order.shuffle(row)
    flat = [edge for row in listed for edge in row]
    columns = [np.array([edge[i] for edge in flat], dtype) for i, dtype in enumerate((np.int64, float, float, bool))]
    return Edges(np.cumsum([0, *map(len, listed)], dtype=np.int64), *columns)


def run(graph, random):
    order, pairs, sizes, base = graph
    canonical, extends, family = (np.full(len(sizes), -1, np.int64) for _ in range(3))
    for rows, i in ((canonical, 0), (extends, 1), (family, 2)):
        rows[: len(base)] = [row[i] for row in base]
    edges = edges_of(pairs, len(sizes), random)
    choose_survivors(np.array(order, np.int64), edges, np.array(sizes, np.int64), canonical, extends, family, CONTAINED, float(MOST_OWN))
    return list(zip(canonical.tolist(), extends.tolist(), family.tolist(), strict=True))


@given(graphs(), st.randoms(use_true_random=False))
def test_survivors_match_the_reference(graph, random):
    assert run(graph, random) == oracle.choose_survivors(*graph, CONTAINED, MOST_OWN)


@given(graphs(), st.randoms(use_true_random=False))
def test_decided_documents_keep_what_they_have(graph, random):
    base = graph[3]
    assert run(graph, random)[: len(base)] == base


class Ascending:
    """Leaves lists as they are."""

    def shuffle(self, row):
        row.sort()


@given(graphs(), st.integers(1, 3))
def test_collections_match_the_reference(graph, least):
    _, pairs, sizes, _ = graph
    found = find_collections(edges_of(pairs, len(sizes), Ascending()), np.array(sizes, np.int64), CONTAINED, least)
    assert found.tolist() == oracle.find_collections(len(sizes), pairs, sizes, CONTAINED, least)


@given(st.data())
def test_judging_one_by_one_matches_the_reference(data):
    sizes = data.draw(st.lists(st.sampled_from([0, 30, 400, 600]), min_size=1, max_size=6))
    own = data.draw(st.lists(st.sampled_from([30, 600, 1000]), max_size=4))
    others = st.lists(st.tuples(st.integers(0, len(sizes) - 1), SHARES, SHARES, st.booleans()), max_size=5, unique_by=lambda edge: edge[0])
    rows = [data.draw(others) for _ in own]
    flat = [edge for row in rows for edge in row]
    columns = [np.array([edge[i] for edge in flat], dtype) for i, dtype in enumerate((np.int64, float, float, bool))]
    edges = Edges(np.cumsum([0, *map(len, rows)], dtype=np.int64), *columns)
    numbers = np.arange(len(sizes) + len(own))
    every = np.array([*sizes, *own], np.int64)
    found = judge_each(numbers[len(sizes) :], edges, every, numbers, numbers, CONTAINED, float(MOST_OWN))
    named = [tuple(None if edge < 0 else flat[edge][0] for edge in pair) for pair in zip(*(part.tolist() for part in found), strict=True)]
    assert named == oracle.judge_each(rows, sizes, own, CONTAINED, MOST_OWN)

"""A document that comes to an index is judged by the rule of a batch run."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import CopyConfig
from dedup.copies.pairs import EXCERPT, NEAR, TITLE, Matches
from dedup.copies.survivors import choose, judge_new
from dedup.kernels.copies.survivors import Edges, judge_each
from tests import oracle_index

CONFIG = CopyConfig()


def matches_of(facts, left, right):
    kind, share_left, share_right = (np.array([fact[i] for fact in facts]) for i in range(3))
    return Matches(np.array(left, np.int64), np.array(right, np.int64), kind.astype(np.uint8), share_left / 2, share_left, share_right)


def unrelated(left, right):
    return np.zeros(len(left), bool)


FACTS = st.tuples(st.sampled_from([NEAR, EXCERPT, TITLE]), st.sampled_from([0.3, 0.62, 0.8, 1.0]), st.sampled_from([0.5, 0.62, 0.9, 1.0]))


@given(st.lists(st.tuples(FACTS, st.integers(20, 900)), min_size=1, max_size=6), st.integers(20, 900))
def test_the_verdict_on_one_more_document_is_that_of_a_run_over_all(known, size):
    n = len(known)
    matches = matches_of([fact for fact, _ in known], range(n), [n] * n)
    sizes = np.array([*(size for _, size in known), size], np.int64)
    survivors, _ = choose(matches, np.arange(n + 1), sizes, lambda left, right: Matches.none(), CONFIG)
    copied, extended = (int(places[0]) for places in judge_new(matches, np.array([n]), sizes, CONFIG, unrelated))
    assert survivors.canonical[n] == (n if copied < 0 else matches.left[copied])
    assert survivors.extends[n] == (matches.left[extended] if copied < 0 <= extended else -1)


def test_documents_are_judged_each_by_its_own_matches():
    matches = matches_of([(NEAR, 0.9, 0.9), (EXCERPT, 1.0, 0.2), (EXCERPT, 0.9, 0.3)], [0, 0, 1], [2, 3, 3])
    copied, extended = judge_new(matches, np.array([2, 3, 4]), np.array([100, 150, 100, 500, 40]), CONFIG, unrelated)
    assert (copied.tolist(), extended.tolist()) == ([0, -1, -1], [0, 2, -1])


def test_a_collection_of_unrelated_documents_extends_none_of_them_and_one_of_related_documents_does():
    matches = matches_of([(EXCERPT, 1.0, 0.1)] * 4, [0, 1, 2, 3], [4] * 4)
    rows, sizes = np.array([4]), np.array([60, 50, 40, 30, 600])
    assert [places.tolist() for places in judge_new(matches, rows, sizes, CONFIG, unrelated)] == [[-1], [-1]]
    related = [places.tolist() for places in judge_new(matches, rows, sizes, CONFIG, lambda left, right: (left == 0) & (right == 1))]
    assert related == [[-1], [0]]


@given(st.lists(st.lists(st.tuples(FACTS, st.integers(0, 5)), max_size=6), min_size=1, max_size=4), st.data())
def test_the_kernel_matches_the_reference(listed, data):
    flat = [(*fact, other) for edges in listed for fact, other in edges]
    offsets = np.cumsum([0, *map(len, listed)])
    share, share_of_other = (np.array([edge[i] for edge in flat], float) for i in (1, 2))
    edges = Edges(
        offsets, np.array([edge[3] for edge in flat], np.int64), share, share_of_other, np.array([e[0] == TITLE for e in flat], bool)
    )
    n = 6 + len(listed)
    sizes = np.array(data.draw(st.lists(st.sampled_from([30, 90, 400, 900]), min_size=n, max_size=n)), np.int64)
    canonical = np.array([row if data.draw(st.booleans()) else 0 for row in range(6)] + [-1] * len(listed), np.int64)
    decided = np.array(data.draw(st.permutations(range(n))), np.int64)
    rows = np.arange(6, n)
    found, expected = (judged(rows, edges, sizes, canonical, decided, 0.62, 200.0) for judged in (judge_each, oracle_index.judge_each))
    for one, other in zip(found, expected, strict=True):
        # Several edges may lead to one document.
        assert np.array_equal(one < 0, other < 0) and np.array_equal(edges.other[one[one >= 0]], edges.other[other[other >= 0]])

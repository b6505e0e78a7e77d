"""Groups: every copy has a match with its canonical, whatever the graph."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.copies.grouping import group
from dedup.copies.pairs import EXCERPT, NEAR, NEITHER, PARTIAL, TITLE, Matches


def matches_of(edges):
    """Matches from ``{(left, right): (kind, jaccard, containment)}``, in the order given."""
    left, right = (np.array([pair[side] for pair in edges], np.int64) for side in (0, 1))
    kind, jaccard, containment = (np.array([facts[i] for facts in edges.values()], kind) for i, kind in enumerate((np.uint8, float, float)))
    return Matches(left, right, kind, jaccard, containment, np.full(len(left), NEITHER, np.uint8))


def grouped(edges, ranks, hidden=None, fixed=None):
    """Group by the known edges; ``verify`` finds the hidden ones."""
    hidden = hidden or {}
    asked = []

    def verify(left, right):
        pairs = list(zip(left.tolist(), right.tolist(), strict=True))
        asked.extend(pairs)
        assert all(a < b for a, b in pairs)
        return matches_of({pair: hidden[pair] for pair in pairs if pair in hidden})

    fixed = None if fixed is None else np.array(fixed, np.int64)
    canonical, matches = group(matches_of(edges), np.array(ranks, np.int64), verify, fixed)
    assert canonical.dtype == np.int64
    assert len(asked) == len(set(asked))
    known = dict(zip(zip(matches.left.tolist(), matches.right.tolist(), strict=True), matches.kind.tolist(), strict=True))
    return canonical.tolist(), known


FACTS = st.tuples(st.sampled_from([NEAR, EXCERPT, TITLE, PARTIAL]), st.sampled_from([0.3, 0.6, 0.9]), st.sampled_from([0.6, 0.9]))


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.dictionaries(st.sampled_from(pairs), FACTS, max_size=40)) if pairs else {}
    hidden = {pair for pair in edges if draw(st.integers(0, 3)) == 0}
    known = {pair: facts for pair, facts in edges.items() if pair not in hidden}
    return known, {pair: edges[pair] for pair in hidden}, draw(st.permutations(range(n)))


@given(graphs())
def test_every_copy_has_a_match_with_its_canonical_which_outranks_it(graph):
    known, hidden, ranks = graph
    canonical, matches = grouped(known, ranks, hidden)
    for row, target in enumerate(canonical):
        assert canonical[target] == target
        if target != row:
            assert matches[min(row, target), max(row, target)] != PARTIAL
            assert ranks[target] < ranks[row]


@given(graphs())
def test_all_matches_are_kept_and_only_verified_matches_are_added(graph):
    known, hidden, ranks = graph
    _, matches = grouped(known, ranks, hidden)
    assert known.keys() <= matches.keys() <= known.keys() | hidden.keys()


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_matches_does_not_matter(graph, random):
    known, hidden, ranks = graph
    shuffled = list(known.items())
    random.shuffle(shuffled)
    assert grouped(dict(shuffled), ranks, hidden) == grouped(known, ranks, hidden)


@given(graphs())
def test_the_numbering_of_rows_does_not_matter(graph):
    known, hidden, ranks = graph
    last = len(ranks) - 1
    canonical, _ = grouped(known, ranks, hidden)
    turned = [{(last - b, last - a): facts for (a, b), facts in edges.items()} for edges in (known, hidden)]
    mirrored, _ = grouped(turned[0], ranks[::-1], turned[1])
    assert [last - target for target in mirrored[::-1]] == canonical


@st.composite
def later_graphs(draw):
    """A graph whose first documents are fixed, ranked as canonicals, their copies, new documents."""
    known, hidden, _ = draw(graphs())
    n = max((max(pair) for pair in [*known, *hidden]), default=0) + 1
    n_fixed = draw(st.integers(0, n))
    canonicals = [row for row in range(n_fixed) if row == 0 or draw(st.booleans())]
    fixed = [row if row in canonicals else draw(st.sampled_from(canonicals)) for row in range(n_fixed)]
    order = [*canonicals, *(row for row in range(n_fixed) if row not in canonicals), *draw(st.permutations(range(n_fixed, n)))]
    edges = [{pair: facts for pair, facts in part.items() if pair[1] >= n_fixed} for part in (known, hidden)]
    return *edges, np.argsort(order).tolist(), fixed


@given(later_graphs())
def test_fixed_documents_keep_their_canonical_and_are_not_compared_again(graph):
    known, hidden, ranks, fixed = graph
    canonical, matches = grouped(known, ranks, hidden, fixed)
    assert canonical[: len(fixed)] == fixed
    assert all(right >= len(fixed) for _, right in matches)


@given(later_graphs())
def test_a_new_copy_has_a_match_with_its_canonical(graph):
    known, hidden, ranks, fixed = graph
    canonical, matches = grouped(known, ranks, hidden, fixed)
    for row in range(len(fixed), len(canonical)):
        target = canonical[row]
        assert canonical[target] == target
        if target != row:
            assert matches[min(row, target), max(row, target)] != PARTIAL
            assert ranks[target] < ranks[row]


def test_a_new_document_that_matches_an_old_copy_is_compared_with_its_canonical():
    edges = {(1, 2): (NEAR, 0.6, 0.8)}
    assert grouped(edges, [0, 1, 2], {(0, 2): (NEAR, 0.6, 0.7)}, fixed=[0, 0])[0] == [0, 0, 0]
    assert grouped(edges, [0, 1, 2], {}, fixed=[0, 0])[0] == [0, 0, 2]


def test_a_new_document_joins_its_best_old_canonical_and_merges_no_old_groups():
    edges = {(0, 2): (EXCERPT, 0.3, 0.9), (1, 2): (NEAR, 0.9, 0.9)}
    assert grouped(edges, [0, 1, 2], fixed=[0, 1])[0] == [0, 1, 1]


def test_a_partial_match_never_groups():
    assert grouped({(0, 1): (PARTIAL, 0.9, 0.99)}, [0, 1])[0] == [0, 1]


def test_the_ends_of_a_chain_are_compared_before_they_are_grouped():
    chain = {(0, 1): (NEAR, 0.6, 0.8), (1, 2): (NEAR, 0.6, 0.8)}
    assert grouped(chain, [0, 1, 2], {(0, 2): (NEAR, 0.6, 0.7)})[0] == [0, 0, 0]
    assert grouped(chain, [0, 1, 2], {(0, 2): (PARTIAL, 0.2, 0.4)})[0] == [0, 0, 2]
    assert grouped(chain, [0, 1, 2])[0] == [0, 0, 2]


def test_a_stronger_match_ties_first():
    edges = {(0, 2): (EXCERPT, 0.3, 0.9), (1, 2): (NEAR, 0.9, 0.9)}
    assert grouped(edges, [0, 1, 2])[0] == [0, 1, 1]


def test_documents_without_matches_are_their_own_canonicals():
    assert grouped({}, [2, 0, 1])[0] == [0, 1, 2]
    assert grouped({}, [])[0] == []


@pytest.mark.slow
def test_three_thousand_near_copies_are_one_group_in_seconds():
    n = 3000
    left, right = np.triu_indices(n, 1)
    ones = np.ones(len(left))
    kinds, neither = np.full(len(left), NEAR, np.uint8), np.full(len(left), NEITHER, np.uint8)
    clique = Matches(left, right, kinds, ones * 0.8, ones * 0.9, neither)
    ranks = np.random.default_rng(3).permutation(n)
    begin = time.perf_counter()
    canonical, _ = group(clique, ranks, lambda a, b: Matches.none())
    assert time.perf_counter() - begin < 30
    assert set(canonical.tolist()) == {int(np.argmin(ranks))}

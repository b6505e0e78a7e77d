"""Survivors: what is dropped stands in what is kept, and every tie is a verified match, whatever the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import CopyConfig
from dedup.copies.pairs import EXCERPT, NEAR, PARTIAL, TITLE, Matches
from dedup.copies.survivors import MOST_ASKED, MOST_OWN, NEARLY_ALL, ROUNDS, Survivors, choose

CONTAINED = CopyConfig().contained
NONE = -1


def matches_of(edges):
    """Matches from ``{(left, right): (kind, jaccard, share_left, share_right)}``, in the order given."""
    left, right = (np.array([pair[side] for pair in edges], np.int64) for side in (0, 1))
    kind, *measures = (np.array([facts[i] for facts in edges.values()], dtype) for i, dtype in enumerate((np.uint8, float, float, float)))
    return Matches(left, right, kind, *measures)


def survivors_of(rows):
    """Survivors from (canonical, extends, family, fuller) of each row."""
    return Survivors(*(np.array([row[i] for row in rows], np.int64) for i in range(4)))


def chosen(edges, ranks, sizes=None, hidden=None, base=()):
    """Choose by the known edges; ``verify`` finds the hidden ones.

    Returns the survivors, ``{(left, right): facts}`` of the matches, and the pairs that were verified.
    """
    hidden = hidden or {}
    asked = []

    def verify(left, right):
        pairs = list(zip(left.tolist(), right.tolist(), strict=True))
        asked.extend(pairs)
        assert all(a < b for a, b in pairs)
        return matches_of({pair: hidden[pair] for pair in pairs if pair in hidden})

    n = len(ranks)
    sizes = np.full(n, 100) if sizes is None else np.array(sizes, np.int64)
    survivors, matches = choose(
        matches_of(edges), np.array(ranks, np.int64), sizes, verify, CopyConfig(), survivors_of(base) if base else None
    )
    assert all(getattr(survivors, name).dtype == np.int64 for name in ("canonical", "extends", "family", "fuller"))
    assert len(survivors) == n
    assert len(asked) == len(set(asked))
    facts = zip(*(getattr(matches, name).tolist() for name in ("kind", "jaccard", "share_left", "share_right")), strict=True)
    return survivors, dict(zip(zip(matches.left.tolist(), matches.right.tolist(), strict=True), facts, strict=True)), asked


def columns(survivors):
    return [getattr(survivors, name).tolist() for name in ("canonical", "extends", "family", "fuller")]


def canonicals(*graph, **more):
    return chosen(*graph, **more)[0].canonical.tolist()


SHARES = st.sampled_from([0.2, 0.61, CONTAINED, 0.7, NEARLY_ALL, 0.95, 1.0])
FACTS = st.tuples(st.sampled_from([NEAR, EXCERPT, TITLE, PARTIAL]), st.sampled_from([0.3, 0.6]), SHARES, SHARES)


@st.composite
def graphs(draw):
    """Known edges, hidden edges, ranks, sizes."""
    n = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.dictionaries(st.sampled_from(pairs), FACTS, max_size=40)) if pairs else {}
    hidden = {pair for pair in edges if draw(st.integers(0, 3)) == 0}
    known = {pair: facts for pair, facts in edges.items() if pair not in hidden}
    sizes = draw(st.lists(st.sampled_from([20, 100, 500, 1000, 4000]), min_size=n, max_size=n))
    return known, {pair: edges[pair] for pair in hidden}, draw(st.permutations(range(n))), sizes


@st.composite
def later_graphs(draw):
    """A graph whose first documents are a base, ranked as canonicals, their copies, new documents; and the base."""
    known, hidden, ranks, sizes = draw(graphs())
    n = len(ranks)
    n_base = draw(st.integers(0, n))
    kept = [row for row in range(n_base) if row == 0 or draw(st.booleans())]
    base = {}
    for row in kept:
        extends = draw(st.sampled_from([NONE, *(other for other in kept if other < row)]))
        base[row] = (row, extends, base[extends][2] if extends >= 0 else row, draw(st.sampled_from([NONE, *kept])))
    for row in range(n_base):
        if row not in base:
            canonical = draw(st.sampled_from(kept))
            base[row] = (canonical, NONE, base[canonical][2], NONE)
    order = [*kept, *(row for row in range(n_base) if row not in kept), *draw(st.permutations(range(n_base, n)))]
    edges = [{pair: facts for pair, facts in part.items() if pair[1] >= n_base} for part in (known, hidden)]
    return *edges, np.argsort(order).tolist(), sizes, [base[row] for row in range(n_base)]


class Ties:
    """What the matches of a choice say about pairs in either order."""

    def __init__(self, matches, ranks, sizes, n_base=0):
        self.matches, self.ranks, self.sizes, self.n_base = matches, ranks, sizes, n_base

    def kind(self, one, other):
        return self.matches.get((min(one, other), max(one, other)), (PARTIAL,))[0]

    def share(self, one, other):
        return self.matches[min(one, other), max(one, other)][2 if one < other else 3]

    def stands_in(self, one, other):
        if self.kind(one, other) == TITLE:
            return True
        ties = self.kind(one, other) != PARTIAL and self.share(one, other) >= CONTAINED
        return ties and self.sizes[one] - round(self.share(one, other) * self.sizes[one]) <= MOST_OWN

    def holds(self, one, other):
        return self.kind(one, other) not in (PARTIAL, TITLE) and self.share(other, one) >= CONTAINED

    def place(self, row):
        """Places of a document in the order of decisions; those of a base are decided before, in their order."""
        return (0, row) if row < self.n_base else (1, self.ranks[row])

    def kept_before(self, row, canonical):
        before = (other for other in range(len(canonical)) if self.place(other) < self.place(row))
        return sorted((other for other in before if canonical[other] == other), key=self.place)


def check(known, hidden, ranks, sizes, base=()):
    survivors, matches, _ = chosen(known, ranks, sizes, hidden, base)
    ties = Ties(matches, ranks, sizes, len(base))
    canonical, extends, family, fuller = columns(survivors)
    for row in range(len(base), len(ranks)):
        target, held = canonical[row], extends[row]
        before = ties.kept_before(row, canonical)
        holders = [other for other in before if ties.stands_in(row, other)]
        parts = [other for other in before if ties.holds(row, other)]
        if target != row:
            # A copy stands in its canonical, which holds no less of it than any other kept document.
            assert canonical[target] == target and target in holders
            assert held == NONE
            assert family[row] == family[target]
            if ties.kind(row, target) != TITLE:
                assert ties.share(row, target) == max(ties.share(row, other) for other in holders if ties.kind(row, other) != TITLE)
            continue
        assert holders == []
        if parts:
            assert held in parts
            assert sizes[held] == max(sizes[other] for other in parts)
            assert family[row] == family[held]
            continue
        assert held == NONE
        related = [other for other in before if ties.kind(row, other) not in (PARTIAL, TITLE)]
        assert family[row] == (family[related[0]] if related else row)
    for row, larger in enumerate(fuller[len(base) :], len(base)):
        known_as = [
            other
            for other in range(len(ranks))
            if other not in (row, canonical[row]) and canonical[other] == other and sizes[other] > sizes[row]
            and ties.kind(row, other) not in (PARTIAL, TITLE) and ties.share(row, other) >= NEARLY_ALL
        ]  # fmt: skip
        assert larger == min(known_as, key=lambda other: (-sizes[other], ranks[other]), default=NONE)


@given(graphs())
def test_every_tie_is_a_verified_match_of_the_two_documents(graph):
    check(*graph)


@given(later_graphs())
def test_every_tie_of_a_new_document_is_a_verified_match(graph):
    check(*graph)


@given(graphs())
def test_roots_extend_nothing_and_are_kept(graph):
    known, hidden, ranks, sizes = graph
    survivors, _, _ = chosen(known, ranks, sizes, hidden)
    canonical, extends, family, _ = columns(survivors)
    for row, root in enumerate(survivors.roots().tolist()):
        assert canonical[root] == root and extends[root] == NONE
        assert family[root] == family[row]
        if canonical[row] == row and extends[row] == NONE:
            assert root == row


@given(graphs())
def test_all_matches_are_kept_and_only_verified_matches_are_added(graph):
    known, hidden, ranks, sizes = graph
    _, matches, asked = chosen(known, ranks, sizes, hidden)
    assert known.items() <= matches.items()
    assert matches.keys() - known.keys() == hidden.keys() & set(asked)


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_matches_does_not_matter(graph, random):
    known, hidden, ranks, sizes = graph
    shuffled = list(known.items())
    random.shuffle(shuffled)
    one, other = (chosen(edges, ranks, sizes, hidden) for edges in (dict(shuffled), known))
    assert columns(one[0]) == columns(other[0])
    assert one[1] == other[1]


@given(graphs())
def test_the_numbering_of_rows_does_not_matter(graph):
    known, hidden, ranks, sizes = graph
    last = len(ranks) - 1
    survivors, _, _ = chosen(known, ranks, sizes, hidden)
    turned = [
        {(last - b, last - a): (kind, jaccard, right, left) for (a, b), (kind, jaccard, left, right) in edges.items()}
        for edges in (known, hidden)
    ]
    mirrored, _, _ = chosen(turned[0], ranks[::-1], sizes[::-1], turned[1])
    for one, other in zip(columns(survivors), columns(mirrored), strict=True):
        assert [NONE if row == NONE else last - row for row in other[::-1]] == one


@given(later_graphs())
def test_documents_of_a_base_keep_what_they_have_and_are_not_compared_again(graph):
    known, hidden, ranks, sizes, base = graph
    survivors, _, asked = chosen(known, ranks, sizes, hidden, base)
    n_base = len(base)
    given = columns(survivors_of(base)) if base else [[]] * 4
    for before, after in zip(given[:3], columns(survivors)[:3], strict=True):
        assert after[:n_base] == before
    assert all(right >= n_base for _, right in asked)
    for before, after in zip(given[3], survivors.fuller[:n_base].tolist(), strict=True):
        # Only a new document takes the place of the fuller one, and only a larger one.
        assert after == before or (after >= n_base and (before == NONE or sizes[after] > sizes[before]))


# Direction


BRIEF, REPORT, REPRINT = range(3)
FAMILY = {(BRIEF, REPORT): (EXCERPT, 0.05, 1.0, 0.05), (BRIEF, REPRINT): (EXCERPT, 0.05, 0.9, 0.05), (REPORT, REPRINT): (NEAR, 0.9, 0.95, 0.94)}  # fmt: skip
FAMILY_SIZES = [22, 420, 425]


def test_a_report_extends_its_brief_and_a_reprint_is_a_copy_of_the_report():
    survivors, _, _ = chosen(FAMILY, [0, 1, 2], FAMILY_SIZES)
    assert columns(survivors) == [[BRIEF, REPORT, REPORT], [NONE, BRIEF, NONE], [BRIEF] * 3, [REPORT, NONE, NONE]]


def test_of_a_brief_a_report_and_a_reprint_the_report_is_kept_if_it_ranks_first():
    survivors, _, _ = chosen(FAMILY, [2, 0, 1], FAMILY_SIZES)
    assert columns(survivors) == [[REPORT] * 3, [NONE] * 3, [REPORT] * 3, [NONE] * 3]


@pytest.mark.parametrize(("share", "canonical"), [(CONTAINED, 0), (0.61, 1)])
def test_a_copy_stands_in_its_canonical_from_the_setting_on(share, canonical):
    assert canonicals({(0, 1): (NEAR, 0.6, 1.0, share)}, [0, 1]) == [0, canonical]


@pytest.mark.parametrize(("share", "extends"), [(CONTAINED, 0), (0.61, NONE)])
def test_an_extended_document_holds_as_much_of_what_it_extends(share, extends):
    survivors, _, _ = chosen({(0, 1): (EXCERPT, 0.1, share, 0.1)}, [0, 1], [100, 700])
    assert columns(survivors)[:3] == [[0, 1], [NONE, extends], [0, 0]]


@pytest.mark.parametrize("size", [600, 700, 1000, 1100, 1234, 3001])
def test_a_copy_has_at_most_two_hundred_shingles_of_its_own(size):
    assert MOST_OWN == 200
    for own, canonical in ((200, 0), (201, 1)):
        shared = size - own
        edges = {(0, 1): (NEAR, 0.7, shared / 5000, shared / size)}
        assert canonicals(edges, [0, 1], [5000, size]) == [0, canonical]


def test_a_document_that_is_too_long_for_a_copy_extends_what_it_holds():
    survivors, _, _ = chosen({(0, 1): (NEAR, 0.8, 1.0, 0.8)}, [0, 1], [2400, 3000])
    assert columns(survivors) == [[0, 1], [NONE, 0], [0, 0], [1, NONE]]


def test_the_canonical_is_the_kept_document_that_holds_most_of_the_copy():
    edges = {(0, 2): (NEAR, 0.6, 0.9, 0.8), (1, 2): (NEAR, 0.5, 0.3, 0.9)}
    assert canonicals(edges, [0, 1, 2]) == [0, 1, 1]


def test_of_equal_canonicals_the_first_by_rank_stays():
    edges = {(0, 2): (NEAR, 0.6, 0.9, 0.9), (1, 2): (NEAR, 0.6, 0.9, 0.9)}
    assert canonicals(edges, [0, 1, 2]) == [0, 1, 0]
    assert canonicals(edges, [1, 0, 2]) == [0, 1, 1]


def test_an_extended_document_extends_the_largest_of_what_it_holds():
    edges = {(0, 2): (EXCERPT, 0.1, 1.0, 0.1), (1, 2): (EXCERPT, 0.2, 0.9, 0.2)}
    assert columns(chosen(edges, [0, 1, 2], [40, 80, 600])[0])[1:3] == [[NONE, NONE, 1], [0, 1, 1]]
    assert columns(chosen(edges, [0, 1, 2], [80, 80, 600])[0])[1:3] == [[NONE, NONE, 0], [0, 1, 0]]


def test_a_document_holds_no_copy_of_what_it_extends():
    # 1 is a copy of 0; 2 holds both, and 0 is the smaller one.
    edges = {(0, 1): (NEAR, 0.8, 0.9, 0.9), (0, 2): (EXCERPT, 0.1, 1.0, 0.1), (1, 2): (EXCERPT, 0.1, 1.0, 0.1)}
    assert columns(chosen(edges, [0, 1, 2], [50, 60, 600])[0])[1] == [NONE, NONE, 0]


def test_a_partial_match_never_ties():
    survivors, _, _ = chosen({(0, 1): (PARTIAL, 0.9, 0.99, 0.99)}, [0, 1], [100, 900])
    assert columns(survivors) == [[0, 1], [NONE, NONE], [0, 1], [NONE, NONE]]


def test_a_title_makes_copies_whatever_the_texts_share_and_extends_nothing():
    edges = {(0, 1): (TITLE, 0.9, 0.1, 0.1), (1, 2): (TITLE, 0.9, 0.95, 0.95)}
    survivors, _, _ = chosen(edges, [0, 1, 2], [900, 900, 900])
    # The second title says what the copy says; its pair with the canonical is no match.
    assert columns(survivors) == [[0, 0, 2], [NONE] * 3, [0, 0, 2], [NONE] * 3]


def test_kept_documents_that_match_without_holding_are_one_family():
    edges = {(0, 1): (EXCERPT, 0.3, 0.5, 0.5), (1, 2): (EXCERPT, 0.3, 0.5, 0.5)}
    assert columns(chosen(edges, [0, 1, 2])[0])[:3] == [[0, 1, 2], [NONE] * 3, [0, 0, 0]]
    assert columns(chosen(edges, [0, 2, 1])[0])[2] == [0, 2, 2][:1] + [0, 2]


@pytest.mark.parametrize(("share", "size", "fuller"), [(0.8, 101, 1), (0.79, 101, NONE), (0.8, 100, NONE)])
def test_a_fuller_document_holds_four_fifths_of_it_and_is_larger(share, size, fuller):
    # The second text is kept, since it has too much of its own.
    survivors, _, _ = chosen({(0, 1): (EXCERPT, 0.2, share, 0.2)}, [0, 1], [100, size])
    assert columns(survivors)[3] == [fuller, NONE]


def test_the_fuller_document_is_the_largest_and_of_equals_the_first_by_rank():
    edges = {(0, other): (EXCERPT, 0.1, 0.9, 0.1) for other in (1, 2, 3)}
    assert columns(chosen(edges, [0, 1, 2, 3], [50, 500, 900, 900])[0])[3][0] == 2
    assert columns(chosen(edges, [0, 1, 3, 2], [50, 500, 900, 900])[0])[3][0] == 3


def test_documents_without_matches_are_kept():
    assert columns(chosen({}, [2, 0, 1])[0]) == [[0, 1, 2], [NONE] * 3, [0, 1, 2], [NONE] * 3]
    assert columns(chosen({}, [])[0]) == [[]] * 4


# Documents that only match a copy


def test_the_ends_of_a_chain_are_compared_before_they_are_tied():
    chain = {(0, 1): (NEAR, 0.6, 0.8, 0.8), (1, 2): (NEAR, 0.6, 0.8, 0.8)}
    assert canonicals(chain, [0, 1, 2], hidden={(0, 2): (NEAR, 0.6, 0.7, 0.7)}) == [0, 0, 0]
    assert canonicals(chain, [0, 1, 2], hidden={(0, 2): (PARTIAL, 0.2, 0.9, 0.9)}) == [0, 0, 2]
    assert canonicals(chain, [0, 1, 2]) == [0, 0, 2]


def test_a_new_document_that_matches_an_old_copy_is_compared_with_its_canonical():
    edges, base = {(1, 2): (NEAR, 0.6, 0.8, 0.8)}, [(0, NONE, 0, NONE), (0, NONE, 0, NONE)]
    assert canonicals(edges, [0, 1, 2], hidden={(0, 2): (NEAR, 0.6, 0.7, 0.7)}, base=base) == [0, 0, 0]
    assert canonicals(edges, [0, 1, 2], base=base) == [0, 0, 2]


def test_a_new_document_joins_the_old_one_that_holds_most_of_it_and_merges_no_old_families():
    edges = {(0, 2): (EXCERPT, 0.3, 0.9, 0.7), (1, 2): (NEAR, 0.9, 0.9, 0.9)}
    survivors, _, _ = chosen(edges, [0, 1, 2], base=[(0, NONE, 0, NONE), (1, NONE, 1, NONE)])
    assert columns(survivors)[:3] == [[0, 1, 1], [NONE] * 3, [0, 1, 1]]


def test_a_fuller_new_document_makes_no_copy_of_an_old_one():
    base = [(0, NONE, 0, NONE)]
    for size, expected in ((90, [[0, 1], [NONE, 0], [0, 0], [NONE, NONE]]), (500, [[0, 1], [NONE, 0], [0, 0], [1, NONE]])):
        survivors, _, _ = chosen({(0, 1): (EXCERPT, 0.2, 1.0, 0.2)}, [0, 1], [100, size], base=base)
        assert columns(survivors) == expected


def chain(documents):
    """A chain of near copies of which each is a candidate of the next alone, but matches all others."""
    known = {(row, row + 1): (NEAR, 0.9, 0.9, 0.9) for row in range(documents - 1)}
    return known, {(a, b): (NEAR, 0.6, 0.7, 0.7) for b in range(documents) for a in range(b - 1)}


@pytest.mark.parametrize("documents", [2, 3, 4, 5])
def test_a_short_chain_of_copies_has_one_canonical(documents):
    known, hidden = chain(documents)
    assert canonicals(known, range(documents), hidden=hidden) == [0] * documents


def test_a_chain_is_compared_in_three_rounds():
    assert ROUNDS == 3
    known, hidden = chain(6)
    assert canonicals(known, range(6), hidden=hidden) == [0] * 5 + [5]


def test_a_long_chain_needs_a_few_verifications_for_each_document():
    documents = 3000
    known, _ = chain(documents)

    def verify(left, right):
        asked.append(len(left))
        return Matches.of_pairs(left, right, np.full(len(left), NEAR, np.uint8), *[np.full(len(left), 0.7)] * 3)

    asked = []
    survivors, _ = choose(matches_of(known), np.arange(documents), np.full(documents, 100), verify, CopyConfig())
    assert len(asked) == ROUNDS
    assert sum(asked) <= ROUNDS * documents
    assert np.count_nonzero(survivors.kept()) < documents / 2


def test_a_document_in_many_groups_is_compared_with_eight_canonicals_a_round():
    # Groups of two; the last document matches the copy of each.
    groups = 40
    edges = {(number, groups + number): (NEAR, 0.9, 0.9, 0.9) for number in range(groups)}
    edges |= {(groups + number, 2 * groups): (NEAR, 0.5, 0.5, 0.5) for number in range(groups)}
    _, _, asked = chosen(edges, range(2 * groups + 1))
    assert asked == [(number, 2 * groups) for number in range(MOST_ASKED)]


# Exact copies


def test_exact_copies_get_what_their_first_document_has():
    survivors = survivors_of([(0, NONE, 0, 2), (0, NONE, 0, 2), (2, 0, 0, NONE), (3, NONE, 3, NONE), (4, NONE, 4, NONE)])
    first = np.array([0, 1, 2, 2, 1])
    assert columns(survivors.with_exact_copies(first, 0)) == [[0, 0, 2, 2, 0], [NONE, NONE, 0, NONE, NONE], [0] * 5, [2, 2, NONE, NONE, 2]]


def test_exact_copies_of_a_base_keep_what_they_have():
    survivors = survivors_of([(0, NONE, 0, NONE), (1, NONE, 1, NONE), (2, NONE, 2, NONE)])
    assert survivors.with_exact_copies(np.array([0, 0, 0]), 2).canonical.tolist() == [0, 1, 0]


def test_roots_are_reached_through_canonicals_and_extended_documents():
    survivors = survivors_of([(0, NONE, 0, NONE), (1, 0, 0, NONE), (2, 1, 0, NONE), (2, NONE, 0, NONE), (4, NONE, 0, NONE)])
    assert survivors.roots().tolist() == [0, 0, 0, 0, 4]
    assert Survivors.none().roots().tolist() == []


@pytest.mark.slow
def test_three_thousand_near_copies_have_one_canonical():
    n = 3000
    left, right = np.triu_indices(n, 1)
    ones = np.ones(len(left))
    clique = Matches(left, right, np.full(len(left), NEAR, np.uint8), ones * 0.8, ones * 0.9, ones * 0.9)
    ranks = np.random.default_rng(3).permutation(n)
    survivors, _ = choose(clique, ranks, np.full(n, 100), lambda a, b: Matches.none(), CopyConfig())
    assert set(survivors.canonical.tolist()) == {int(np.argmin(ranks))}

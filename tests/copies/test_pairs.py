"""Pairs of rows: overlap from counts, and matches in either order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.copies.pairs import EXCERPT, NEAR, PARTIAL, Matches, Overlap, measure_overlap, overlap
from tests import oracle


@given(st.lists(st.tuples(*[st.sets(st.integers(0, 9), max_size=9)] * 2), min_size=1, max_size=5))
def test_overlap_is_set_arithmetic(pairs):
    rows = oracle.flat([sorted(row) for pair in pairs for row in pair])
    left = np.arange(0, 2 * len(pairs), 2)
    measured = measure_overlap(rows, left, left + 1)
    for place, (a, b) in enumerate(pairs):
        assert measured.jaccard[place] == (len(a & b) / len(a | b) if a | b else 0)
        assert measured.share_left[place] == (len(a & b) / len(a) if a else 0)
        assert measured.share_right[place] == (len(a & b) / len(b) if b else 0)
        assert measured.containment[place] == (len(a & b) / min(len(a), len(b)) if a and b else 0)
        if a & b:
            assert measured.left_is_smaller[place] == (len(a) <= len(b))


def test_disjoint_and_empty_sets_have_no_overlap():
    nothing = overlap(np.array([0, 0]), np.array([0, 3]), np.array([0, 2]))
    assert [values.tolist() for values in nothing] == [[0, 0]] * 3
    assert nothing.containment.tolist() == [0, 0]


def test_an_overlap_is_of_the_chosen_pairs():
    shared = Overlap(np.array([0.1, 0.2]), np.array([0.3, 0.9]), np.array([0.5, 0.4]))
    assert [values.tolist() for values in shared.take(np.array([1, 0, 1]))] == [[0.2, 0.1, 0.2], [0.9, 0.3, 0.9], [0.4, 0.5, 0.4]]
    assert [values.tolist() for values in shared.take(np.array([False, True]))] == [[0.2], [0.9], [0.4]]


def rows_of(matches):
    """Matches as tuples in the order of their fields."""
    return list(zip(*(getattr(matches, name).tolist() for name in Matches.__dataclass_fields__), strict=True))


def one_match(one, other, kind=NEAR, jaccard=0.5, share=0.9, share_of_other=0.6):
    values = (np.array([value]) for value in (jaccard, share, share_of_other))
    return Matches.of_pairs(np.array([one]), np.array([other]), np.array([kind], np.uint8), *values)


def test_a_match_of_a_pair_in_either_order_has_the_smaller_row_left_and_its_own_shares():
    assert rows_of(one_match(3, 7)) == [(3, 7, NEAR, 0.5, 0.9, 0.6)]
    assert rows_of(one_match(7, 3)) == [(3, 7, NEAR, 0.5, 0.6, 0.9)]
    assert one_match(7, 3).containment.tolist() == one_match(3, 7).containment.tolist() == [0.9]


def test_of_two_matches_of_one_pair_the_stronger_stays_with_its_own_measures():
    parts = [one_match(0, 1, kind, jaccard=0.1 * kind, share=0.2 * kind) for kind in (PARTIAL, NEAR, EXCERPT)]
    assert rows_of(Matches.join(parts)) == rows_of(parts[1])


def test_joined_matches_are_sorted_by_pair_and_found_in_either_order():
    pairs = [(2, 5), (0, 9), (2, 3), (1, 2)]
    matches = Matches.join([Matches.none(), *(one_match(one, other) for one, other in pairs)])
    assert list(zip(matches.left.tolist(), matches.right.tolist(), strict=True)) == sorted(pairs)
    assert matches.find(np.array([5, 2, 9]), np.array([2, 3, 0]), 10).tolist() == [3, 2, 0]
    assert matches.find(np.array([1]), np.array([2]), 10).tolist() == [1]
    assert len(Matches.none()) == 0

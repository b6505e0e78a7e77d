"""Matches: exact numbers for every pair, and a rule that tells a copy from a form filled in anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import CopyConfig
from dedup.facts import Facts
from dedup.matches import Measured, verify
from dedup.pairs import EXCERPT, LEFT, NEAR, NEITHER, PARTIAL, RIGHT, Matches
from tests import oracle


def fact(number):
    """A term that is a fact."""
    return number * 4 + 2


def measured(rows, terms=None, config=None):
    terms = terms or [[] for _ in rows]
    facts = Facts.of(oracle.flat(terms))
    return Measured.of(oracle.flat([sorted(set(row)) for row in rows]), facts, np.full(len(rows), -1), config or CopyConfig())


def verified(rows, terms=None, pairs=None, threads=1, **settings):
    config = CopyConfig(**settings)
    pairs = pairs or [(a, b) for b in range(len(rows)) for a in range(b)]
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return verify(left, right, measured(rows, terms, config), config, threads=threads)


def one(rows, terms=None, **settings):
    """The kind, and which side is contained, of the only pair; None if it is not listed."""
    matches = verified(rows, terms, [(0, 1)], **settings)
    return (int(matches.kind[0]), int(matches.contained[0])) if len(matches) else None


def spread(numbers):
    """Numbers as hashes, so that no two are counted together."""
    return [oracle.mix64(number + 1) for number in numbers]


SETS = st.lists(st.sets(st.integers(0, 30), max_size=20), min_size=2, max_size=6)


@given(SETS)
def test_jaccard_and_containment_are_set_arithmetic(sets):
    rows = [spread(row) for row in sets]
    matches = verified(rows, partial=0.01)
    listed = set(zip(matches.left.tolist(), matches.right.tolist(), strict=True))
    for b in range(len(sets)):
        for a in range(b):
            assert ((a, b) in listed) == bool(sets[a] & sets[b])
    for a, b, jaccard, containment in zip(matches.left, matches.right, matches.jaccard, matches.containment, strict=True):
        shared = len(sets[a] & sets[b])
        assert jaccard == shared / len(sets[a] | sets[b])
        assert containment == shared / min(len(sets[a]), len(sets[b]))
    types = [getattr(matches, name).dtype for name in Matches.__dataclass_fields__]
    assert types == [np.int64, np.int64, np.uint8, np.float64, np.float64, np.uint8]


@given(SETS)
def test_the_kind_follows_from_the_thresholds(sets):
    matches = verified([spread(row) for row in sets], near=0.5, excerpt=0.6, partial=0.2, distinct=0.01, common=1_000_000)
    for jaccard, containment, kind, contained in zip(matches.jaccard, matches.containment, matches.kind, matches.contained, strict=True):
        assert kind == (NEAR if jaccard >= 0.5 else EXCERPT if containment >= 0.6 else PARTIAL)
        assert (contained != NEITHER) == (kind == EXCERPT)
        assert jaccard >= 0.5 or containment >= 0.2


def test_of_an_excerpt_the_smaller_one_is_contained():
    long, short = spread(range(100)), spread(range(30))
    assert one([short, long]) == (EXCERPT, LEFT)
    assert one([long, short]) == (EXCERPT, RIGHT)


def test_what_shares_half_of_both_is_near():
    assert one([spread(range(100)), spread(range(34, 134))], near=0.49) == (NEAR, NEITHER)


def test_what_shares_passages_only_is_partial():
    assert one([spread(range(100)), spread(range(60, 160))]) == (PARTIAL, NEITHER)


def test_what_shares_too_little_is_not_listed():
    assert one([spread(range(100)), spread(range(80, 180))]) is None


def test_empty_texts_are_never_listed():
    assert one([[], []]) is None
    assert one([[], spread(range(9))]) is None
    assert len(verified([spread(range(3))])) == 0


def form(names, shared=40, own=20):
    """Documents that share a form and fill it in with words of their own."""
    return [spread([*range(shared), *range(1000 * (name + 1), 1000 * (name + 1) + own)]) for name in range(names)]


def test_a_form_that_two_documents_share_is_a_copy_of_one_text():
    assert one(form(2)) == (NEAR, NEITHER)


def test_a_form_that_hundreds_share_is_no_copy():
    matches = verified(form(300), pairs=[(i, i + 1) for i in range(299)])
    assert len(matches) == 299
    assert (matches.kind == PARTIAL).all()
    assert (matches.jaccard == 40 / 80).all()


def test_a_pair_that_shares_nearly_all_of_a_form_is_a_copy_however_many_share_it():
    matches = verified(form(300, shared=40, own=8), pairs=[(i, i + 1) for i in range(299)])
    assert set(matches.containment.tolist()) == {40 / 48}
    assert (matches.kind == NEAR).all()


def test_a_copy_of_a_form_is_a_copy_all_the_same():
    rows = form(300)
    matches = verified([*rows, rows[7][:-2]], pairs=[(7, 300)])
    assert matches.kind.tolist() == [NEAR]


@pytest.mark.parametrize(
    ("smaller", "larger", "kind"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], NEAR),
        ([1, 2, 3, 4, 5], [1, 2, 3, 8, 9], NEAR),
        ([1, 2, 3, 4, 5], [1, 2, 7, 8, 9], PARTIAL),
        ([], [1, 2, 3], NEAR),
        ([1], [], NEAR),
    ],
    ids=["all", "three_of_five", "two_of_five", "none_to_have", "the_only_one"],
)
def test_a_copy_has_enough_of_the_facts_of_the_smaller_one(smaller, larger, kind):
    rows = [spread(range(50)), spread(range(12, 72))]  # they share 38: enough to be near, not too much to be a form
    terms = [[fact(number) for number in smaller], [fact(number) for number in larger]]
    assert one(rows, terms, facts=0.6) == (kind, NEITHER)


def test_what_shares_nearly_all_is_a_copy_whatever_its_facts():
    rows = [spread(range(50)), spread(range(60))]
    assert one(rows, [[fact(1), fact(2)], [fact(8), fact(9)]], facts=0.6) == (NEAR, NEITHER)


def test_only_facts_are_asked_for():
    rows = [spread(range(50)), spread(range(60))]
    assert one(rows, [[4, 8, 12], [16, 20]]) == (NEAR, NEITHER)


def filled(numbers):
    """Terms of a form: common words, with a fact after each sixth."""
    return [term for i, number in enumerate(numbers) for term in ([i * 400 + j * 4 for j in range(6)] + [fact(10_000 + number)])]


def test_facts_replaced_in_place_tell_a_form_filled_in_anew():
    rows = [spread(range(100)), spread(range(31, 131))]
    same = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    other = [1, 2, 3, 4, 5, 6, 70, 80, 90, 10]
    assert one(rows, [filled(same), filled(same)]) == (NEAR, NEITHER)
    assert one(rows, [filled(same), filled(other)]) == (PARTIAL, NEITHER)


def test_a_pair_that_shares_nearly_all_is_not_asked_for_replaced_facts():
    rows = [spread(range(100)), spread(range(10, 110))]
    assert one(rows, [filled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), filled([1, 2, 3, 4, 5, 6, 70, 80, 90, 10])]) == (NEAR, NEITHER)


@pytest.mark.parametrize("threads", [2, 7])
def test_matches_do_not_depend_on_the_number_of_threads(threads):
    rows = [spread(range(i % 50, i % 50 + 60)) for i in range(150)]
    single, several = verified(rows), verified(rows, threads=threads)
    for name in Matches.__dataclass_fields__:
        assert getattr(single, name).tolist() == getattr(several, name).tolist()


def test_of_two_matches_of_one_pair_the_stronger_stays():
    pair = np.array([0]), np.array([1])
    numbers = np.array([0.5]), np.array([0.6]), np.array([NEITHER], np.uint8)
    joined = Matches.join([Matches(*pair, np.array([kind], np.uint8), *numbers) for kind in (PARTIAL, NEAR, EXCERPT)])
    assert joined.kind.tolist() == [NEAR]

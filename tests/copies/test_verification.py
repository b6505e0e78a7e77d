"""Verification: exact similarities of every pair, and the rules that tell a copy from a template."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.spill import SpillPool
from dedup.config import CopyConfig
from dedup.copies.pairs import EXCERPT, NEAR, PARTIAL, Matches
from dedup.copies.shingle_weights import weigh
from dedup.copies.verification import VerificationInput, verify
from dedup.kernels.fingerprints.shingles import shingle_rows
from tests import oracle


def fact(number):
    """A term that is a fact."""
    return number * 4 + 2


def measured(rows, terms=None, config=None, sources=None, threads=1, spill=None):
    """Verification input of rows of shingles, by default without terms and outlets."""
    shingles = oracle.flat([sorted(set(row)) for row in rows])
    terms = oracle.flat(terms or [[] for _ in rows])
    sources = np.full(len(rows), -1) if sources is None else np.array(sources)
    spill = spill or SpillPool(1 << 62)
    weights = weigh(shingles, np.arange(len(rows)), sources, config or CopyConfig(), spill, threads=threads)
    return VerificationInput(shingles, weights, terms, oracle.flat([[] for _ in rows]), sources, spill)


def verified(rows, terms=None, pairs=None, threads=1, sources=None, **settings):
    config = CopyConfig(**settings)
    pairs = pairs or [(a, b) for b in range(len(rows)) for a in range(b)]
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return verify(left, right, measured(rows, terms, config, sources, threads=threads), config, threads=threads)


def one(rows, terms=None, **settings):
    """The kind of the only pair; None if it is not listed."""
    matches = verified(rows, terms, [(0, 1)], **settings)
    return int(matches.kind[0]) if len(matches) else None


def spread(numbers):
    """Numbers as hashes, so that no two collide."""
    return [oracle.mix64(number + 1) for number in numbers]


SETS = st.lists(st.sets(st.integers(0, 30), max_size=20), min_size=2, max_size=6)


@given(SETS)
def test_jaccard_and_shares_are_set_arithmetic(sets):
    rows = [spread(row) for row in sets]
    matches = verified(rows, partial=0.01)
    listed = set(zip(matches.left.tolist(), matches.right.tolist(), strict=True))
    for b in range(len(sets)):
        for a in range(b):
            assert ((a, b) in listed) == bool(sets[a] & sets[b])
    for place, (a, b) in enumerate(zip(matches.left, matches.right, strict=True)):
        shared = len(sets[a] & sets[b])
        assert matches.jaccard[place] == shared / len(sets[a] | sets[b])
        assert (matches.share_left[place], matches.share_right[place]) == (shared / len(sets[a]), shared / len(sets[b]))
    types = [getattr(matches, name).dtype for name in Matches.__dataclass_fields__]
    assert types == [np.int64, np.int64, np.uint8, np.float64, np.float64, np.float64]


@given(SETS)
def test_the_kind_follows_from_the_thresholds(sets):
    matches = verified([spread(row) for row in sets], near=0.5, excerpt=0.6, partial=0.2, distinct=0.01, common=255)
    for jaccard, containment, kind in zip(matches.jaccard, matches.containment, matches.kind, strict=True):
        assert kind == (NEAR if jaccard >= 0.5 else EXCERPT if containment >= 0.6 else PARTIAL)
        assert jaccard >= 0.5 or containment >= 0.2


def test_a_share_is_of_the_document_itself():
    long, short = spread(range(100)), spread(range(30))
    for rows, shares in (([short, long], (1.0, 0.3)), ([long, short], (0.3, 1.0))):
        matches = verified(rows)
        assert (matches.kind.tolist(), matches.share_left.tolist(), matches.share_right.tolist()) == ([EXCERPT], [shares[0]], [shares[1]])


def test_a_pair_at_the_near_threshold_is_near():
    assert one([spread(range(100)), spread(range(34, 134))], near=0.49) == NEAR


def test_a_pair_that_shares_only_passages_is_partial():
    assert one([spread(range(100)), spread(range(60, 160))], excerpt=0.6) == PARTIAL


def text(terms):
    """A text of words, each a number, as shingles of three and as terms."""
    return shingle_rows(*oracle.flat([terms]), 3)[0].tolist(), [term * 4 for term in terms]


def edited(words, every):
    """The words with one in every few replaced by a new one."""
    return [100_000 + word if place % every == every - 1 else word for place, word in enumerate(words)]


def both(one_text, other_text, **settings):
    """Kind, jaccard and containment of two texts."""
    shingles, terms = zip(*map(text, (one_text, other_text)), strict=True)
    matches = verified(shingles, terms, **settings)
    return int(matches.kind[0]), float(matches.jaccard[0]), float(matches.containment[0])


def test_a_text_edited_throughout_is_an_excerpt_but_one_shared_passage_is_partial():
    words = list(range(180))
    kind, jaccard, containment = both(words, edited(words, 6))
    assert kind == EXCERPT
    assert jaccard < 0.4 < containment < 0.52
    # The same share of the shingles, but in one piece.
    kind, jaccard, containment = both(words, [*words[:92], *range(1000, 1088)])
    assert kind == PARTIAL
    assert jaccard < 0.4 < containment < 0.52


@pytest.mark.parametrize(("coverage", "kind"), [(0.8, EXCERPT), (0.83, EXCERPT), (0.84, PARTIAL)])
def test_an_excerpt_needs_the_coverage_of_the_setting(coverage, kind):
    words = list(range(180))
    assert both(words, edited(words, 6), coverage=coverage)[0] == kind  # five words in six are covered


def test_the_smaller_text_must_be_covered():
    long, passage = list(range(300)), list(range(100, 150))
    assert both(long, passage)[0] == EXCERPT
    assert both(long, edited(passage, 7))[0] == EXCERPT
    assert both(edited(passage, 7), long)[0] == EXCERPT
    # Containment below 0.8 and half of it another text: only the passage comes from the long one.
    assert both(long, [*passage[:26], *range(1000, 1024)])[0] == PARTIAL


def test_near_copies_need_no_coverage():
    assert both(range(100), [*range(70), *range(1000, 1030)], near=0.5, coverage=0.99)[0] == NEAR


def test_pairs_that_share_too_little_are_not_listed():
    assert one([spread(range(100)), spread(range(80, 180))]) is None


def test_empty_texts_are_never_listed():
    assert one([[], []]) is None
    assert one([[], spread(range(9))]) is None
    assert len(verified([spread(range(3))])) == 0


def form(names, shared=40, own=20):
    """Documents that fill in one template with different words."""
    return [spread([*range(shared), *range(1000 * (name + 1), 1000 * (name + 1) + own)]) for name in range(names)]


def test_a_template_in_only_two_documents_is_a_copy():
    assert one(form(2)) == NEAR


def test_a_template_in_hundreds_of_documents_is_not_a_copy():
    matches = verified(form(300), pairs=[(i, i + 1) for i in range(299)])
    assert len(matches) == 299
    assert (matches.kind == PARTIAL).all()
    assert (matches.jaccard == 40 / 80).all()


def test_shingles_are_common_at_any_containment_within_one_outlet():
    pairs = [(i, i + 1) for i in range(299)]
    matches = verified(form(300, shared=40, own=8), pairs=pairs, sources=[0] * 300)
    assert set(matches.containment.tolist()) == {40 / 48}
    assert set(matches.kind.tolist()) == {PARTIAL}
    # Hundreds of outlets print one wire, and where no outlet is known it may be one.
    for sources in (range(300), [-1] * 300):
        assert set(verified(form(300, shared=40, own=8), pairs=pairs, sources=sources).kind.tolist()) == {NEAR}


def test_a_template_of_one_outlet_is_not_a_copy_but_a_text_of_many_outlets_is():
    rows = form(6)
    assert set(verified(rows, sources=[3] * 6).kind.tolist()) == {PARTIAL}
    assert set(verified(rows, sources=range(6)).kind.tolist()) == {NEAR}
    assert set(verified(rows, sources=[-1] * 6).kind.tolist()) == {NEAR}  # possibly six outlets


def test_a_wire_in_hundreds_of_outlets_is_a_copy():
    pairs = [(i, i + 1) for i in range(299)]
    assert set(verified(form(300), pairs=pairs, sources=range(300)).kind.tolist()) == {NEAR}


def test_the_outlet_that_repeats_a_template_most_decides():
    rows = form(12)
    sources = [3] * 6 + list(range(10, 16))
    assert set(verified(rows, sources=sources, pairs=[(6, 7), (8, 11), (0, 1), (0, 7)]).kind.tolist()) == {PARTIAL}


def test_a_template_may_recur_as_often_as_the_setting_allows():
    rows = form(6)
    assert set(verified(rows, sources=[3] * 6, common_in_source=6).kind.tolist()) == {NEAR}
    assert set(verified(rows, common=2).kind.tolist()) == {PARTIAL}


def test_the_distinct_setting_is_a_share_of_the_containment():
    rows, pairs = form(20), [(0, 1)]
    # Each pair shares 40 of 60 shingles, which weigh one half: 20 of a weight of 40, three quarters of two thirds.
    assert verified(rows, pairs=pairs, distinct=0.74).kind.tolist() == [NEAR]
    assert verified(rows, pairs=pairs, distinct=0.76).kind.tolist() == [PARTIAL]


def test_a_copy_of_a_filled_in_template_is_a_copy():
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
def test_a_copy_contains_enough_facts_of_the_smaller_text(smaller, larger, kind):
    rows = [spread(range(50)), spread(range(12, 72))]  # 38 shared: near, but below TEMPLATE_BELOW
    terms = [[fact(number) for number in smaller], [fact(number) for number in larger]]
    assert one(rows, terms, facts=0.6) == kind


def test_a_pair_of_high_containment_is_a_copy_whatever_its_facts():
    rows = [spread(range(50)), spread(range(60))]
    assert one(rows, [[fact(1), fact(2)], [fact(8), fact(9)]], facts=0.6) == NEAR


def test_only_facts_are_checked():
    rows = [spread(range(50)), spread(range(60))]
    assert one(rows, [[4, 8, 12], [16, 20]]) == NEAR


def filled(numbers):
    """Terms of a template: common words with a fact after every sixth."""
    return [term for i, number in enumerate(numbers) for term in ([i * 400 + j * 4 for j in range(6)] + [fact(10_000 + number)])]


def test_facts_replaced_in_place_reveal_a_template():
    rows = [spread(range(100)), spread(range(31, 131))]
    same = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    other = [1, 2, 3, 4, 5, 6, 70, 80, 90, 10]
    assert one(rows, [filled(same), filled(same)]) == NEAR
    assert one(rows, [filled(same), filled(other)]) == PARTIAL


def test_replaced_facts_do_not_count_at_high_containment():
    rows = [spread(range(100)), spread(range(10, 110))]
    assert one(rows, [filled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), filled([1, 2, 3, 4, 5, 6, 70, 80, 90, 10])]) == NEAR


@pytest.mark.parametrize("threads", [2, 7])
def test_matches_do_not_depend_on_the_number_of_threads(threads):
    rows = [spread(range(i % 50, i % 50 + 60)) for i in range(150)]
    single, several = verified(rows), verified(rows, threads=threads)
    for name in Matches.__dataclass_fields__:
        assert getattr(single, name).tolist() == getattr(several, name).tolist()


def test_matches_do_not_depend_on_spilling(tmp_path):
    rows, left, right = form(300, shared=60), np.arange(299), np.arange(1, 300)
    spill = SpillPool(0, str(tmp_path))
    pile = spill.new_array(np.uint8)
    pile.add(np.ones(1, np.uint8))
    assert (spill.spilled, pile.array().tolist()) == (True, [1])
    kept, held = measured(rows, spill=spill, threads=2), measured(rows)
    in_file, in_memory = (verify(left, right, given, CopyConfig(), threads=2) for given in (kept, held))
    for name in Matches.__dataclass_fields__:
        assert getattr(in_file, name).tolist() == getattr(in_memory, name).tolist()

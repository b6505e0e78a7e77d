"""The constants that decide about copies, each with a case just below it and one just above."""

from __future__ import annotations

import numpy as np
import pytest

import dedup
from dedup.copies.pairs import NEAR, PARTIAL
from dedup.copies.recall import recall_interval
from tests.arabic import news
from tests.copies.test_survivors import canonicals
from tests.copies.test_verification import fact, filled, one, spread

FACTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def replaced(number):
    """FACTS with the last ones before the tenth replaced."""
    return FACTS[: 9 - number] + [value * 10 for value in FACTS[9 - number : 9]] + FACTS[9:]


def followed_by(terms, number):
    """The terms and further ones that are no facts, up to ``number`` terms."""
    return terms + [4 * (50_000 + place) for place in range(number - len(terms))]


def rows_sharing(number):
    """Two rows of a hundred shingles with ``number`` in common."""
    return [spread(range(100)), spread(range(100 - number, 200 - number))]


# copies/verification


@pytest.mark.parametrize(("terms", "kind"), [(76, PARTIAL), (77, NEAR)])
def test_three_replaced_facts_make_a_template_from_3_9_per_hundred_terms_on(terms, kind):
    # 3 of 76 terms are 3.95 per hundred, 3 of 77 are 3.90 less a little.
    texts = [followed_by(filled(facts), terms) for facts in (FACTS, replaced(3))]
    assert {len(text) for text in texts} == {terms}
    assert one(rows_sharing(69), texts) == kind


@pytest.mark.parametrize(("number", "kind"), [(2, NEAR), (3, PARTIAL)])
def test_fewer_than_three_replaced_facts_make_no_template(number, kind):
    # Two of 40 terms are 5 per hundred: dense enough.
    texts = [filled(facts)[-40:] for facts in (FACTS, replaced(number))]
    assert one(rows_sharing(69), texts, facts=0.3) == kind


@pytest.mark.parametrize(("shared", "kind"), [(74, PARTIAL), (75, NEAR)])
def test_replaced_facts_count_below_a_containment_of_three_quarters(shared, kind):
    assert one(rows_sharing(shared), [filled(FACTS), filled(replaced(3))]) == kind


@pytest.mark.parametrize(("missing", "kind"), [(1, NEAR), (2, PARTIAL)])
def test_a_single_missing_fact_is_an_edit_and_two_are_not(missing, kind):
    own = [fact(number) for number in range(missing)]
    assert one(rows_sharing(76), [own, [fact(99)]]) == kind


@pytest.mark.parametrize(("shared", "kind"), [(79, PARTIAL), (80, NEAR)])
def test_a_containment_of_four_fifths_is_no_template_whatever_its_facts(shared, kind):
    assert one(rows_sharing(shared), [[fact(1), fact(2)], [fact(8), fact(9)]]) == kind


def report(words, numbers):
    """A report with six numbers of its own at the beginning, in which three further ones are filled in."""
    text = news(1, words).split()
    for place, number in zip(range(2, 20, 3), range(101, 107), strict=True):
        text[place] = str(number)
    for place, number in zip((28, 38, 48), numbers, strict=True):
        text[place] = str(number)
    return " ".join(text)


@pytest.mark.parametrize(("words", "own_words", "kind"), [(60, 8, "partial"), (90, 24, "near")])
def test_numbers_replaced_in_a_short_arabic_text_make_a_template_and_in_a_longer_one_they_are_edits(words, own_words, kind):
    # Both pairs have a containment of 0.70 to 0.75. Three numbers in some 60 stems are dense, in some 90 they are not.
    texts = [f"{report(words, numbers)} {news(10 + numbers[0], own_words)}" for numbers in ((21, 33, 45), (210, 330, 450))]
    (match,) = dedup.find_copies([{"id": str(number), "text": text} for number, text in enumerate(texts)]).matches.to_pylist()
    assert 0.7 <= match["containment"] < 0.75
    assert match["kind"] == kind


# copies/survivors


@pytest.mark.parametrize(("canonical", "found"), [(7, True), (8, False)])
def test_a_document_is_compared_with_the_eight_first_canonicals_of_what_it_matches(canonical, found):
    # Nine groups of two; document 18 matches the copy of each, and stands in one of the canonicals.
    edges = {(number, 9 + number): (NEAR, 0.9, 0.9, 0.9) for number in range(9)}
    edges |= {(9 + number, 18): (NEAR, 0.5, 0.6, 0.6) for number in range(9)}
    groups = canonicals(edges, range(19), hidden={(canonical, 18): (NEAR, 0.5, 0.7, 0.7)})
    assert groups[18] == (canonical if found else 18)


# copies/recall


def test_the_interval_of_a_recall_is_one_of_95_percent():
    # All of ten independent pairs are listed: the lower limit has 2.5 % of the chance to list all ten.
    low, high = recall_interval(np.ones(10), np.ones(10), 10**9)
    assert (low, high) == (pytest.approx(0.025**0.1), 1.0)

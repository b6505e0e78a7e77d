"""Replaced facts: replacements in place, and facts that two texts have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.copies.replaced_facts import count_replaced, facts_of, replaced_facts, shared_facts
from dedup.kernels.text.terms import FACT
from tests import oracle

#: Few values, so that texts partly agree; six of them (2, 3, 6, 7, 10, 11) have the fact flag.
TERMS = st.lists(st.integers(0, 12), max_size=25)
ROWS = st.lists(TERMS, min_size=1, max_size=5)
TYPES = (np.int64, np.float64)


def array(row):
    return np.array(row, np.uint64)


def word(number):
    return number * 4


def fact(number):
    return number * 4 + 2


def every_pair(rows):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    return pairs, *np.array(pairs, np.int64).T


def test_the_fact_flag_is_that_of_terms():
    terms = oracle.term_rows(["وصل 12 الوزير"], 1 << 40)[0]
    assert [bool(term & int(FACT)) for term in terms] == [False, True, False]


@given(TERMS, TERMS)
def test_counts_match_the_reference(a, b):
    assert count_replaced(array(a), array(b)) == oracle.count_replaced(a, b)


@given(ROWS)
def test_replacements_are_counted_in_the_shorter_row(rows):
    pairs, left, right = every_pair(rows)
    counts, densities = replaced_facts(*oracle.flat(rows), left, right)
    assert (counts.dtype, densities.dtype) == TYPES
    assert list(zip(counts.tolist(), densities.tolist(), strict=True)) == oracle.replaced_facts(rows, pairs)


@given(TERMS)
def test_the_facts_of_terms_match_the_reference(terms):
    facts = facts_of(array(terms))
    assert facts.dtype == np.uint64
    assert facts.tolist() == oracle.facts_of(terms)


@given(ROWS)
def test_shared_facts_match_the_reference(rows):
    pairs, one, other = every_pair(rows)
    own, shared = shared_facts(*oracle.flat(rows), one, other)
    assert (own.dtype, shared.dtype) == (np.int64, np.int64)
    assert list(zip(own.tolist(), shared.tolist(), strict=True)) == oracle.shared_facts(rows, pairs)


def test_repeated_facts_count_once_and_words_do_not():
    rows = [[fact(1), word(5), fact(1), fact(2)], [fact(1), word(5), word(2), fact(3)]]
    own, shared = shared_facts(*oracle.flat(rows), np.array([0, 1]), np.array([1, 0]))
    assert (own.tolist(), shared.tolist()) == ([2, 2], [1, 1])


def test_a_different_number_in_the_same_place_is_a_replacement():
    assert count_replaced(array([word(1), fact(2), word(3)]), array([word(1), fact(4), word(3)])) == 1


def test_a_different_word_in_the_same_place_is_not_a_replacement():
    assert count_replaced(array([word(1), word(2), word(3)]), array([word(1), word(4), word(3)])) == 0
    assert count_replaced(array([word(1), fact(2), word(3)]), array([word(1), word(4), word(3)])) == 0


def test_equal_texts_have_no_replacements():
    row = array([word(1), fact(2), word(3), fact(4)])
    assert count_replaced(row, row) == 0


def test_a_missing_number_is_not_a_replacement():
    assert count_replaced(array([word(1), fact(2), word(3)]), array([word(1), word(3)])) == 0


@pytest.mark.parametrize("rows", [[[]], [[fact(1)]]], ids=["empty_row", "one_term"])
def test_small_inputs_have_the_right_types(rows):
    for pairs in (np.empty(0, np.int64), np.zeros(1, np.int64)):
        counts, densities = replaced_facts(*oracle.flat(rows), pairs, pairs)
        assert (counts.dtype, densities.dtype, counts.tolist()) == (*TYPES, [0] * len(pairs))
        own, shared = shared_facts(*oracle.flat(rows), pairs, pairs)
        assert own.tolist() == shared.tolist() == [len(rows[0])] * len(pairs)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("kernel", [replaced_facts, shared_facts])
def test_counts_do_not_depend_on_the_number_of_threads(kernel, threads):
    rows = oracle.flat([[i * j % 13 for j in range(20)] for i in range(12)])
    left, right = np.triu_indices(12, 1)
    whole = kernel(*rows, left, right)
    parts = map_blocks(lambda a, b: kernel(*rows, left[a:b], right[a:b]), len(left), threads, at_least=1)
    for i in range(2):
        assert np.concatenate([part[i] for part in parts]).tolist() == whole[i].tolist()

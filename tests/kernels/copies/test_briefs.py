"""Insertions: how many terms a row puts between those of a brief, against a plain reference."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.briefs import brief_term_rows, insertions
from tests import oracle

#: Deciding terms without flags, and terms with all flags.
DECIDING = [8, 16]
TERMS = st.lists(st.integers(0, 23), max_size=9)


def measured(brief, text, passage, facts):
    rows = oracle.flat([brief, text])
    return insertions(*rows, np.array([0]), np.array([1]), np.array(DECIDING, np.uint64), passage, facts)[0]


@given(TERMS.filter(len), TERMS, st.booleans(), st.booleans())
def test_insertions_match_the_reference(brief, text, passage, facts):
    assert measured(brief, text, passage, facts) == oracle.insertions(brief, text, DECIDING, passage, facts)


def test_only_ordinary_terms_may_be_put_in():
    assert measured([4, 12, 20], [4, 12, 20], False, True) == 0
    assert measured([4, 12, 20], [4, 24, 12, 20], False, True) == 1
    assert measured([4, 12, 20], [4, 8, 12, 20], False, True) == -1  # deciding
    assert measured([4, 12, 20], [4, 25, 12, 20], False, False) == -1  # a number
    assert measured([4, 12, 20], [4, 26, 12, 20], False, True) == -1  # a fact
    assert measured([4, 12, 20], [4, 26, 12, 20], False, False) == 1
    assert measured([4, 12, 20], [4, 20, 12], False, False) == -1  # another order


def test_a_passage_begins_and_ends_anywhere_but_behind_a_deciding_term():
    assert measured([4, 12], [26, 28, 4, 12, 8], True, True) == 0
    assert measured([4, 12], [26, 28, 4, 12, 8], False, True) == -1
    assert measured([4, 12], [8, 28, 4, 12], True, True) == -1
    assert measured([4, 12], [8, 28, 32, 4, 12], True, True) == 0


def test_a_passage_of_more_than_twelve_terms_begins_anywhere():
    assert measured([4] * 12, [8, *[4] * 12], True, True) == -1
    assert measured([4] * 13, [8, *[4] * 13], True, True) == 0


TOKENS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 23)), max_size=6)


@given(st.lists(TOKENS, max_size=4), st.integers(0, 6))
def test_terms_of_briefs_match_the_reference(texts, most):
    tokens, offsets = oracle.flat([[token for token, _ in text] for text in texts])
    terms, _ = oracle.flat([[term for _, term in text] for text in texts])
    known = {2: 4, 5: 11}
    lists = [np.array(values, np.uint64) for values in (list(known), list(known.values()), DECIDING, [12, 20])]
    found = brief_term_rows(tokens, offsets, terms, most, *lists)
    assert oracle.listed(*found) == oracle.brief_term_rows(texts, most, known, DECIDING, [12, 20])

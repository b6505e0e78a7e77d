"""Coverage: the share of words that occur in another text next to the same neighbour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.copies.coverage import coverage_pairs
from dedup.kernels.copies.overlap import overlap_pairs
from dedup.kernels.fingerprints.shingles import shingle_rows
from tests import oracle

#: Terms with flags in the lowest two bits, few enough for neighbours to repeat.
TERMS = st.lists(st.integers(0, 23), max_size=20)


def covered(one, by):
    return coverage_pairs(*oracle.flat([one, by]), np.array([0]), np.array([1]))[0]


def words(first, count):
    return [number * 4 for number in range(first, first + count)]


def shared_shingles(one, other):
    """The share of the shingles of three that the two have in common."""
    values, offsets = shingle_rows(*oracle.flat([one, other]), 3)
    return overlap_pairs(values, offsets, np.array([0]), np.array([1]))[0] / (offsets[1] - offsets[0])


@given(st.lists(TERMS, min_size=1, max_size=5))
def test_coverage_matches_the_reference(rows):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    found = coverage_pairs(*oracle.flat(rows), *np.array(pairs, np.int64).T)
    assert found.dtype == np.float64
    assert found.tolist() == oracle.coverage_pairs(rows, pairs)


@given(st.lists(TERMS, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(rows, random):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    random.shuffle(pairs)
    found = coverage_pairs(*oracle.flat(rows), *np.array(pairs, np.int64).T)
    assert found.tolist() == oracle.coverage_pairs(rows, pairs)


def test_an_edited_text_keeps_its_coverage_but_a_half_new_one_loses_half():
    text = words(0, 90)
    touched = [4 * 1000 + term if place % 3 == 2 else term for place, term in enumerate(text)]
    half_new = text[:45] + words(2000, 45)
    assert covered(touched, text) == 60 / 90
    assert covered(half_new, text) == 45 / 90
    # Shingles show the opposite: the edited text shares none.
    assert shared_shingles(touched, text) == 0
    assert shared_shingles(half_new, text) > 0.45


def test_a_text_is_covered_by_itself_and_by_texts_that_contain_it():
    text = words(0, 30)
    assert covered(text, text) == 1
    assert covered(text, words(100, 20) + text + words(200, 20)) == 1
    assert covered(words(100, 30) + text, text) == 0.5


def test_passages_in_another_order_are_covered():
    text = words(0, 30)
    assert covered(text, text[10:] + text[:10]) == 1


def test_words_without_their_neighbours_are_not_covered():
    text = words(0, 30)
    assert covered(text, text[::-1]) == 0


def test_flags_do_not_matter():
    assert covered([4, 8, 12], [4 + 1, 8 + 2, 12 + 3]) == 1


@pytest.mark.parametrize(
    ("one", "by", "coverage"),
    [([], [], 1), ([], [4], 1), ([4], [], 0), ([4], [8, 6], 1), ([4], [8, 12], 0), ([4, 8], [], 0), ([4, 8], [4], 0), ([4, 8], [4, 8], 1)],
    ids=["both_empty", "empty", "by_empty", "one_term", "another_term", "two_by_none", "two_by_one", "two"],
)
def test_a_row_of_one_term_is_covered_if_the_other_contains_it(one, by, coverage):
    assert covered(one, by) == coverage


def test_no_pairs_have_no_coverage():
    none = np.empty(0, np.int64)
    for rows in ([], [[4, 8]]):
        found = coverage_pairs(*oracle.flat(rows), none, none)
        assert (found.dtype, found.tolist()) == (np.float64, [])


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_coverage_does_not_depend_on_the_number_of_threads(threads):
    rows = oracle.flat([[i * j % 13 * 4 for j in range(i + 8)] for i in range(12)])
    one, by = (side.ravel() for side in np.indices((12, 12)))
    parts = map_blocks(lambda a, b: coverage_pairs(*rows, one[a:b], by[a:b]), len(one), threads, at_least=1)
    assert np.concatenate(parts).tolist() == coverage_pairs(*rows, one, by).tolist()

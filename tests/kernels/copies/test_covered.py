"""Values of rows that stand in kept rows, one part of the hash range at a time, equal set arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.covered import NOWHERE, count_covered, note_first_ranks
from tests import oracle

#: Halves of the hash range: a part is the top bit.
SHIFT = 63
#: Values at the ends of both halves, some of which begin in one slot.
VALUES = st.sampled_from([*range(6), 16, 32, 2**63 - 1, *range(2**63, 2**63 + 4), 2**64 - 16, 2**64 - 1])


@st.composite
def corpora(draw):
    rows = [sorted(row) for row in draw(st.lists(st.sets(VALUES, max_size=8), min_size=1, max_size=8))]
    kept = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    return rows, draw(st.permutations(range(len(rows)))), kept


def table_of(rows, ranks, chosen, part, slots):
    keys, first = np.zeros(slots, np.uint64), np.full((slots, 2), NOWHERE, np.int32)
    used = note_first_ranks(
        *oracle.flat(rows), np.array(chosen, np.int64), np.array(ranks, np.int32), np.uint64(part), np.uint64(SHIFT), keys, first, 0
    )
    return keys, first, used


@given(corpora(), st.integers(0, 1))
def test_the_table_has_the_two_lowest_ranks_of_each_value_of_the_part(corpus, part):
    rows, ranks, kept = corpus
    chosen = [row for row in range(len(rows)) if kept[row]]
    keys, first, used = table_of(rows, ranks, chosen, part, 64)
    expected = oracle.note_first_ranks(rows, chosen, ranks, part, SHIFT)
    assert used == len(expected) == np.count_nonzero(keys)
    found = [[rank for rank in pair if rank != NOWHERE] for pair in first[keys != 0].tolist()]
    assert sorted(found) == sorted(expected.values())


@given(corpora())
def test_counts_match_the_reference(corpus):
    rows, ranks, kept = corpus
    every = np.arange(len(rows))
    before, anywhere = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for part in range(2):
        keys, first, _ = table_of(rows, ranks, [row for row in range(len(rows)) if kept[row]], part, 64)
        where = (np.uint64(part), np.uint64(SHIFT))
        count_covered(*oracle.flat(rows), every, np.array(ranks, np.int32), *where, keys, first, before, anywhere)
    assert list(zip(before.tolist(), anywhere.tolist(), strict=True)) == oracle.count_covered(rows, ranks, kept)


@pytest.mark.parametrize(("values", "used"), [(4, 4), (5, -1)])
def test_a_table_is_at_most_half_full(values, used):
    assert table_of([list(range(values))], [0], [0], 0, 8)[2] == used


def test_a_part_is_counted_in_several_calls():
    rows, ranks = [[1, 2], [2, 3], [0, 3]], np.array([2, 0, 1], np.int32)
    keys, first = np.zeros(16, np.uint64), np.full((16, 2), NOWHERE, np.int32)
    used, where = 0, (np.uint64(0), np.uint64(SHIFT))
    for row in range(3):
        used = note_first_ranks(*oracle.flat(rows), np.array([row]), ranks, *where, keys, first, used)
    assert used == 4
    before, anywhere = np.zeros(1, np.int64), np.zeros(1, np.int64)
    count_covered(*oracle.flat(rows), np.array([2]), ranks, *where, keys, first, before, anywhere)
    assert (before.tolist(), anywhere.tolist()) == ([1], [1])

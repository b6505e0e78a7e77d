"""What stands in kept documents: exact counts, whatever threads, files and hashes; and the shares made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.arrays.spill import SpillPool
from dedup.copies.covered import Covered, measure_covered
from tests import oracle

MEMORY = 1 << 62
VALUES = st.sampled_from([0, 1, 2, 3, 2**58 - 1, 2**58, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]) | st.integers(0, 2**64 - 1)


def counted(rows, ranks, kept, threads=1, limit=MEMORY):
    with SpillPool(limit) as spill:
        values, offsets = oracle.flat([sorted(set(row)) for row in rows])
        stored = spill.new_array(np.uint64)
        stored.add(values)
        found = measure_covered((stored.array(), offsets), np.array(ranks), np.array(kept, bool), spill, threads=threads)
        assert spill.spilled == (limit == 0 and len(values) > 0)
    assert found.sizes.tolist() == [len(set(row)) for row in rows]
    assert found.kept.tolist() == list(kept)
    return list(zip(found.before.tolist(), found.anywhere.tolist(), strict=True))


@st.composite
def corpora(draw):
    rows = draw(st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=10))
    kept = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    return rows, draw(st.permutations(range(len(rows)))), kept


@settings(max_examples=25)
@given(corpora(), st.sampled_from([1, 3]), st.sampled_from([0, MEMORY]))
def test_counts_match_the_reference(corpus, threads, limit):
    assert counted(*corpus, threads, limit) == oracle.count_covered(*corpus)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("limit", [0, MEMORY], ids=["file", "memory"])
def test_counts_of_many_documents_match_the_reference(threads, limit):
    random = np.random.default_rng(2)
    texts = random.integers(0, 2**64, 400, np.uint64)
    rows = [random.choice(texts, size).tolist() for size in random.integers(0, 60, 150)]
    ranks, kept = random.permutation(150).tolist(), (random.random(150) < 0.7).tolist()
    assert counted(rows, ranks, kept, threads, limit) == oracle.count_covered(rows, ranks, kept)


def test_hashes_of_zero_and_one_are_two():
    assert counted([[0], [1], [0, 1]], [0, 1, 2], [True, False, False]) == [(0, 0), (0, 0), (1, 1)]


def test_a_table_grows_where_hashes_are_uneven():
    # 20,000 hashes of one part; a table begins with 16,384 slots.
    half = list(range(10_000))
    rows = [half, [value + 5_000 for value in half], [*half, *(value + 10_000 for value in half)]]
    assert counted(rows, [0, 1, 2], [True] * 3) == [(0, 10_000), (5_000, 10_000), (15_000, 15_000)]


def test_no_documents_are_counted():
    assert counted([], [], []) == []


def test_a_round_up_stands_in_three_wires_together():
    wires = [list(range(first, first + 30)) for first in (100, 200, 300)]
    round_up = [*wires[0], *wires[1], *wires[2], *range(10)]
    assert counted([*wires, round_up], [0, 1, 2, 3], [True] * 4)[3] == (90, 90)


def test_shares_are_of_the_own_shingles_and_losses_are_of_dropped_documents():
    # A kept one, a copy that loses 6 of 10, a kept one that repeats 5 of 20, a copy that loses nothing, an empty text.
    covered = Covered(
        before=np.array([0, 4, 5, 8, 0]), anywhere=np.array([9, 4, 5, 8, 0]), sizes=np.array([10, 10, 20, 8, 0]),
        kept=np.array([True, False, True, False, True]),
    )  # fmt: skip
    assert covered.shares().tolist() == [0, 0.4, 0.25, 1, 0]
    assert covered.lost_shares().tolist() == [0, 0.6, 0, 0, 0]
    assert covered.lost() == 6 / 18
    assert covered.repeated() == 5 / 30


def test_without_copies_nothing_is_lost():
    none = np.zeros(1, np.int64)
    assert Covered(none, none, none + 5, np.array([True])).lost() == 0
    assert Covered(none, none, none + 5, np.array([False])).repeated() == 0

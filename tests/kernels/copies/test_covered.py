"""Values of rows that stand in kept rows, one part of the hash range at a time, equal set arithmetic."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.covered import collect_part, count_covered
from tests import oracle

#: Values at the ends of parts, some of which begin in one slot.
VALUES = st.sampled_from([*range(6), 16, 32, 2**63 - 1, *range(2**63, 2**63 + 4), 2**64 - 16, 2**64 - 1])


@st.composite
def corpora(draw):
    rows = [sorted(row) for row in draw(st.lists(st.sets(VALUES, max_size=8), min_size=1, max_size=8))]
    kept = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    return rows, draw(st.permutations(range(len(rows)))), kept


def collected(rows, bounds, room):
    """The parts of rows that end at the bounds, each as the number of values and the pairs (value, row) that fit."""
    values, offsets = oracle.flat(rows)
    starts, parts = offsets[:-1].copy(), []
    for last in bounds:
        ends, found, of = np.empty_like(starts), np.empty(room, np.uint64), np.empty(room, np.int32)
        count = collect_part(values, offsets, starts, ends, np.uint64(last), found, of)
        fitting = min(count, room)
        parts.append((count, list(zip(found[:fitting].tolist(), of[:fitting].tolist(), strict=True))))
        starts = ends
    return parts


@given(corpora(), st.lists(VALUES, max_size=3))
def test_every_value_is_in_the_part_that_its_bounds_enclose(corpus, bounds):
    bounds, rows = [*sorted(set(bounds)), 2**64 - 1], corpus[0]
    lows = [-1, *bounds[:-1]]
    expected = [oracle.collect_part(rows, low, last) for low, last in zip(lows, bounds, strict=True)]
    assert [pairs for _, pairs in collected(rows, bounds, 64)] == expected


def test_a_part_that_does_not_fit_tells_its_size():
    assert collected([[1, 2], [2, 3, 4]], [2**64 - 1], 2) == [(5, [(1, 0), (2, 0)])]


@given(corpora(), st.lists(VALUES, max_size=2))
def test_counts_match_the_reference(corpus, bounds):
    rows, ranks, kept = corpus
    before, anywhere = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for _, pairs in collected(rows, [*sorted(set(bounds)), 2**64 - 1], 64):
        values, of = (np.array([pair[side] for pair in pairs], kind) for side, kind in enumerate((np.uint64, np.int32)))
        count_covered(values, of, np.array(ranks, np.int32), np.array(kept, bool), before, anywhere)
    assert list(zip(before.tolist(), anywhere.tolist(), strict=True)) == oracle.count_covered(rows, ranks, kept)

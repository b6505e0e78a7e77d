"""How much of a row stands in several others together, against sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.index.covered import count_covered
from tests import oracle, oracle_index

ROWS = st.lists(st.sets(st.integers(0, 60)), min_size=1, max_size=8)


@given(ROWS, st.data())
def test_the_count_is_that_of_the_union_of_the_rows_that_count(rows, data):
    values, offsets = oracle.flat([sorted(row) for row in rows], np.uint64)
    others = [data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5)) for _ in rows]
    flat = np.array([other for listed in others for other in listed], np.int64)
    counted = np.array([data.draw(st.booleans()) for _ in flat], bool)
    starts = np.cumsum([0, *(len(listed) for listed in others)])
    found = count_covered(values, offsets, np.arange(len(rows)), flat, counted, starts)
    assert found.tolist() == oracle_index.count_covered(values, offsets, np.arange(len(rows)), flat, counted, starts).tolist()


def test_a_long_row_is_searched_for_the_values_of_a_short_one():
    values, offsets = oracle.flat([list(range(1000)), [3, 500, 2000], [500, 999]], np.uint64)
    found = count_covered(values, offsets, np.array([0]), np.array([1, 2]), np.ones(2, bool), np.array([0, 2]))
    assert found.tolist() == [3]

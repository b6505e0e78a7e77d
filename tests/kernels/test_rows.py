"""Rows: gathering the chosen rows in order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.rows import row_offsets
from dedup.kernels.rows import gather_rows
from tests import oracle


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=6), st.sampled_from([np.uint64, np.int32]), st.data())
def test_gathered_rows_match_the_reference(rows, dtype, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    values, offsets = oracle.flat(rows, dtype)
    taken = row_offsets(np.array([len(rows[i]) for i in chosen], np.int64))
    found = gather_rows(values, offsets, np.array(chosen, np.int64), taken)
    assert found.dtype == dtype
    assert oracle.listed(found, taken) == oracle.gather_rows(rows, chosen)

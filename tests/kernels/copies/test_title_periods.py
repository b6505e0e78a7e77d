"""Periods: equal keys far apart in time get different numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.overlap import number_periods
from tests import oracle

TIMES = st.one_of(st.just(float("nan")), st.integers(0, 30).map(float))


@given(st.lists(st.tuples(st.integers(0, 3), TIMES), max_size=12), st.integers(1, 9))
def test_periods_match_the_reference(rows, longest):
    rows = sorted(rows, key=lambda row: (row[0], -1.0 if np.isnan(row[1]) else row[1]))
    keys, times = [key for key, _ in rows], [time for _, time in rows]
    numbers = number_periods(np.array(keys, np.uint64), np.array(times, np.float64), float(longest))
    assert numbers.dtype == np.int64
    assert numbers.tolist() == oracle.number_periods(keys, times, longest)

"""Binary search agrees with Python's ``bisect``."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.rows import first_at_least


@given(st.lists(st.integers(0, 20), max_size=12).map(sorted), st.integers(0, 21), st.data())
def test_first_at_least_agrees_with_bisect(values, value, data):
    low = data.draw(st.integers(0, len(values)))
    high = data.draw(st.integers(low, len(values)))
    assert first_at_least(np.array(values, np.uint64), low, high, np.uint64(value)) == bisect_left(values, value, low, high)

"""Keys of postings are salted by the arithmetic that indexes on disk were written with."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.index.keys import fold_digests, salt_keys
from tests import oracle_index

NUMBERS = st.integers(0, 2**64 - 1)


@given(st.lists(NUMBERS, max_size=5), NUMBERS)
def test_keys_are_salted_as_in_the_reference_implementation(values, salt):
    assert salt_keys(np.array(values, np.uint64), np.uint64(salt)).tolist() == oracle_index.salt_keys(values, salt)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_digests_are_folded_as_in_the_reference_implementation(digests):
    assert fold_digests(np.array(digests, np.uint64)).tolist() == oracle_index.fold_digests(digests)

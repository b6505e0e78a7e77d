"""Pairs of LSH buckets, at a cost linear in the size of a bucket."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.buckets import bucket_pairs
from tests import oracle

KEYS = st.lists(st.integers(0, 5) | st.integers(2**63, 2**63 + 2), max_size=40).map(sorted)
ROWS = st.lists(st.sets(st.integers(0, 12), max_size=8).map(sorted), max_size=12)


def pairs_of(left, right):
    return list(zip(left.tolist(), right.tolist(), strict=True))


@given(KEYS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_pairs_of_buckets_match_the_reference(keys, cap, random):
    members = list(range(len(keys)))
    random.shuffle(members)
    left, right, capped = bucket_pairs(np.array(keys, np.uint64), np.array(members, np.int64), cap)
    assert (pairs_of(left, right), capped) == oracle.bucket_pairs(keys, members, cap)


def test_pairs_of_a_large_bucket_grow_linearly():
    left, _, capped = bucket_pairs(np.zeros(10_000, np.uint64), np.arange(10_000), 64)
    assert len(left) <= 10_000 * (64 // 8 + 64 // 16)
    assert capped == 10_000


def test_no_keys_give_no_pairs():
    left, right, capped = bucket_pairs(np.empty(0, np.uint64), np.empty(0, np.int64), 4)
    assert (left.dtype, right.dtype, len(left), capped) == (np.int64, np.int64, 0, 0)

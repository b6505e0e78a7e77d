"""Sampled rows against all rows: every pair that reaches a threshold, and no other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels.copies.recall import SampleIndex, sample_pairs
from tests import oracle

VALUES = st.integers(0, 12) | st.integers(0, 12).map(lambda n: (1 << 64) - 1 - n) | st.integers(0, 12).map(lambda n: n << 60)
ROWS = st.lists(st.sets(VALUES, max_size=12).map(sorted), min_size=1, max_size=8)


def pairs(rows, chosen, sample, jaccard, containment, bits):
    """The kernel on rows as lists."""
    values, offsets = oracle.flat(rows)
    known = sorted({value for row in sample for value in rows[row]})
    members = [[place for place, row in enumerate(sample) if value in rows[row]] for value in known]
    flat_members, member_offsets = oracle.flat(members, np.int64)
    seen, directory = np.zeros(1 << bits, bool), np.zeros(1 << bits, np.int32)
    for place, value in reversed(list(enumerate(known))):
        seen[value >> 64 - bits] = True
        directory[value >> 64 - bits] = place
    index = SampleIndex(seen, directory, np.array(known, np.uint64), member_offsets, flat_members, np.array(sample, np.int64))
    answer = sample_pairs(values, offsets, np.array(chosen, np.int64), index, jaccard, containment)
    assert [array.dtype for array in answer] == [np.int64] * 3
    return list(zip(*(array.tolist() for array in answer), strict=True))


@given(ROWS, st.data(), st.sampled_from([0.2, 0.5, 1.0]), st.sampled_from([0.3, 0.57, 1.0]), st.sampled_from([1, 4, 10]))
def test_pairs_match_the_reference(rows, data, jaccard, containment, bits):
    places = st.integers(0, len(rows) - 1)
    full = [row for row in range(len(rows)) if rows[row]]
    sample = data.draw(st.lists(st.sampled_from(full), unique=True) if full else st.just([]))
    chosen = data.draw(st.lists(places, unique=True))
    found = pairs(rows, chosen, sample, jaccard, containment, bits)
    assert [row for _, row, _ in found] == sorted((row for _, row, _ in found), key=chosen.index)
    assert sorted(found) == oracle.sample_pairs(rows, chosen, sample, jaccard, containment)


def test_sampling_pairs_grows_its_arrays():
    rows = [[1, 2, 3]] * 40
    found = pairs(rows, range(40), range(20), 0.5, 0.5, 4)
    assert len(found) == 20 * 39
    assert {shared for _, _, shared in found} == {3}

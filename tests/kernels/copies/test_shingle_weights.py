"""Shingle weights: approximate counters miss no common value, and the survivors are counted exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.copies.shingle_weights import (
    Selection,
    count_in_source,
    count_rows,
    most_in_source,
    perhaps_common,
    shared_weights,
    weight_sums,
    weight_table,
)
from tests import oracle

#: Few values, so that they repeat, with all kinds of high bits.
HASHES = st.integers(0, 30).map(oracle.mix64) | st.integers(0, 2**64 - 1)
#: Rows, each with its source.
DOCUMENTS = st.lists(st.tuples(st.sets(HASHES, max_size=8).map(sorted), st.integers(0, 2)), max_size=12)
SLOTS = st.sampled_from([1, 8, 64])
WEIGHTS = st.dictionaries(HASHES.filter(bool), st.floats(0.001, 1), max_size=12)
ROWS = st.lists(st.sets(HASHES, max_size=8).map(sorted), min_size=1, max_size=5)


def ints(values):
    return np.array(values, np.int64)


def where(bits, share):
    """One of ``2**bits`` parts of the values, and the shift that selects it."""
    return int(share * (2**bits - 1)), 64 - bits


@given(DOCUMENTS, st.integers(1, 4), st.floats(0, 1), SLOTS, st.integers(1, 4), st.integers(0, 12))
def test_counts_match_the_reference(documents, bits, share, slots, most, cut):
    rows, (part, shift) = [row for row, _ in documents], where(bits, share)
    chosen = [row for row in range(len(rows)) if row % 3 < 2]
    counters = np.zeros(slots, np.uint8)
    for block in (chosen[:cut], chosen[cut:]):
        count_rows(*oracle.flat(rows), ints(block), np.uint64(part), np.uint64(shift), counters, np.uint8(most))
    assert counters.tolist() == oracle.count_rows(rows, chosen, part, shift, slots, most)


@given(DOCUMENTS, st.integers(1, 4), st.floats(0, 1), SLOTS, SLOTS, st.integers(1, 3), st.data())
def test_counts_within_sources_and_their_survivors_match_the_reference(documents, bits, share, slots, slots_within, least, data):
    rows, (part, shift) = [row for row, _ in documents], where(bits, share)
    chosen = data.draw(st.permutations([(row, source) for row, (_, source) in enumerate(documents)]))
    bounds = data.draw(st.lists(st.integers(0, 3), min_size=3, max_size=3))
    order, sources = (ints([pair[i] for pair in chosen]) for i in (0, 1))
    counters, within = np.zeros(slots, np.uint8), np.zeros(slots_within, np.uint8)
    selection = Selection(np.uint64(part), np.uint64(shift), counters, np.uint8(least))
    count_rows(*oracle.flat(rows), order, selection.part, selection.shift, counters, np.uint8(least))
    count_in_source(*oracle.flat(rows), order, sources, selection, within, np.uint8(5))
    given_counters = counters.tolist(), least
    assert within.tolist() == oracle.count_in_source(rows, chosen, part, shift, *given_counters, slots_within, 5)

    values, of = perhaps_common(*oracle.flat(rows), order, sources, selection, within, ints(bounds))
    assert (values.dtype, of.dtype) == (np.uint64, np.int64)
    expected = oracle.perhaps_common(rows, chosen, part, shift, *given_counters, within.tolist(), bounds)
    assert list(zip(values.tolist(), of.tolist(), strict=True)) == expected


def test_perhaps_common_grows_its_arrays():
    rows = oracle.flat([[1, 2, 3]] * 1000)
    order, sources, ones = np.arange(1000), np.zeros(1000, np.int64), np.ones(1, np.uint8)
    selection = Selection(np.uint64(0), np.uint64(63), ones, np.uint8(1))
    values, of = perhaps_common(*rows, order, sources, selection, ones, np.zeros(1, np.int64))
    assert values.tolist() == [1, 2, 3] * 1000
    assert of.tolist() == [0] * 3000


def test_counts_saturate():
    rows = oracle.flat([[7]] * 600)
    order, counters, within = np.arange(600), np.zeros(1, np.uint8), np.zeros(1, np.uint8)
    selection = Selection(np.uint64(0), np.uint64(63), counters, np.uint8(255))
    count_rows(*rows, order, selection.part, selection.shift, counters, np.uint8(255))
    count_in_source(*rows, order, np.zeros(600, np.int64), selection, within, np.uint8(255))
    assert (counters.tolist(), within.tolist()) == ([255], [255])


ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=40).map(sorted)


@given(ENTRIES, st.lists(st.integers(0, 4), min_size=3, max_size=3), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_exact_counts_match_the_reference(entries, bounds, scales):
    values, sources = np.array([value for value, _ in entries], np.uint64), ints([source for _, source in entries])
    common, commonness = most_in_source(values, sources, ints(bounds), ints(scales))
    assert (common.dtype, commonness.dtype) == (np.uint64, np.int64)
    expected = oracle.most_in_source(entries, bounds, scales)
    assert list(zip(common.tolist(), commonness.tolist(), strict=True)) == sorted(expected.items())


def test_the_largest_source_decides_not_the_sum():
    values, sources = np.full(7, 5, np.uint64), ints([0, 0, 1, 1, 1, 2, 3])
    common, commonness = most_in_source(values, sources, ints([2, 2, 2, 2]), ints([1, 1, 1, 1]))
    assert (common.tolist(), commonness.tolist()) == ([5], [3])
    assert most_in_source(values, sources, ints([3, 3, 3, 3]), ints([1, 1, 1, 1]))[0].tolist() == []


def test_counts_are_multiplied_by_the_scale_of_the_source():
    values, sources = np.full(7, 5, np.uint64), ints([0, 0, 1, 1, 1, 1, 1])
    assert most_in_source(values, sources, ints([1, 4]), ints([10, 3]))[1].tolist() == [20]


def table(weights):
    return weight_table(np.array([*weights], np.uint64), np.array([*weights.values()], np.float64))


@given(WEIGHTS)
def test_the_weight_table_matches_the_reference_and_has_free_slots(weights):
    keys, held = table(weights)
    assert (keys.dtype, held.dtype) == (np.uint64, np.float64)
    assert len(keys) == len(held) >= 4 * len(weights)
    assert len(keys) & (len(keys) - 1) == 0
    found = {key: weight for key, weight in zip(keys.tolist(), held.tolist(), strict=True) if key}
    assert found == oracle.weight_table([*weights], [*weights.values()])


@given(ROWS, WEIGHTS, st.data())
def test_weights_of_rows_and_overlaps_match_the_reference(rows, weights, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    sums = weight_sums(*oracle.flat(rows), ints(chosen), *table(weights))
    assert sums.dtype == np.float64
    assert sums.tolist() == oracle.weight_sums(rows, chosen, weights)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    shared = shared_weights(*oracle.flat(rows), *ints(pairs).T, *table(weights))
    assert shared.dtype == np.float64
    assert shared.tolist() == oracle.shared_weights(rows, pairs, weights)


def test_colliding_values_keep_their_own_weights():
    values = [slot << 20 | 3 for slot in range(1, 9)]
    weights = {value: 1 / place for place, value in enumerate(values[:6], 2)}
    rows = oracle.flat([[value] for value in values])
    assert weight_sums(*rows, np.arange(8), *table(weights)).tolist() == [*weights.values(), 1.0, 1.0]


@pytest.mark.parametrize("weights", [{}, {5: 0.5}], ids=["none_common", "one_common"])
def test_small_inputs_have_the_right_weights(weights):
    none = np.empty(0, np.int64)
    rows = oracle.flat([[], [5]])
    assert weight_sums(*rows, np.arange(2), *table(weights)).tolist() == [0.0, weights.get(5, 1.0)]
    assert weight_sums(*rows, none, *table(weights)).tolist() == []
    assert shared_weights(*rows, none, none, *table(weights)).tolist() == []
    common, commonness = most_in_source(np.empty(0, np.uint64), none, ints([1]), ints([1]))
    assert (len(common), len(commonness)) == (0, 0)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_weights_do_not_depend_on_the_number_of_threads(threads):
    rows = oracle.flat([sorted({i * j % 31 + 1 for j in range(1, 9)}) for i in range(20)])
    left, right = np.triu_indices(20, 1)
    weights = table({value: 1 / value for value in range(2, 20)})
    parts = map_blocks(lambda a, b: shared_weights(*rows, left[a:b], right[a:b], *weights), len(left), threads, at_least=1)
    assert np.concatenate(parts).tolist() == shared_weights(*rows, left, right, *weights).tolist()

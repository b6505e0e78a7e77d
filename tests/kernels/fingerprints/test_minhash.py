"""MinHash: the signatures of datasketch, and band keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.fingerprints.datasketch_schemes import permutations
from dedup.kernels.fingerprints.minhash import band_keys, legacy_signature_rows, signature_rows
from tests import oracle

NUMBERS = st.integers(0, 2**32 - 1)
HASHES = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.lists(HASHES, max_size=10), max_size=5)
SLOTS = st.lists(st.tuples(NUMBERS.map(lambda a: a | 1), NUMBERS), max_size=9)
LEGACY_SLOTS = st.lists(st.tuples(st.integers(1, 2**61 - 2), st.integers(0, 2**61 - 2)), max_size=9)


def signed(rows, slots, chosen=None):
    chosen = range(len(rows)) if chosen is None else chosen
    multipliers, increments = (np.array(part, np.uint32) for part in ([a for a, _ in slots], [b for _, b in slots]))
    return signature_rows(*oracle.flat(rows), np.array(chosen, np.int64), multipliers, increments)


@given(ROWS, SLOTS, st.data())
def test_signatures_match_the_reference(rows, slots, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    expected = oracle.signature_rows(rows, chosen, [a for a, _ in slots], [b for _, b in slots])
    assert signed(rows, slots, chosen).tolist() == expected


@given(ROWS, LEGACY_SLOTS, st.data())
def test_legacy_signatures_match_the_reference(rows, slots, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    multipliers, increments = [a for a, _ in slots], [b for _, b in slots]
    parameters = np.array(multipliers, np.uint64), np.array(increments, np.uint64)
    signatures = legacy_signature_rows(*oracle.flat(rows), np.array(chosen, np.int64), *parameters)
    assert (signatures.dtype, signatures.shape) == (np.uint32, (len(chosen), len(slots)))
    assert signatures.tolist() == oracle.legacy_signature_rows(rows, chosen, multipliers, increments)


@given(HASHES, NUMBERS)
def test_only_the_high_half_of_a_hash_matters(value, low):
    slots = [(0x9E3779B1, 7), (1, 0)]
    assert signed([[value]], slots).tolist() == signed([[value >> 32 << 32 | low]], slots).tolist()


@given(st.lists(st.lists(NUMBERS, min_size=12, max_size=12), max_size=5), st.sampled_from([(1, 1), (3, 4), (12, 1), (2, 5)]))
def test_band_keys_match_the_reference(signatures, shape):
    array = np.array(signatures, np.uint32).reshape(len(signatures), 12)
    assert band_keys(array, *shape).tolist() == oracle.band_keys(signatures, *shape)


@given(st.lists(HASHES, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_order_and_repeats_of_hashes_do_not_matter(row, random):
    shuffled = [*row, row[0]]
    random.shuffle(shuffled)
    slots = [(0x9E3779B1, 7), (1, 0), (0xFFFFFFFF, 2**32 - 1)]
    assert signed([row], slots).tolist() == signed([shuffled], slots).tolist()


@given(st.lists(HASHES, max_size=8), st.lists(HASHES, max_size=8))
def test_the_signature_of_a_union_is_the_minimum_of_both(one, other):
    slots = [(0x9E3779B1, 7), (3, 11), (0xFFFFFFFF, 2**32 - 1)]
    first, second, both = signed([one, other, one + other], slots)
    assert both.tolist() == np.minimum(first, second).tolist()


def test_a_row_without_hashes_is_all_ones():
    assert signed([[]], [(1, 0), (3, 5)]).tolist() == [[2**32 - 1] * 2]


def test_equal_values_have_different_keys_in_different_bands():
    keys = band_keys(np.array([[5, 5, 5, 5]], np.uint32), 4, 1)
    assert len(set(keys[:, 0].tolist())) == 4


@pytest.mark.parametrize("rows", [[], [[]], [[1 << 32]]], ids=["no_row", "empty_row", "one_hash"])
def test_small_inputs_have_the_right_shape_and_types(rows):
    signatures = signed(rows, [(1, 0), (3, 5)])
    assert (signatures.dtype, signatures.shape) == (np.uint32, (len(rows), 2))
    keys = band_keys(signatures, 2, 1)
    assert (keys.dtype, keys.shape) == (np.uint64, (2, len(rows)))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_signatures_do_not_depend_on_the_number_of_threads(threads):
    values, offsets = oracle.flat([[(i * 7919 + j) * 0x9E3779B97F4A7C15 % 2**64 for j in range(i % 9)] for i in range(60)])
    slots = permutations(16, 1)
    rows = np.arange(60)
    parts = map_blocks(lambda a, b: signature_rows(values, offsets, rows[a:b], *slots), 60, threads, at_least=1)
    assert np.concatenate(parts).tolist() == signature_rows(values, offsets, rows, *slots).tolist()

"""Similarity sketches: slots agree as often as sets overlap, and vary less than those of MinHash."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.threads import map_blocks
from dedup.kernels.fingerprints.similarity_sketch import sketch_rows
from tests import oracle

HASHES = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.lists(HASHES, max_size=10), max_size=4)
SLOTS = st.sampled_from([1, 2, 3, 7, 8, 16, 33])
#: Elements of a union: all in the late rounds, some there, a headline, a brief, a report.
UNIONS = [1, 2, 3, 5, 9, 40, 150, 600]


def sketched(rows, n_slots=16, seed=1, chosen=None):
    chosen = range(len(rows)) if chosen is None else chosen
    return sketch_rows(*oracle.flat(rows), np.array(chosen, np.int64), n_slots, np.uint64(seed))


def pairs_of_sets(union, n_pairs):
    """Random pairs of sets with ``union`` elements together, about half of them shared: (rows, their jaccard)."""
    shared = (union + 1) // 2
    own = shared + (union - shared) // 2
    random = np.random.default_rng(union)
    unions = random.integers(0, 2**64, (n_pairs, union), np.uint64)
    values = np.concatenate([unions[:, :own], unions[:, :shared], unions[:, own:]], axis=1)
    sizes = np.tile([own, union - own + shared], n_pairs)
    return (values.reshape(-1), np.concatenate([[0], np.cumsum(sizes)])), shared / union


@given(ROWS, SLOTS, HASHES, st.data())
def test_sketches_match_the_reference(rows, n_slots, seed, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=4)) if rows else []
    assert sketched(rows, n_slots, seed, chosen).tolist() == oracle.sketch_rows(rows, chosen, n_slots, seed)


@given(st.lists(HASHES, min_size=1, max_size=12), SLOTS, st.randoms(use_true_random=False))
def test_order_and_repeats_of_hashes_do_not_matter(row, n_slots, random):
    shuffled = [*row, row[0]]
    random.shuffle(shuffled)
    first, second = sketched([row, shuffled], n_slots)
    assert first.tolist() == second.tolist()


@given(st.lists(HASHES, max_size=12), st.lists(HASHES, max_size=12), SLOTS)
def test_the_sketch_of_a_union_is_the_minimum_of_both(one, other, n_slots):
    first, second, both = sketched([one, other, one + other], n_slots)
    assert both.tolist() == np.minimum(first, second).tolist()


@pytest.mark.parametrize("sizes", [(1, 1), (2, 400), (30, 50), (300, 500)])
def test_the_sketch_of_a_union_of_many_is_the_minimum_of_both(sizes):
    values = np.random.default_rng(2).integers(0, 2**64, sum(sizes), np.uint64).tolist()
    first, second, both = sketched([values[: sizes[0]], values[sizes[0] :], values], 128)
    assert both.tolist() == np.minimum(first, second).tolist()


@pytest.mark.parametrize("union", UNIONS)
def test_the_estimate_is_unbiased_and_varies_less_than_that_of_minhash(union):
    n_pairs, n_slots = 4000, 128
    (values, offsets), jaccard = pairs_of_sets(union, n_pairs)
    sketches = sketch_rows(values, offsets, np.arange(2 * n_pairs), n_slots, np.uint64(5))
    errors = (sketches[::2] == sketches[1::2]).mean(axis=1) - jaccard
    binomial = np.sqrt(jaccard * (1 - jaccard) / n_slots)
    assert abs(errors.mean()) <= 4 * binomial / np.sqrt(n_pairs)
    # Without replacement from a union of many elements the gain becomes small.
    assert np.sqrt((errors**2).mean()) <= binomial * (0.78 if union <= n_slots else 0.98)


def test_slots_agree_independently_of_where_they_stand():
    (values, offsets), jaccard = pairs_of_sets(40, 4000)
    sketches = sketch_rows(values, offsets, np.arange(8000), 64, np.uint64(5))
    agreeing = (sketches[::2] == sketches[1::2]).mean(axis=0)
    assert (abs(agreeing - jaccard) <= 5 * np.sqrt(jaccard * (1 - jaccard) / 4000)).all()


def test_different_hashes_hardly_ever_share_a_slot():
    values = np.random.default_rng(4).integers(0, 2**64, 2 * 20_000, np.uint64)
    first, second = sketch_rows(values, np.array([0, 20_000, 40_000]), np.arange(2), 4096, np.uint64(5))
    assert np.count_nonzero(first == second) <= 1


def test_other_seeds_give_other_sketches():
    row = np.random.default_rng(3).integers(0, 2**64, 50, np.uint64).tolist()
    assert not (sketched([row], 128, 1) == sketched([row], 128, 2)).any()


def test_a_row_without_hashes_is_all_ones():
    assert sketched([[], [5], []], 4)[[0, 2]].tolist() == [[2**32 - 1] * 4] * 2


def test_all_slots_of_a_row_with_one_hash_are_filled():
    assert (sketched([[2**63]], 128) < 2**32 - 1).all()


@pytest.mark.parametrize("rows", [[], [[]], [[1 << 32]]], ids=["no_row", "empty_row", "one_hash"])
def test_small_inputs_have_the_right_shape_and_type(rows):
    sketches = sketched(rows, 2)
    assert (sketches.dtype, sketches.shape) == (np.uint32, (len(rows), 2))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_sketches_do_not_depend_on_the_number_of_threads(threads):
    values, offsets = oracle.flat([[oracle.mix64(i * 100 + j) for j in range(i % 9)] for i in range(60)])
    rows, seed = np.arange(60), np.uint64(1)
    parts = map_blocks(lambda a, b: sketch_rows(values, offsets, rows[a:b], 16, seed), 60, threads, at_least=1)
    assert np.concatenate(parts).tolist() == sketch_rows(values, offsets, rows, 16, seed).tolist()

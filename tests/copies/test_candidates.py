"""Candidates: near copies and excerpts are proposed, at a cost linear in the number of near copies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays.spill import SpillPool
from dedup.config import CandidateConfig, Config, SignatureConfig
from dedup.copies.inverted_index import posting_candidates
from dedup.copies.lsh import band_candidates
from dedup.copies.pairs import packed, row_bits
from dedup.fingerprints.minhash import band_rows
from dedup.kernels.fingerprints.shingles import unique_rows
from tests import oracle


def corpus(rows):
    values = np.concatenate([np.asarray(row, np.uint64) for row in rows] or [np.empty(0, np.uint64)])
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return unique_rows(values, offsets)


def proposed(rows, *, compared=None, least_share=0.3, excerpts=True, threads=1, limit=1 << 30, **settings):
    shingles, config = corpus(rows), CandidateConfig(**settings)
    compared = np.arange(len(rows)) if compared is None else np.array(compared)
    keys = band_rows(shingles, compared, SignatureConfig(), config.bands, config.rows, threads=threads)
    alike = band_candidates(keys, np.diff(shingles[1])[compared] > 0, compared, config, threads=threads)
    if not excerpts:
        return alike
    with SpillPool(limit) as spill:
        return alike.join(posting_candidates(shingles, compared, config, least_share, spill, threads=threads), len(rows))


def hashes(seed, n):
    return np.random.default_rng(seed).integers(0, 2**64, n, np.uint64)


def pairs_of(found):
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


@given(st.lists(st.integers(0, 2**60 - 1), min_size=1, max_size=40))
def test_packed_keys_are_sorted_and_so_are_the_rows_of_a_key(high):
    bits = row_bits(len(high))
    keys, rows = np.array([key << 4 for key in high], np.uint64), np.arange(len(high), dtype=np.uint64)
    numbers = packed(keys, rows, bits).tolist()
    found = [(number >> bits, number % (1 << bits)) for number in numbers]
    assert found == sorted((key << 4 >> bits, row) for row, key in enumerate(high))


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=20, max_size=40), st.integers(2, 9), st.data())
def test_bands_propose_the_pairs_of_their_buckets_and_order_capped_ones_by_the_next_band(rows, cap, data):
    n = len(rows)
    full = data.draw(st.just([True] * n) | st.lists(st.booleans(), min_size=n, max_size=n))
    keys = np.array(rows, np.uint64).reshape(n, 3).T << np.uint64(20)
    found = band_candidates(keys, np.array(full, bool), np.arange(n), CandidateConfig(bucket_cap=cap))
    expected = set()
    for band in range(3):
        walk = sorted((row for row in range(n) if full[row]), key=lambda row: (rows[row][band], rows[row][(band + 1) % 3], row))
        expected |= set(oracle.bucket_pairs([rows[row][band] for row in walk], walk, cap)[0])
    assert pairs_of(found) == sorted(expected)


def test_near_copies_are_candidates():
    rows = [hashes(seed, 200) for seed in range(30)]
    rows.append(np.concatenate([rows[4][:180], hashes(99, 20)]))
    assert (4, 30) in pairs_of(proposed(rows, excerpts=False))


def test_an_excerpt_of_small_jaccard_is_a_candidate():
    rows = [hashes(seed, 1000) for seed in range(30)]
    rows.append(rows[4][:100])
    assert (4, 30) in pairs_of(proposed(rows))
    assert (4, 30) not in pairs_of(proposed(rows, excerpts=False))


def test_only_compared_rows_are_proposed():
    rows = [hashes(seed % 5, 1000) for seed in range(20)]
    rows.append(rows[4][:100])
    assert pairs_of(proposed(rows, compared=[0, 3, 4, 8, 20])) == [(3, 8), (4, 20)]


@pytest.mark.parametrize("length", [6, 10, 20, 40, 80])
def test_an_excerpt_of_any_length_is_a_candidate(length):
    rows = [hashes(seed, 2000) for seed in range(20)]
    rows += [row[3 * length :][:length] for row in rows]
    assert pairs_of(proposed(rows)) == [(i, i + 20) for i in range(20)]


@pytest.mark.parametrize("length", [30, 80, 200, 1000])
def test_pairs_at_the_least_share_are_candidates_in_98_percent_of_cases(length):
    shared = math.ceil(0.3 * length)
    rows = [hashes(seed, 2000) for seed in range(300)]
    rows += [np.concatenate([row[:shared], hashes(300 + i, length - shared)]) for i, row in enumerate(rows)]
    assert len(set(pairs_of(proposed(rows))) & {(i, i + 300) for i in range(300)}) >= 0.98 * 300


def test_texts_that_share_a_twentieth_are_rarely_candidates():
    rows = [hashes(seed, 300) for seed in range(100)]
    rows += [np.concatenate([row[:15], hashes(100 + seed, 285)]) for seed, row in enumerate(rows)]
    assert len(pairs_of(proposed(rows))) <= 10


def test_unrelated_texts_are_not_candidates():
    assert pairs_of(proposed([hashes(seed, 300) for seed in range(40)])) == []


def test_pairs_are_sorted_unique_and_left_is_smaller():
    rows = [hashes(seed % 5, 100) for seed in range(20)]
    found = proposed(rows)
    assert pairs_of(found) == sorted(set(pairs_of(found)))
    assert (found.left < found.right).all()
    assert (found.left.dtype, found.right.dtype) == (np.int64, np.int64)
    assert found.counts["candidates"] == len(found.left)


@pytest.mark.parametrize("rows", [[], [[]], [[], []], [[5]], [[5], []]], ids=["none", "empty", "two_empty", "one", "one_and_empty"])
def test_rows_without_shingles_share_nothing(rows):
    assert pairs_of(proposed(rows)) == []


@pytest.mark.parametrize("threads", [2, 7])
def test_candidates_do_not_depend_on_the_number_of_threads(threads):
    base = hashes(1, 200)
    rows = [np.concatenate([base[i % 90 :], hashes(i + 2, 30)]) for i in range(200)]
    one, many = proposed(rows), proposed(rows, threads=threads)
    assert pairs_of(one) == pairs_of(many)
    assert one.counts == many.counts


def test_candidates_do_not_depend_on_spilling():
    rows = [hashes(seed % 9, 300) for seed in range(40)] + [hashes(3, 300)[:25]]
    assert pairs_of(proposed(rows, limit=100)) == pairs_of(proposed(rows))


def test_candidates_do_not_depend_on_the_order_of_rows():
    base = hashes(1, 200)
    rows = [np.concatenate([base[i * 7 % 90 :], hashes(i + 2, 30)]) for i in range(40)]
    turned = {tuple(sorted((39 - a, 39 - b))) for a, b in pairs_of(proposed(rows[::-1]))}
    assert set(pairs_of(proposed(rows))) == turned


def test_a_shingle_in_too_many_documents_proposes_no_pairs_and_is_counted():
    shared = hashes(1, 40)
    rows = [np.concatenate([shared, hashes(seed + 2, 400)]) for seed in range(60)]
    hot = proposed(rows, list_cap=50)
    assert pairs_of(hot) == []
    assert hot.counts["hot_shingles"] > 0
    assert len(pairs_of(proposed(rows, list_cap=60, least_share=0.01))) > 0


@pytest.mark.slow
def test_candidates_of_many_near_copies_grow_linearly():
    n, config = 20_000, Config().replace({"candidates.bucket_cap": 8}).candidates
    base = hashes(1, 60)
    rows = np.concatenate([np.tile(base, (n, 1)), hashes(2, n * 3).reshape(n, 3)], axis=1)
    found = proposed(rows, bucket_cap=config.bucket_cap)
    assert found.counts["documents_in_capped_buckets"] > n / 2
    assert len(found.left) <= n * config.bucket_cap * config.bands
    # Every document of the bucket is in a pair.
    assert len(np.unique(np.concatenate([found.left, found.right]))) > 0.99 * n

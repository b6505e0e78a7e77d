"""The bench of sketches: every contender does its job, so that a quick one is not quick by being wrong."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import sketches
from bench.sketching import bits, intersections, sorting, sorts, stage
from bench.sketching.c_minhash import circle, sign_circulant
from bench.sketching.corpus import Shingled, Truth, truth
from bench.sketching.one_permutation import sign_optimal, sign_rotated
from bench.sketching.packing import packed_rows, unequal_pairs
from bench.sketching.signing import estimated, signers
from bench.sketching.timing import race
from bench.sketching.verification import Pairs, counters
from dedup import Config
from dedup.config import CopyConfig
from tests import oracle
from tests.arabic import edited, news

HASHES = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.sets(HASHES, max_size=12).map(sorted), min_size=1, max_size=5)
#: Values that share their lowest bits, and others that share their highest.
CLOSE = st.integers(0, 20) | st.integers(0, 4).map(lambda i: i << 16) | st.integers(2**64 - 9, 2**64 - 1)
SETS = st.lists(st.sets(CLOSE, max_size=12).map(sorted), min_size=1, max_size=6)
EMPTY = 2**32 - 1


def bins(row, n_bits):
    """The least value of each bin of a row: bins by the highest bits, the 32 bits below them kept; None where empty."""
    answer = [None] * (1 << n_bits)
    for value in sorted(row, reverse=True):
        answer[value >> 64 - n_bits] = min((value << n_bits) % 2**64 >> 32, EMPTY - 1)
    return answer


def rotated(row, n_bits):
    slots = bins(row, n_bits)
    n = len(slots)
    if not row:
        return [EMPTY] * n
    answer = []
    for k in range(n):
        steps = next(steps for steps in range(n) if slots[(k + steps) % n] is not None)
        answer.append((slots[(k + steps) % n] + steps * 0x9E3779B1) % 2**32)
    return answer


def walked(row, n_bits):
    slots = bins(row, n_bits)
    if not row:
        return [EMPTY] * len(slots)
    answer = []
    for k, value in enumerate(slots):
        step = k << 32
        while value is None:
            step += 1
            value = slots[oracle.mix64(step) >> 64 - n_bits]
        answer.append(value)
    return answer


@given(ROWS, st.integers(1, 5))
def test_one_permutation_hashing_borrows_as_its_papers_say(rows, n_bits):
    assert sign_rotated(*oracle.flat(rows), n_bits).tolist() == [rotated(row, n_bits) for row in rows]
    assert sign_optimal(*oracle.flat(rows), n_bits).tolist() == [walked(row, n_bits) for row in rows]


@given(ROWS, st.integers(3, 8))
def test_c_minhash_takes_the_least_of_a_permutation_turned_by_one_place_a_slot(rows, places_log2):
    table = circle(places_log2, 5, seed=1)
    places = 1 << places_log2
    assert sorted(table[:places].tolist()) == list(range(places))
    expected = [[min((int(table[((value >> 64 - places_log2) + k) % places]) for value in row), default=EMPTY) for k in range(5)] for row in rows]  # fmt: skip
    assert sign_circulant(*oracle.flat(rows), table, places_log2).tolist() == expected


@pytest.mark.parametrize("name", list(signers(Config())))
@pytest.mark.parametrize(("size", "share"), [(60, 0.5), (300, 0.2), (300, 0.8)])
def test_every_scheme_estimates_the_jaccard_within_its_error(name, size, share):
    n_pairs, common = 200, int(size * share)
    drawn = np.random.default_rng(size).integers(0, 2**64, (n_pairs, 2 * size - common), np.uint64)
    both = np.stack([drawn[:, :size], drawn[:, size - common :]], axis=1).reshape(2 * n_pairs, size)
    rows = Shingled(np.sort(both, axis=1).ravel(), np.arange(2 * n_pairs + 1) * size)
    exact = common / (2 * size - common)
    known = Truth(np.arange(0, 2 * n_pairs, 2), np.arange(1, 2 * n_pairs, 2), np.full(n_pairs, exact))
    estimate = estimated(signers(Config())[name](rows), known)
    assert abs(estimate.mean() - exact) < 0.01
    assert estimate.std() < 1.2 * math.sqrt(exact * (1 - exact) / min(size, 128))


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=64, max_size=64), min_size=2, max_size=4), st.sampled_from(bits.BITS))
def test_packed_slots_differ_where_their_lowest_bits_do(rows, n_bits):
    words = packed_rows(np.array(rows, np.uint32), n_bits)
    assert words.shape == (len(rows), n_bits)  # 64 slots
    pairs = [(a, b) for a in range(len(rows)) for b in range(len(rows))]
    left, right = np.array(pairs, np.int64).T
    expected = [sum(x % 2**n_bits != y % 2**n_bits for x, y in zip(rows[a], rows[b], strict=True)) for a, b in pairs]
    assert unequal_pairs(words, n_bits, left, right).tolist() == expected


@pytest.mark.parametrize("n_bits", bits.BITS)
def test_what_agrees_by_chance_is_taken_off_the_estimate(n_bits):
    slots = np.random.default_rng(1).integers(0, 2**32, (2, 64 * 500), np.uint32)
    slots[1, : 64 * 200] = slots[0, : 64 * 200]
    unequal = unequal_pairs(packed_rows(slots, n_bits), n_bits, np.array([0]), np.array([1]))
    assert bits.estimated(unequal, n_bits, 64 * 500)[0] == pytest.approx(0.4, abs=0.02)


@given(st.lists(st.integers(0, 40).map(lambda i: i * 0x9E3779B97F4A7C15 % 2**64), max_size=90), st.integers(1, 4), st.integers(1, 4))
def test_radix_sorts_order_keys_and_the_rows_of_one_key(keys, first_bits, second_bits):
    expected = sorted((key, row) for row, key in enumerate(keys))
    array = np.array(keys, np.uint64)
    for found, rows in (sorts.radix_sorted(array), sorts.partitioned(array, first_bits, second_bits)):
        assert list(zip(found.tolist(), rows.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 60).map(lambda i: i * 0x9E3779B97F4A7C15 % 2**64), max_size=90))
def test_no_key_that_comes_twice_is_dropped_before_the_sort(keys):
    places = sorts.repeated(np.array(keys, np.uint64)).tolist()
    assert places == sorted(set(places))
    assert {row for row, key in enumerate(keys) if keys.count(key) > 1} <= set(places)


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 70_000])
def test_every_way_to_sort_brings_the_same_rows_together(n):
    found = sorting.report(sorting.drawn(n, 3)[None], sizes=(n,))[f"{n} keys"]
    assert {way["equal"] for way in found.values()} == {True}


def test_a_row_that_a_sort_loses_or_adds_is_seen():
    heads, rows = np.array([1, 1, 4, 4]), np.array([1, 2, 4, 9])
    assert sorting.against((heads[:2], rows[:2]), (heads, rows)) == {"equal": False, "rows_too_many": 0, "rows_lost": 2}
    assert sorting.against((heads, rows), (heads[:2], rows[:2])) == {"equal": False, "rows_too_many": 2, "rows_lost": 0}


@given(SETS, st.integers(0, 6))
def test_every_way_to_intersect_is_exact_or_gives_up_on_a_pair_that_falls_short(rows, enough):
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    left, right = np.array(pairs, np.int64).T
    flat = oracle.flat(rows)
    shared = [len(set(rows[a]) & set(rows[b])) for a, b in pairs]
    for count in (intersections.merged, intersections.galloped):
        assert count(*flat, left, right).tolist() == shared
    needed = (left + right + enough) % 7
    expected = [count if count >= least else -1 for count, least in zip(shared, needed.tolist(), strict=True)]
    for count in (intersections.filtered_merged, intersections.bitmapped):
        assert count(*flat, left, right, needed).tolist() == expected


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_what_a_pair_needs_is_the_least_overlap_that_is_listed(size_left, size_right, data):
    most = min(size_left, size_right)
    shared = data.draw(st.integers(0, most))
    pairs = Pairs(*(np.array([number]) for number in (0, 1, size_left, size_right, shared)))
    assert (shared >= pairs.needed(CopyConfig())[0]) == bool(pairs.listed(CopyConfig())[0])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Sixty stories, each with a reprint; some are trimmed."""
    texts = [news(seed, 120) for seed in range(60)]
    texts += [edited(text, 15) if seed % 2 else " ".join(text.split()[:60]) for seed, text in enumerate(texts)]
    random.Random(1).shuffle(texts)
    path = tmp_path_factory.mktemp("corpus") / "crawl.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{i}", "text": text}) + "\n" for i, text in enumerate(texts)), encoding="utf-8")
    return path


def test_a_whole_report_compares_everything_on_the_rows_that_a_run_compares(corpus):
    report = json.loads(json.dumps(sketches.measure(str(corpus), sizes=(500,))))
    assert (report["documents"], report["compared"]) == (120, 120)
    assert set(report) >= {"copies_stage", "signing", "bits", "sorting", "verification", "savings"}
    assert sum(report["signing"]["pairs"].values()) > 0
    for scheme in report["signing"]["schemes"].values():
        assert scheme["recall_0.5"] > 0.8
    assert all(way["equal"] for way in report["verification"]["ways"].values())
    assert report["verification"]["listed"] > 0
    assert report["bits"]["b=16"]["near_pairs_wrongly_discarded"] == 0
    errors = [report["bits"][f"b={n}"]["rmse_0.3_0.5"] for n in (1, 16)]
    assert errors[0] > errors[1] or not report["signing"]["pairs"]["0.3_0.5"]


def test_pairs_of_other_draws_are_as_alike(corpus):
    config = Config()
    rows = sketches.compared(sketches.read(str(corpus), config), config)
    first, other = truth(rows), truth(rows.redrawn(2))
    assert rows.redrawn(2).values.tolist() != rows.values.tolist()
    assert (first.left.tolist(), first.jaccard.tolist()) == (other.left.tolist(), other.jaccard.tolist())


def test_a_scheme_that_finds_less_or_proposes_much_more_wins_nothing():
    def scheme(seconds, recall, candidates):
        return {"seconds": seconds, "recall_0.5": recall, "candidates": candidates}

    schemes = {
        "ours": scheme(4.0, 0.99, 100),
        "blind": scheme(1.0, 0.9, 90),
        "lavish": scheme(1.0, 1.0, 200),
        "good": scheme(3.0, 0.99, 101),
    }
    parts = {
        "copies_stage": {"whole": 10.0},
        "signing": {"schemes": schemes},
        "bits": {"b=1": {"near_pairs_wrongly_discarded": 1, "seconds_saved": 9.0, "seconds_saved_before_bitmap": 9.0}},
        "sorting": {"bands": {"lexsort_of_two_keys": {"seconds": 2.0}, "packed_sort": {"seconds": 0.5}}},
        "verification": {"ways": {"merge": {"seconds": 2.0, "equal": True}, "wrong": {"seconds": 0.1, "equal": False}}},
    }
    found = stage.savings(parts)
    assert found["signing"] == {"quickest": "good", "seconds_saved": 1.0, "share_of_copies_stage": 0.1}
    assert found["sorting"]["share_of_copies_stage"] == 0.15
    assert (found["verification"]["quickest"], found["bits_before_merge"]["quickest"]) == ("merge", "none")


def test_contenders_take_turns_and_the_first_turn_is_not_counted():
    turns = []
    seconds = race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=2)
    assert turns == ["a", "b"] * 3
    assert list(seconds) == ["a", "b"]
    assert all(0 <= value < 1 for value in seconds.values())


def test_every_way_to_count_is_run_on_the_same_pairs():
    rows = Shingled(*oracle.flat([[1, 2, 3], [2, 3, 4], [9]]))
    pairs = Pairs(*(np.array(numbers) for numbers in ([0, 0], [1, 2], [3, 3], [3, 1], [2, 0])))
    ways = counters(rows, pairs, pairs.needed(CopyConfig()))
    assert {name: way().tolist()[0] for name, way in ways.items()} == dict.fromkeys(ways, 2)

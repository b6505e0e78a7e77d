"""Recall: the figure of a sample equals brute force, and the interval has its coverage."""

from __future__ import annotations

import random

import numpy as np
import pytest

import dedup
from dedup.config import Config
from dedup.copies.pairs import NEAR, Matches
from dedup.copies.recall import SAMPLE_IF_ASKED, measure_recall, recall_interval, sample_size
from tests import oracle
from tests.arabic import edited, news

CENSUS = 1_000_000
COPIES = Config().copies


def corpus(seed, groups=30):
    """Rows of hashes in families (a base and versions that keep parts of it), with unrelated rows between them."""
    rng = random.Random(seed)
    rows = []
    for _ in range(groups):
        base = [rng.getrandbits(64) for _ in range(rng.randint(10, 60))]
        rows.append(base)
        for _ in range(rng.choice([0, 0, 1, 2, 8])):
            kept = rng.sample(base, rng.randint(len(base) // 3, len(base)))
            rows.append(kept + [rng.getrandbits(64) for _ in range(rng.randint(0, 12))])
    rng.shuffle(rows)
    return [sorted(set(row)) for row in rows]


def digests_of(texts):
    """Digests that are equal if the names of the texts are."""
    names = {name: i for i, name in enumerate(dict.fromkeys(texts))}
    drawn = np.random.default_rng(5).integers(0, 2**64, (len(names), 2), np.uint64)
    return drawn[[names[text] for text in texts]]


def matches_of(pairs):
    left, right = np.array(sorted((min(pair), max(pair)) for pair in pairs), np.int64).reshape(-1, 2).T
    ones = np.ones(len(left))
    return Matches(left, right, np.full(len(left), NEAR, np.uint8), ones, ones, ones)


def measured(rows, listed, *, sample=CENSUS, texts=None, compared=None, threads=1, seed=0, **settings):
    names = range(len(rows)) if texts is None else texts
    compared = np.ones(len(rows), bool) if compared is None else np.array(compared)
    config = Config().replace({"candidates.recall_sample": sample, **settings})
    return measure_recall(oracle.flat(rows), digests_of(names), compared, matches_of(listed), config, threads=threads, seed=seed)


def true_pairs(rows, at=0.5):
    """By set arithmetic: the pairs that reach the jaccard and are listed, and those that reach the containment."""
    near, partial, excerpt = COPIES.near, COPIES.partial, COPIES.excerpt
    by_jaccard, by_containment = [], []
    for right, row in enumerate(rows):
        for left in range(right):
            shared, union = len(set(row) & set(rows[left])), len(set(row) | set(rows[left]))
            smaller = min(len(row), len(rows[left]))
            if shared / union >= at and (shared / union >= near or shared / smaller >= partial):
                by_jaccard.append((left, right))
            if shared / smaller >= excerpt:
                by_containment.append((left, right))
    return by_jaccard, by_containment


@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
def test_a_full_sample_gives_the_recall_by_brute_force(at):
    rows = corpus(1, groups=60)
    near, held = true_pairs(rows, at)
    listed = [pair for pair in sorted({*near, *held}) if random.Random(str(pair)).random() < 0.6]
    report = measured(rows, listed, **{"candidates.at": at})
    for name, pairs in (("jaccard", near), ("containment", held)):
        hits = len(set(pairs) & set(listed))
        found = report[name]
        assert 0 < hits < len(pairs)
        assert (found["pairs"], found["listed"]) == (len(pairs), hits)
        assert found["recall"] == found["low"] == found["high"] == round(hits / len(pairs), 6)
    assert (report["jaccard"]["from"], report["containment"]["from"]) == (at, COPIES.excerpt)
    assert report["sampled"] == report["texts"] == len(rows)


def test_a_pair_counts_once_if_one_or_both_of_its_texts_are_sampled():
    rows = [[1, 2, 3, 4]] * 6
    report = measured(rows, [], sample=5)
    assert report["sampled"] == 5
    assert report["jaccard"]["pairs"] == 15
    assert measured(rows, [], sample=1)["jaccard"]["pairs"] == 5


def test_documents_with_equal_tokens_are_one_text():
    rows = [[1, 2, 3, 4]] * 5
    report = measured(rows, [], texts=["a", "b", "a", "a", "b"])
    assert (report["texts"], report["jaccard"]["pairs"], report["jaccard"]["listed"]) == (2, 1, 0)


@pytest.mark.parametrize("match", [(0, 1), (2, 4), (3, 1)])
def test_a_match_of_any_exact_copy_lists_the_pair(match):
    report = measured([[1, 2, 3, 4]] * 5, [match], texts=["a", "b", "a", "a", "b"])
    assert (report["jaccard"]["pairs"], report["jaccard"]["listed"]) == (1, 1)


def test_a_match_with_another_text_lists_no_pair():
    report = measured([[1, 2, 3, 4]] * 2 + [[9]] * 2, [(0, 2), (1, 3), (2, 3)], compared=[True, True, True, False])
    assert (report["jaccard"]["pairs"], report["jaccard"]["listed"]) == (1, 0)


def test_documents_that_were_not_compared_are_not_sampled():
    report = measured([[1, 2, 3, 4]] * 3 + [[]], [(0, 1)], compared=[True, True, False, True])
    assert (report["texts"], report["jaccard"]["pairs"], report["jaccard"]["listed"]) == (2, 1, 1)


def test_a_pair_below_the_listing_threshold_is_not_missed():
    rows = [[1, 2, 3, 4, 5], [1, 2, 6, 7, 8]]  # jaccard 0.25, containment 0.4
    settings = {"candidates.at": 0.2}
    assert measured(rows, [], **settings)["jaccard"]["pairs"] == 1
    assert measured(rows, [], **settings, **{"copies.partial": 0.5, "copies.excerpt": 0.5})["jaccard"]["pairs"] == 0


def test_without_pairs_the_recall_is_null():
    report = measured([[1, 2], [3, 4], [5, 6]], [])
    assert report["jaccard"] == {"from": 0.5, "pairs": 0, "listed": 0, "recall": None, "low": None, "high": None}


@pytest.mark.parametrize("rows", [[], [[]], [[], []], [[1]]], ids=["none", "empty", "two_empty", "one"])
def test_tiny_corpora_have_no_recall(rows):
    report = measured(rows, [], sample=3)
    assert (report["texts"], report["jaccard"]["recall"]) == (sum(map(bool, rows)), None)


def test_the_sample_depends_neither_on_threads_nor_on_the_order_of_documents():
    rows = corpus(3, groups=600)
    near = near_pairs(rows)
    listed = random.Random(4).sample(near, len(near) * 2 // 3)
    reports = [measured(rows, listed, sample=200, threads=threads) for threads in (1, 2, 5)]
    order = random.Random(6).sample(range(len(rows)), len(rows))
    place = {row: i for i, row in enumerate(order)}
    digests = digests_of(range(len(rows)))[order]
    moved = matches_of([(place[left], place[right]) for left, right in listed])
    config = Config().replace({"candidates.recall_sample": 200})
    everything = np.ones(len(rows), bool)
    reports.append(measure_recall(oracle.flat([rows[row] for row in order]), digests, everything, moved, config))
    assert reports[0]["jaccard"]["pairs"] > 20
    assert all(report == reports[0] for report in reports)


def near_pairs(rows):
    """The first result of ``true_pairs``, searched only among rows that share a value: fast enough for many rows."""
    holders = {}
    for row, values in enumerate(rows):
        for value in values:
            holders.setdefault(value, []).append(row)
    near = []
    for left, right in {(a, b) for rows_of in holders.values() for a in rows_of for b in rows_of if a < b}:
        if true_pairs([rows[left], rows[right]])[0]:
            near.append((left, right))
    return sorted(near)


def test_another_seed_draws_another_sample():
    rows = corpus(3, groups=300)
    assert len({measured(rows, [], sample=40, seed=seed)["jaccard"]["pairs"] for seed in range(8)}) > 3


def test_the_estimate_is_unbiased_and_its_intervals_cover_the_truth():
    rows = corpus(7, groups=700)
    near = near_pairs(rows)
    listed = random.Random(8).sample(near, len(near) * 9 // 10)
    truth = len(listed) / len(near)
    found = [measured(rows, listed, sample=150, seed=seed)["jaccard"] for seed in range(60)]
    recalls = np.array([one["recall"] for one in found])
    assert abs(recalls.mean() - truth) <= 4 * recalls.std() / np.sqrt(len(recalls))
    assert sum(one["low"] <= truth <= one["high"] for one in found) >= 52  # of 60 at 95 %: 52 or fewer is one in 200
    assert recalls.std() > 0.01


# The interval


def test_the_interval_has_width_if_nothing_is_missed():
    pairs = np.array([1.0, 1, 2, 0, 0, 5])
    low, high = recall_interval(pairs, pairs, 10**9)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 4), abs=1e-6)  # four documents have a pair; each counts once


def test_the_interval_has_width_if_everything_is_missed():
    pairs = np.array([1.0, 1, 2, 0, 0, 5])
    assert recall_interval(pairs, np.zeros(6), 10**9) == (0.0, pytest.approx(1 - 0.025 ** (1 / 4), abs=1e-6))


def test_pairs_missed_together_widen_the_interval():
    pairs = np.full(100, 5.0)
    apart, together = pairs.copy(), pairs.copy()
    apart[:50] -= 1
    together[:10] -= 5
    one, other = recall_interval(pairs, apart, 10**9), recall_interval(pairs, together, 10**9)
    assert apart.sum() == together.sum()
    assert one[0] <= 0.9 <= one[1]
    assert other[1] - other[0] >= one[1] - one[0]
    fewer = pairs.copy()
    fewer[:45], fewer[45] = 0, 5
    spread = np.where(np.arange(100) < 45, 3.0, 5.0)
    assert recall_interval(pairs, fewer, 10**9)[0] < recall_interval(pairs, spread, 10**9)[0]


def test_the_interval_shrinks_with_the_sample_to_a_point():
    pairs, listed = np.full(400, 2.0), np.repeat([2.0, 1.0], 200)
    widths = [np.diff(recall_interval(pairs[::step], listed[::step], 10**9))[0] for step in (8, 4, 2, 1)]
    assert widths == sorted(widths, reverse=True)
    assert np.diff(recall_interval(pairs, listed, 500))[0] < widths[-1]
    assert recall_interval(pairs, listed, 400) == (0.75, 0.75)


# In a run


def test_recall_is_measured_if_a_recall_or_a_sample_is_set():
    config = Config()
    assert sample_size(config) == 0
    assert sample_size(config.replace({"candidates.recall": 0.9})) == SAMPLE_IF_ASKED
    assert sample_size(config.replace({"candidates.recall": 0.9, "candidates.recall_sample": 7})) == 7
    assert sample_size(config.replace({"candidates.recall_sample": 7})) == 7


def crawl():
    texts = [news(seed, 90) for seed in range(12)]
    texts += [edited(text, *range(seed, 90, 18)) for seed, text in enumerate(texts)] + texts[:3]
    return [{"id": str(i), "text": text} for i, text in enumerate(texts)]


def test_a_run_with_a_recall_setting_reports_the_recall():
    config = Config().replace({"candidates.recall": 0.99, "candidates.at": 0.6})
    result = dedup.find_copies(crawl(), config)
    recall = result.manifest["recall"]
    assert (recall["target"], recall["at"], recall["bands"], recall["rows"]) == (0.99, 0.6, 19, 3)
    assert recall["banding_recall"] == round(1 - (1 - 0.6**3) ** 19, 6)
    assert (recall["texts"], recall["sampled"]) == (24, 24)
    assert recall["jaccard"] == {"from": 0.6, "pairs": 12, "listed": 12, "recall": 1.0, "low": 1.0, "high": 1.0}
    assert [stage["stage"] for stage in result.manifest["stages"]] == ["read", "copies", "recall"]
    assert sum(kind == "exact" for kind in result.matches.column("kind").to_pylist()) == 3


def test_a_run_below_the_recall_warns():
    weak = {"candidates.bands": 1, "candidates.rows": 64, "candidates.sampled": 1, "candidates.recall_sample": 100}
    result = dedup.find_copies(crawl(), Config().replace(weak))
    found = result.manifest["recall"]["jaccard"]
    listed = sum(kind != "exact" for kind in result.matches.column("kind").to_pylist())
    assert found["pairs"] == 12
    assert found["recall"] < 0.9
    assert found["listed"] <= listed


def test_a_run_without_the_settings_measures_no_recall():
    result = dedup.find_copies(crawl())
    assert result.manifest["recall"] is None
    assert [stage["stage"] for stage in result.manifest["stages"]] == ["read", "copies"]

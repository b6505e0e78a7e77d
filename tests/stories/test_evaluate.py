"""Scores of stories: small examples, reference implementations, and intervals with the coverage they claim."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, v_measure_score

from dedup.stories import evaluate
from dedup.stories.evaluate import bcubed, score

GOLD, FOUND = list("aaabb"), list("11222")


def reference_bcubed(gold, found):
    """Precision and recall of each document, pair by pair."""
    documents = range(len(gold))
    precision, recall = [], []
    for one in documents:
        together = [other for other in documents if found[other] == found[one]]
        belonging = [other for other in documents if gold[other] == gold[one]]
        right = set(together) & set(belonging)
        precision.append(len(right) / len(together))
        recall.append(len(right) / len(belonging))
    return precision, recall


def reference_pairs(gold, found):
    """Pairs of one story in both labellings, in the found one, and in the gold one."""
    pairs = list(itertools.combinations(range(len(gold)), 2))
    in_gold = {pair for pair in pairs if gold[pair[0]] == gold[pair[1]]}
    in_found = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    return len(in_gold & in_found), len(in_found), len(in_gold)


@st.composite
def labellings(draw):
    n = draw(st.integers(1, 25))
    return [draw(st.lists(st.integers(0, most), min_size=n, max_size=n)) for most in (draw(st.integers(0, 9)), draw(st.integers(0, 9)))]


def test_scores_of_a_small_example():
    """Of five documents, the third is found with the other story."""
    scores = score(GOLD, FOUND, samples=0)
    assert bcubed(GOLD, FOUND)[0].tolist() == pytest.approx([1, 1, 1 / 3, 2 / 3, 2 / 3])
    assert bcubed(GOLD, FOUND)[1].tolist() == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1, 1])
    assert (scores.bcubed_precision, scores.bcubed_recall, scores.bcubed_f1) == pytest.approx((11 / 15, 11 / 15, 11 / 15))
    assert (scores.pairwise_precision, scores.pairwise_recall, scores.pairwise_f1) == pytest.approx((0.5, 0.5, 0.5))
    assert scores.ari == pytest.approx((2 - 1.6) / (4 - 1.6))
    assert (scores.documents, scores.gold_stories, scores.found_stories, scores.largest_gold, scores.largest_found) == (5, 2, 2, 3, 3)


def test_scores_of_another_small_example():
    """One story of four is found in halves, and two single documents are found as one."""
    scores = score([0, 0, 0, 0, 1, 2], [7, 7, 8, 8, 9, 9], samples=0)
    assert (scores.bcubed_precision, scores.bcubed_recall) == pytest.approx((5 / 6, 4 / 6))
    assert scores.bcubed_f1 == pytest.approx(20 / 27)  # of the means, not the mean of documents
    assert (scores.pairwise_precision, scores.pairwise_recall) == pytest.approx((2 / 3, 2 / 6))


@given(labellings())
def test_scores_match_the_reference(labels):
    gold, found = labels
    scores = score(gold, found, samples=0)
    precision, recall = reference_bcubed(gold, found)
    assert [part.tolist() for part in bcubed(gold, found)] == [pytest.approx(precision), pytest.approx(recall)]
    p, r = sum(precision) / len(gold), sum(recall) / len(gold)
    assert (scores.bcubed_precision, scores.bcubed_recall, scores.bcubed_f1) == pytest.approx((p, r, 2 * p * r / (p + r)))
    right, of_found, of_gold = reference_pairs(gold, found)
    assert scores.pairwise_precision == pytest.approx(right / max(of_found, 1))
    assert scores.pairwise_recall == pytest.approx(right / max(of_gold, 1))
    assert scores.pairwise_f1 == pytest.approx(2 * right / max(of_found + of_gold, 1))
    assert scores.ari == pytest.approx(adjusted_rand_score(gold, found))
    assert scores.v_measure == pytest.approx(v_measure_score(gold, found))


FORMS = {
    "strings": lambda labels: [f"قصة {label}" for label in labels],
    "string array": lambda labels: np.array([f"s{label}" for label in labels]),
    "tuples": lambda labels: [(label, "x") for label in labels],
    "of several types": lambda labels: [label if label % 2 else str(label) for label in labels],
    "huge numbers": lambda labels: np.array([2**64 - 1 - label for label in labels], np.uint64),
    "negative numbers": lambda labels: [-label for label in labels],
    "floats": lambda labels: np.array(labels) / 2,
    "arrow": lambda labels: pa.array([str(label) for label in labels]),
    "chunks": lambda labels: pa.chunked_array([pa.array([str(label)]) for label in labels]),
    "days": lambda labels: np.array(labels, "datetime64[D]"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_labels_may_be_of_any_type(form):
    gold, found = [0, 0, 0, 1, 1, 2, 3], [5, 5, 6, 6, 6, 2, 2]
    expected = score(gold, found)
    assert score(form(gold), found) == expected
    assert score(gold, form(found)) == expected


def test_a_number_and_its_digits_are_two_labels():
    assert score([1, "1"], [1, 1]).gold_stories == 2


def test_single_document_and_perfect_agreement_score_1():
    assert score(["a"], ["b"]).bcubed_f1 == 1
    perfect = score([1, 1, 2], ["x", "x", "y"])
    assert {perfect.bcubed_f1, perfect.pairwise_f1, perfect.ari, perfect.v_measure} == {1.0}
    assert set(perfect.intervals.values()) <= {(1.0, 1.0), (0.0, 1.0)}  # a draw of the single document has no pair


BAD = {
    "lengths": (([1, 2], [1]), "gold has 2 labels and found 1"),
    "nothing": (([], []), "no document"),
    "no label": (([1, 2], ["a", None]), "found has no label in row 1"),
    "NaN": ((np.array([np.nan, 1.0]), [1, 1]), "gold has no label in row 0"),
    "NaN among others": ((["a", math.nan], [1, 1]), "gold has no label in row 1"),
    "two dimensions": ((np.eye(2), [1, 1]), "shape"),
}


@pytest.mark.parametrize(("labels", "message"), BAD.values(), ids=BAD)
def test_invalid_labels_raise_a_value_error(labels, message):
    with pytest.raises(ValueError, match=message):
        score(*labels)
    with pytest.raises(ValueError, match=message):
        bcubed(*labels)


def messy(seed=0, stories=60):
    """Gold stories of one to six documents, a fifth of which were found in another story."""
    random = np.random.default_rng(seed)
    gold = np.repeat(np.arange(stories), random.integers(1, 7, stories))
    return gold, np.where(random.random(len(gold)) < 0.8, gold, random.integers(0, stories, len(gold)))


def test_intervals_contain_the_score_and_are_reproducible():
    gold, found = messy()
    scores = score(gold, found)
    assert list(scores.intervals) == [
        "bcubed_precision", "bcubed_recall", "bcubed_f1", "pairwise_precision", "pairwise_recall", "pairwise_f1", "ari", "v_measure",
    ]  # fmt: skip
    assert all(low < getattr(scores, name) < high for name, (low, high) in scores.intervals.items())
    assert score(gold, found) == scores
    assert score(gold, found, seed=1).intervals != scores.intervals
    assert score(gold, found, samples=0).intervals == {}


def test_lower_level_and_more_stories_give_narrower_intervals():
    width = lambda *labels, **options: -np.subtract(*score(*labels, **options).intervals["bcubed_f1"])  # noqa: E731
    assert width(*messy(), level=0.5) < 0.6 * width(*messy())
    assert width(*messy(stories=960)) < 0.4 * width(*messy())


def test_bootstrap_draws_whole_stories():
    """The reference draws stories and averages the scores of their documents in the whole set."""
    gold, found = messy()
    precision, recall = reference_bcubed(gold.tolist(), found.tolist())
    random = np.random.default_rng(0)
    f1 = []
    for _ in range(1000):
        drawn = [document for story in random.integers(0, 60, 60) for document in np.flatnonzero(gold == story)]
        p, r = np.mean(np.array(precision)[drawn]), np.mean(np.array(recall)[drawn])
        f1.append(2 * p * r / (p + r))
    assert score(gold, found).intervals["bcubed_f1"] == pytest.approx(np.quantile(f1, [0.025, 0.975]))


def test_intervals_cover_the_truth_as_often_as_they_claim():
    """Stories of three documents are found whole or all apart, each with even chance: recall is 2/3 in the long run."""
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        whole = random.random(80) < 0.5
        gold = np.repeat(np.arange(80), 3)
        found = np.where(np.repeat(whole, 3), gold, 1000 + np.arange(240))
        low, high = score(gold, found, samples=200, seed=trial).intervals["bcubed_recall"]
        covered += low <= 2 / 3 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_str_of_scores_is_one_line():
    line = str(score(GOLD, FOUND))
    assert line.startswith("BCubed F1 0.733 [")
    assert "(P 0.733 R 0.733); pairwise F1 0.500 [" in line
    assert line.endswith("5 documents, 2 stories (largest 3), 2 found (largest 3)")
    assert "[" not in str(score(GOLD, FOUND, samples=0))
    assert "\n" not in line


def test_harmonic_takes_arrays_and_zeros():
    assert evaluate.harmonic(np.array([1.0, 0.0]), np.array([0.5, 0.0])).tolist() == pytest.approx([2 / 3, 0.0])

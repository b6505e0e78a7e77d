"""Bands: a wanted recall becomes bands and rows, or a message with advice."""

from __future__ import annotations

import numpy as np
import pytest

from dedup.config import Config, SignatureConfig
from dedup.config.bands import LEAST_ROWS, MOST_ROWS, band_recall, choose_bands
from dedup.errors import ConfigError
from dedup.fingerprints.minhash import band_rows
from tests import oracle

TARGETS = [
    (128, 0.9, 0.7), (128, 0.99, 0.5), (128, 0.999, 0.6), (128, 0.99, 0.6), (128, 0.95, 0.8), (64, 0.9, 0.5), (256, 0.9999, 0.4),
    (128, 0.5, 0.99), (128, 0.9999, 1.0), (200, 0.99, 0.3), (8, 0.5, 0.6),
]  # fmt: skip
targets = pytest.mark.parametrize(("permutations", "recall", "at"), TARGETS)


def choices(permutations, recall, at):
    """All choices that reach the recall, by trial."""
    return [
        (bands, rows)
        for rows in range(LEAST_ROWS, min(permutations, MOST_ROWS) + 1)
        for bands in range(1, permutations // rows + 1)
        if 1 - (1 - at**rows) ** bands >= recall
    ]


@targets
def test_the_choice_has_the_most_rows_then_the_fewest_bands(permutations, recall, at):
    assert choose_bands(permutations, recall, at) == max(choices(permutations, recall, at), key=lambda choice: (choice[1], -choice[0]))


@targets
def test_no_other_choice_that_reaches_the_recall_has_fewer_false_candidates(permutations, recall, at):
    chosen = band_recall(*choose_bands(permutations, recall, at), at / 4)
    assert chosen == min(band_recall(*choice, at / 4) for choice in choices(permutations, recall, at))


@pytest.mark.parametrize(("recall", "at", "expected"), [(0.9, 0.7, (19, 6)), (0.99, 0.5, (35, 3)), (0.999, 0.6, (29, 3))])
def test_the_choice_for_the_usual_128_permutations(recall, at, expected):
    assert choose_bands(128, recall, at) == expected


@pytest.mark.parametrize(("bands", "rows", "jaccard"), [(1, 2, 0.5), (19, 6, 0.6), (35, 3, 0.2), (10, 8, 0.8)])
def test_pairs_share_a_band_as_often_as_the_formula_predicts(bands, rows, jaccard):
    n, size = 300, 40
    shared = round(size * jaccard)
    own = shared + (size - shared) // 2
    rng = np.random.default_rng(1)
    unions = [rng.integers(0, 2**64, size, np.uint64).tolist() for _ in range(n)]
    shingles = oracle.flat([sorted(row) for union in unions for row in (union[:own], union[:shared] + union[own:])])
    keys = band_rows(shingles, np.arange(2 * n), SignatureConfig(), bands, rows)
    hits = np.count_nonzero((keys[:, 0::2] == keys[:, 1::2]).any(axis=0))
    expected = band_recall(bands, rows, jaccard)
    assert abs(hits / n - expected) <= 4 * np.sqrt(expected * (1 - expected) / n) + 0.02  # slots of a sketch are not independent


@pytest.mark.parametrize("size", [20, 120, 600])
def test_a_choice_reaches_the_recall_that_it_was_made_for(size):
    n, recall = 1500, 0.9
    bands, rows = choose_bands(128, recall, 0.5)
    unions = np.random.default_rng(2).integers(0, 2**64, (n, size), np.uint64)
    own, shared = size * 3 // 4, size // 2
    values = np.concatenate([unions[:, :own], unions[:, :shared], unions[:, own:]], axis=1).reshape(-1)
    keys = band_rows((values, np.arange(2 * n + 1) * own), np.arange(2 * n), SignatureConfig(), bands, rows)
    assert (keys[:, 0::2] == keys[:, 1::2]).any(axis=0).mean() >= recall - 2 * np.sqrt(recall * (1 - recall) / n)


def test_the_formula_holds_at_both_ends():
    assert band_recall(3, 2, 1.0) == 1.0
    assert band_recall(3, 2, 1e-12) == pytest.approx(3e-24)


@pytest.mark.parametrize(
    ("permutations", "recall", "at", "message"),
    [
        (
            128, 0.99, 0.2,
            "candidates.recall 0.99 at candidates.at 0.2 cannot be reached with 128 permutations, at most 0.9266: "
            "raise signatures.permutations to 226, or raise candidates.at to 0.264, or lower candidates.recall to 0.9266",
        ),
        (
            128, 0.9, 0.02,
            "candidates.recall 0.9 at candidates.at 0.02 cannot be reached with 128 permutations, at most 0.0252: "
            "raise candidates.at to 0.188",
        ),
        (
            16, 0.99, 0.5,
            "candidates.recall 0.99 at candidates.at 0.5 cannot be reached with 16 permutations, at most 0.8998: "
            "raise signatures.permutations to 34, or raise candidates.at to 0.662, or lower candidates.recall to 0.8998",
        ),
    ],
)  # fmt: skip
def test_an_unreachable_recall_is_an_error_with_advice(permutations, recall, at, message):
    assert choices(permutations, recall, at) == []
    with pytest.raises(ConfigError) as error:
        choose_bands(permutations, recall, at)
    assert str(error.value) == message


def test_each_change_that_the_error_suggests_suffices():
    assert choose_bands(226, 0.99, 0.2) == (113, 2)
    assert choose_bands(128, 0.99, 0.264) == (64, 2)
    assert choose_bands(128, 0.9266, 0.2) == (64, 2)


# In the configuration


def test_without_a_recall_bands_and_rows_are_as_set():
    config = Config().replace({"candidates.bands": 20, "candidates.rows": 5})
    assert config.banding() == (20, 5)


def test_a_recall_overrides_bands_and_rows():
    config = Config().replace({"candidates.bands": 20, "candidates.rows": 5, "candidates.recall": 0.99, "candidates.at": 0.6})
    assert config.banding() == (19, 3)
    assert (config.candidates.bands, config.candidates.rows) == (20, 5)


def test_an_unreachable_recall_is_refused_on_construction():
    with pytest.raises(ConfigError, match=r"^candidates\.recall 0\.99 at candidates\.at 0\.2 cannot be reached"):
        Config().replace({"candidates.recall": 0.99, "candidates.at": 0.2})


@pytest.mark.parametrize("recall", [0.3, 1.0, -1.0, float("nan")])
def test_a_recall_outside_its_range_is_refused_and_0_is_off(recall):
    with pytest.raises(ConfigError, match=r"^candidates\.recall must be between 0\.5 and 0\.9999, got "):
        Config().replace({"candidates.recall": recall})
    assert Config().replace({"candidates.recall": 0}) == Config()

"""Each constant that decides a story, just below and just above."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from dedup.config import StoryConfig
from dedup.schema import DAY
from dedup.stories import cluster
from dedup.stories.similarity import Edges
from dedup.stories.thresholds import bulletins, least_similarities, relative_similarities, relative_similarity, story_rules

CONFIG = StoryConfig()


def relative(similarity, *, days=0.0, headline=False, bulletin=0.0, density=0.0, daily=1000.0):
    """Relative similarity of one pair whose documents are alike in all but time."""
    pair = Edges(np.array([1], np.int32), np.array([0], np.int32), np.array([similarity], np.float32))
    times, flags = np.array([0.0, days * DAY]), np.full(2, headline)
    (answer,) = relative_similarity(pair, times, flags, np.full(2, bulletin), np.full(2, density), np.full(2, daily), story_rules(CONFIG))
    return answer


@pytest.mark.parametrize(
    ("threshold", "settings"),
    [
        (0.17, {"density": 0.067}),
        (0.17 + 1.2 * 0.1, {"density": 0.167}),
        (0.459, {"density": 0.9}),  # 2.7 times 0.17: an event of hundreds is a dense neighbourhood of its own
        (0.081, {"headline": True, "daily": 10.0}),  # 0.45 of 0.18
        (0.081, {"headline": True, "daily": 2.0}),
        (0.18 * (0.45 + 1 / 6), {"headline": True, "daily": 10 * np.e}),
        (0.18, {"headline": True, "daily": 10 * np.exp(3.31)}),
    ],
)
def test_threshold_constants(threshold, settings):
    assert relative(0.99 * threshold, **settings) < 1 < relative(1.01 * threshold, **settings)


def test_bulletins_of_different_days_decay_within_0_8_days():
    # One day apart the similarity given has faded with decay_days already.
    unfaded = 0.17 * np.exp(0.5 / 0.8**2)
    given = unfaded * np.exp(-0.5 / CONFIG.decay_days**2)
    assert relative(0.99 * given, days=1.0, bulletin=1.0) < 1 < relative(1.01 * given, days=1.0, bulletin=1.0)
    assert relative(0.99 * given, days=1.0, bulletin=0.0) > 1


def test_pairs_below_half_of_their_threshold_are_dropped():
    edges = Edges(np.array([1, 3], np.int32), np.array([0, 2], np.int32), np.array([0.0849, 0.0851], np.float32))
    kept, _, _ = relative_similarities(edges, np.zeros(4), np.zeros(4, bool), CONFIG)
    assert kept.left.tolist() == [3]
    assert least_similarities(CONFIG) == pytest.approx((0.35 * 0.17, 0.5 * 0.45 * 0.18))


@pytest.mark.parametrize(("neighbours", "density"), [(40, 0.2), (80, 0.4), (81, 0.4), (160, 0.4)])
def test_density_is_the_mean_over_80_nearest_neighbours(neighbours, density):
    star = Edges(np.arange(1, neighbours + 1, dtype=np.int32), np.zeros(neighbours, np.int32), np.full(neighbours, 0.4, np.float32))
    n = neighbours + 1
    _, found, _ = relative_similarities(star, np.zeros(n), np.zeros(n, bool), CONFIG)
    assert found[0] == pytest.approx(0.4 / min(0.17 + 1.2 * (density - 0.067), 2.7 * 0.17), rel=1e-6)


def share_of_a_bulletin(similarity, days=2.0, others=10):
    """How far a document alone on its day is a bulletin, with ten others as similar as that on another day."""
    edges = Edges(np.arange(1, others + 1, dtype=np.int32), np.zeros(others, np.int32), np.full(others, similarity, np.float32))
    times = np.concatenate([[0.0], np.full(others, days * DAY)])
    fading = np.exp(-0.5 * (days / CONFIG.decay_days) ** 2)
    faded = Edges(edges.left, edges.right, (edges.similarity * fading).astype(np.float32))
    return bulletins(faded, times, CONFIG.window_days, CONFIG.decay_days)[0]


@pytest.mark.parametrize(
    ("similarity", "share"),
    [
        (0.3, 0.0),  # recurrence (10 * 0.3 - 1) / 10 over 0.5: 0.4
        (0.31, 0.05),
        (0.49, 0.95),
        (0.5, 1.0),  # 0.8
        (0.6, 1.0),
    ],
)
def test_bulletins_have_a_recurrence_of_0_4_to_0_8(similarity, share):
    assert share_of_a_bulletin(similarity) == pytest.approx(share, abs=1e-5)


def test_same_day_is_within_18_hours_and_another_day_beyond_30():
    assert share_of_a_bulletin(0.6, days=1.24) == 0
    assert share_of_a_bulletin(0.6, days=1.26) == pytest.approx(1)

    def with_a_report_near(days):
        """A document with one report near it and ten less similar documents three days later."""
        similarity = np.array([1.0] + [0.4] * 10)
        times = np.concatenate([[0.0, days * DAY], np.full(10, 3 * DAY)])
        faded = similarity * np.exp(-0.5 * ((times[1:] - times[0]) / DAY / CONFIG.decay_days) ** 2)
        edges = Edges(np.arange(1, 12, dtype=np.int32), np.zeros(11, np.int32), faded.astype(np.float32))
        return bulletins(edges, times, CONFIG.window_days, CONFIG.decay_days)[0]

    assert with_a_report_near(0.74) == pytest.approx(0.0, abs=1e-5)  # recurrence 0.3 over (1 + 0.5) / 2
    assert with_a_report_near(0.76) == pytest.approx(0.5, abs=1e-5)  # 0.3 over 0.5


def test_truncated_stories_are_rejoined_above_the_highest_threshold():
    """Two blocks of 450 identical documents: their lists are full, so only the rejoining compares the blocks."""

    def stories(cosine):
        one, other = np.array([1.0, 0.0]), np.array([cosine, np.sqrt(1 - cosine**2)])
        matrix = sparse.csr_matrix(np.repeat([one, other], 450, axis=0).astype(np.float32))
        return len(set(cluster(matrix, np.zeros(900), np.zeros(900, bool), CONFIG).tolist()))

    assert (stories(0.45), stories(0.47)) == (2, 1)

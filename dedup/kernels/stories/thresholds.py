"""The threshold rules of stories, shared by batch runs and the online index; work on arrays and in kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class StoryRules(NamedTuple):
    """The constants and settings by which two documents are similar enough, see ``stories.thresholds.story_rules``."""

    #: Thresholds of two articles in a sparse neighbourhood and of two headlines on a busy day.
    cut: float
    headline_cut: float
    #: Rise of the articles' threshold with density above ``dense_from``, up to ``highest`` times
    #: ``cut``.
    rise_with_density: float
    dense_from: float
    highest: float
    #: Length of the word part of a headline's vector.
    words: float
    #: Days: standard deviations of the time decay.
    decay_days: float
    headline_decay_days: float
    #: Least relative similarity that counts.
    least: float
    #: On a day of ``quiet_day`` documents headlines need ``quiet_share`` of their threshold; it
    #: rises by ``rise_with_day`` with each e-fold of documents.
    quiet_day: float
    quiet_share: float
    rise_with_day: float
    #: Seconds: documents further apart are not compared.
    window: float
    #: Factor on all thresholds, 1 in a batch run.
    caution: float


def article_threshold(rules: StoryRules, density: Any) -> Any:
    """The threshold of a pair with an article; ``density`` is the mean similarity of its neighbourhood."""
    return np.minimum(rules.cut + rules.rise_with_density * np.maximum(density - rules.dense_from, 0.0), rules.highest * rules.cut)


def headline_threshold(rules: StoryRules, e_folds: Any) -> Any:
    """The threshold of two headlines; ``e_folds`` is the log of documents a day over those of a quiet day."""
    share = np.minimum(np.maximum(rules.quiet_share + rules.rise_with_day * e_folds, rules.quiet_share), 1.0)
    return rules.headline_cut * share


def least_similarity(rules: StoryRules, headlines: int) -> float:
    """The least similarity that can count for a pair with 0, 1 or 2 headlines."""
    if headlines == 2:
        return rules.least * rules.quiet_share * rules.headline_cut
    if headlines == 1:
        return rules.least * rules.cut * rules.words
    return rules.least * rules.cut

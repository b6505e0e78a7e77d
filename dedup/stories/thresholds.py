"""Adaptive thresholds: the similarity of each pair over its threshold (*relative similarity*).

Documents of one template (Eid receptions, oil prices, war communiques) share much across events, so
the threshold of articles rises with density; that of headlines, with the documents of a day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..config import DENSE_NEIGHBOURS, DENSE_SIMILARITY, QUIET_DAY, QUIET_SHARE, StoryConfig
from ..kernels.stories.similarity import neighbourhood_density
from ..kernels.stories.thresholds import StoryRules, article_threshold, headline_threshold, least_similarity
from ..schema import DAY
from .similarity import Edges

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# The constants of this block were chosen on labelled stories; ``python -m bench.stories`` measures
# a change.
#
# Four more are in ``config``, whose help texts quote them. Density is the mean similarity to the
# ``DENSE_NEIGHBOURS`` nearest documents, absent ones counting 0; above ``DENSE_SIMILARITY`` it
# raises the threshold. On a day of at most ``QUIET_DAY`` documents, two headlines need
# ``QUIET_SHARE`` of ``stories.headline_cut``.
#: Pairs below this relative similarity count as 0: they cannot join two stories by themselves.
LEAST_RELATIVE = 0.5
#: The share of ``stories.cut`` from which a document counts in a neighbourhood.
NEIGHBOURHOOD = 0.35
#: Density raises a threshold to at most this many times the plain one: an event that hundreds
#: report is a dense neighbourhood of its own.
HIGHEST = 2.7
#: Rise of the headlines' threshold, as a share of ``stories.headline_cut``, with each e-fold of
#: documents a day. Chance similarities of strangers fall off exponentially, so the largest of n
#: grows with log n.
RISE = 1 / 6
#: Standard deviation, in days, of the time decay between two bulletins.
BULLETIN_DAYS = 0.8
#: Days within which two documents are of one day, and beyond which they are of different days.
SAME_DAY, OTHER_DAY = 0.75, 1.25
#: Recurrence up to which a document reports an event, and from which it is a bulletin. At 1, other
#: days have as many similar documents as its own.
EVENT, BULLETIN = 0.4, 0.8
#: Similarity added to a document's own day, and similarity on other days that follow-ups explain:
#: without them a few similar documents would count as evidence.
PRIOR, FOLLOW_UPS = 0.5, 1.0
#: Pairs processed at a time.
PAIRS = 1 << 22


def story_rules(config: StoryConfig, *, caution: float = 1.0) -> StoryRules:
    """The rules that batch runs and the online index share; ``caution`` is a factor on all thresholds."""
    return StoryRules(
        cut=float(config.cut),
        headline_cut=float(config.headline_cut),
        rise_with_density=float(config.crowd),
        dense_from=DENSE_SIMILARITY,
        highest=HIGHEST,
        words=np.sqrt(1 - config.letters),
        decay_days=float(config.decay_days),
        headline_decay_days=float(config.headline_decay_days),
        least=LEAST_RELATIVE,
        quiet_day=float(QUIET_DAY),
        quiet_share=QUIET_SHARE,
        rise_with_day=RISE,
        window=float(config.window_days * DAY),
        caution=caution,
    )


def least_similarities(config: StoryConfig) -> tuple[float, float]:
    """The least similarity at which a pair must be listed, and that of two headlines."""
    return NEIGHBOURHOOD * config.cut, least_similarity(story_rules(config), 2)


def relative_similarities(edges: Edges, times: Floats, headline: Flags, config: StoryConfig) -> tuple[Edges, Floats, Flags]:
    """Divide the similarity of each pair by its threshold.

    Parameters
    ----------
    edges : all pairs above ``least_similarities``, similarity faded with ``decay_days``
    times : float64[n], seconds, NaN where unknown
    headline : bool[n]

    Returns
    -------
    (edges, relative float64[n_edges], truncated bool[n])
        The pairs of at least ``LEAST_RELATIVE``, their relative similarities, and ``is_truncated``.
    """
    truncated, rules = is_truncated(edges, len(headline), config), story_rules(config)
    density = neighbourhood_density(len(headline), edges.left, edges.right, edges.similarity, DENSE_NEIGHBOURS)
    bulletin = bulletins(edges, times, config.window_days, config.decay_days)
    # Most pairs only count for density: they go before any arithmetic on pairs.
    any_headline = headline[edges.left] | headline[edges.right]
    edges = edges.take(
        (edges.similarity >= least_similarity(rules, 0))
        | (any_headline & (edges.similarity >= least_similarity(rules, 1)))
        | (headline[edges.left] & headline[edges.right])
    )
    relative = relative_similarity(edges, times, headline, bulletin, density, per_day(times), rules)
    kept = relative >= LEAST_RELATIVE
    return edges.take(kept), relative[kept], truncated


def relative_similarity(
    edges: Edges, times: Floats, headline: Flags, bulletin: Floats, density: Floats, daily: Floats, rules: StoryRules
) -> Floats:
    """float64[n_edges]: the similarity of each pair over its threshold.

    Two headlines fade faster and have a threshold of their own. A headline and an article share
    words only, which are a part of a headline's vector, and need the threshold of articles. A pair
    has the larger density of its two documents. Two bulletins of different days are different
    stories.

    Parameters
    ----------
    edges : pairs, similarity faded with ``rules.decay_days``
    times : float64[n], seconds, NaN where unknown
    headline, bulletin, density, daily : [n], of each document; see ``bulletins`` and ``per_day``
    """
    left, right = edges.left, edges.right
    similarity = edges.similarity.astype(np.float64)
    both, one = headline[left] & headline[right], headline[left] ^ headline[right]
    similarity[one] /= rules.words

    apart = np.nan_to_num((times[left] - times[right]) / DAY)
    steepness = np.full(len(left), rules.decay_days**-2)
    steepness[both] = max(rules.headline_decay_days**-2, rules.decay_days**-2)
    steepness += np.minimum(bulletin[left], bulletin[right]) * np.maximum(BULLETIN_DAYS**-2 - steepness, 0.0)
    similarity *= np.exp(-0.5 * apart**2 * (steepness - rules.decay_days**-2))

    thresholds: Floats = article_threshold(rules, np.maximum(density[left], density[right]))
    if both.any():
        e_folds = np.log(daily[left[both]] * daily[right[both]]) / 2 - np.log(rules.quiet_day)
        thresholds[both] = headline_threshold(rules, e_folds)
    return similarity / thresholds


def is_truncated(edges: Edges, n: int, config: StoryConfig) -> Flags:
    """bool[n]: documents whose neighbour list is full, and full of documents that could be of their story."""
    full = np.bincount(edges.left, minlength=n) >= config.neighbours
    answer = full.copy()
    listed = np.flatnonzero(full[edges.left])
    answer[edges.left[listed[edges.similarity[listed] < min(config.cut, config.headline_cut)]]] = False
    return answer


def per_day(times: Floats) -> Floats:
    """float64[n]: documents a day around each, half of those within a day of it; all for an undated one."""
    known = np.sort(times[~np.isnan(times)])
    around = np.searchsorted(known, times + DAY, "right") - np.searchsorted(known, times - DAY, "left")
    return np.maximum(np.where(np.isnan(times), len(times), around / 2), 1.0)


def bulletins(edges: Edges, times: Floats, window_days: float, decay_days: float) -> Floats:
    """float64[n]: how far each document is a bulletin, 0 to 1; 0 where its time is unknown.

    A bulletin recurs: other days have about as many similar documents as its own day.

    Parameters
    ----------
    edges : pairs within the window, similarity faded with ``decay_days``
    times : float64[n], seconds, NaN where unknown
    """
    days = times / DAY
    known = np.sort(days[~np.isnan(days)])
    near = np.zeros(len(days))
    far = np.zeros(len(days))
    for start in range(0, len(edges.left), PAIRS):
        left, right = edges.left[start : start + PAIRS], edges.right[start : start + PAIRS]
        apart = np.abs(days[left] - days[right])
        unfaded = edges.similarity[start : start + PAIRS] * np.exp(0.5 * (apart / decay_days) ** 2)
        for total, pairs in ((near, apart <= SAME_DAY), (far, apart > OTHER_DAY)):
            for side in (left, right):
                total += np.bincount(side[pairs], unfaded[pairs], len(days))

    def around(distance: float) -> Any:
        return np.searchsorted(known, days + distance, "right") - np.searchsorted(known, days - distance, "left")

    here = (near + PRIOR) / np.maximum(around(SAME_DAY), 1)
    there = np.maximum(far - FOLLOW_UPS, 0.0) / np.maximum(around(window_days) - around(OTHER_DAY), 1)
    share = np.clip((there / here - EVENT) / (BULLETIN - EVENT), 0.0, 1.0)
    return np.where(np.isnan(days), 0.0, share)

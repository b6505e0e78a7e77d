"""How alike is enough: similarities in units of each pair's cut.

How alike is enough depends on the company: among hundreds of documents in one form (Eid receptions, oil prices,
communiques of a war) much is shared by documents of other events, so what a document shares with its many nearest
raises its cut. Two headlines share a word or two by chance, the likelier the more there are: their cut rises with
the number of documents that a day brings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..config import DENSE_NEIGHBOURS, DENSE_SIMILARITY, QUIET_DAY, QUIET_SHARE, StoryConfig
from ..kernels.stories.similarity import crowding
from ..schema import DAY
from .similarity import Edges

#: Days within which a document is of the same day, and beyond which it is of another.
SAME_DAY, OTHER_DAY = 0.75, 1.25
#: Recurrence up to which a document reports an event, and from which it is a bulletin; 1 is: other days hold as much like it.
EVENT, BULLETIN = 0.4, 0.8
#: Pairs that are worked on at a time.
PAIRS = 1 << 22
#: Likeness that each document is taken to have in its own day, and that follow-ups explain on other days: little proves nothing.
PRIOR, FOLLOW_UPS = 0.5, 1.0


def bulletins(edges: Edges, times: npt.NDArray[np.float64], window_days: float, decay_days: float) -> npt.NDArray[np.float64]:
    """float64[n]: how far each document is a bulletin, 0 to 1; 0 where its time is unknown.

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
        likeness = edges.similarity[start : start + PAIRS] * np.exp(0.5 * (apart / decay_days) ** 2)
        for total, pairs in ((near, apart <= SAME_DAY), (far, apart > OTHER_DAY)):
            for side in (left, right):
                total += np.bincount(side[pairs], likeness[pairs], len(days))

    def around(distance: float) -> Any:
        return np.searchsorted(known, days + distance, "right") - np.searchsorted(known, days - distance, "left")

    here = (near + PRIOR) / np.maximum(around(SAME_DAY), 1)
    there = np.maximum(far - FOLLOW_UPS, 0.0) / np.maximum(around(window_days) - around(OTHER_DAY), 1)
    share = np.clip((there / here - EVENT) / (BULLETIN - EVENT), 0.0, 1.0)
    return np.where(np.isnan(days), 0.0, share)


#: Pairs that reach less than this share of their cut count as 0: two stories are never joined by such pairs alone.
FLOOR = 0.5
#: The share of ``stories.cut`` from which a pair counts as company.
COMPANY = 0.35
# ``DENSE_NEIGHBOURS``: neighbours over which the density is measured. ``DENSE_SIMILARITY``: the mean similarity to them (0 for absent
# ones) above which a neighbourhood is dense.
#: No crowd raises a cut beyond this many times the plain one: an event of which hundreds report is its own crowd.
HIGHEST = 2.7
#: Standard deviation, in days, of the time decay between bulletins.
BULLETIN_DAYS = 0.8
#: In a stream of at most ``QUIET_DAY`` documents a day, two headlines need ``QUIET_SHARE`` of ``stories.headline_cut``. The share rises
#: by ``RISE`` for each e-fold of documents, as chance does: the similarities of unrelated headlines fall off exponentially.
RISE = 1 / 6


def floors(config: StoryConfig) -> tuple[float, float]:
    """The least similarity of a pair that has to be known, and that of two headlines."""
    return COMPANY * config.cut, FLOOR * QUIET_SHARE * config.headline_cut


def in_cuts(
    edges: Edges, times: npt.NDArray[np.float64], headline: npt.NDArray[np.bool_], config: StoryConfig
) -> tuple[Edges, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Pairs that count, the similarity of each in units of its cut, float64[n], and what ``cut_short`` says of all pairs.

    Two headlines fade sooner and have a cut of their own. What a headline and an article share, they share in words only,
    which are a part of a headline's vector; it must reach the cut of articles. The crowd of a pair is the larger of its two.
    Of two bulletins that of another day is another story.

    Parameters
    ----------
    edges : all pairs above ``floors``, similarity faded with ``decay_days``
    """
    short = cut_short(edges, len(headline), config)
    crowds = crowding(len(headline), edges.left, edges.right, edges.similarity, DENSE_NEIGHBOURS)
    bulletin = bulletins(edges, times, config.window_days, config.decay_days)
    words = np.sqrt(1 - config.letters)
    # Most pairs are company only; they go before anything is worked out for each.
    of_headline = headline[edges.left] | headline[edges.right]
    edges = edges.take(
        (edges.similarity >= FLOOR * config.cut)
        | (of_headline & (edges.similarity >= FLOOR * config.cut * words))
        | (headline[edges.left] & headline[edges.right])
    )
    left, right = edges.left, edges.right
    similarity = edges.similarity.astype(np.float64)
    both, one = headline[left] & headline[right], headline[left] ^ headline[right]
    similarity[one] /= words

    apart = np.nan_to_num((times[left] - times[right]) / DAY)
    steepness = np.full(len(left), config.decay_days**-2)
    steepness[both] = max(config.headline_decay_days**-2, config.decay_days**-2)
    steepness += np.minimum(bulletin[left], bulletin[right]) * np.maximum(BULLETIN_DAYS**-2 - steepness, 0.0)
    similarity *= np.exp(-0.5 * apart**2 * (steepness - config.decay_days**-2))

    excess = np.maximum(np.maximum(crowds[left], crowds[right]) - DENSE_SIMILARITY, 0.0)
    cuts = np.minimum(config.cut + config.crowd * excess, HIGHEST * config.cut)
    if both.any():
        daily = per_day(times)
        e_folds = np.log(daily[left[both]] * daily[right[both]]) / 2 - np.log(QUIET_DAY)
        cuts[both] = config.headline_cut * np.clip(QUIET_SHARE + RISE * e_folds, QUIET_SHARE, 1.0)
    relative = similarity / cuts
    kept = relative >= FLOOR
    return edges.take(kept), relative[kept], short


def cut_short(edges: Edges, n: int, config: StoryConfig) -> npt.NDArray[np.bool_]:
    """bool[n]: documents whose list is full of others that are as like them as those of one story are."""
    full = np.bincount(edges.left, minlength=n) >= config.neighbours
    answer = full.copy()
    listed = np.flatnonzero(full[edges.left])
    answer[edges.left[listed[edges.similarity[listed] < min(config.cut, config.headline_cut)]]] = False
    return answer


def per_day(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Documents a day around each: half of those within a day of it. An undated one has all for its company."""
    known = np.sort(times[~np.isnan(times)])
    around = np.searchsorted(known, times + DAY, "right") - np.searchsorted(known, times - DAY, "left")
    return np.maximum(np.where(np.isnan(times), len(times), around / 2), 1.0)

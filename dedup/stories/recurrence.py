"""How far documents come back day after day: index closings, weather, prices, daily counts of the sick.

What is like the report of an event is near to it in time. What is like a bulletin comes with every day, evenly. So a
document's likeness to those of other days, for each document of those days, over the same of its own day tells the two
apart, whatever the words: an index that closes 28 points down is not the one of yesterday, though nearly all of it is
said in the same words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..schema import DAY
from .edges import Edges

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

"""Blocks in which many documents say the same: they are decided in parts, so that what is a copy is not looked at by all behind it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..buffers import take_rows
from .entries import Hashes
from .reading import Arrivals, take

#: Documents that are decided together in any case, and how often others may list what one of them lists before a block is parted.
_FEW, _CROWD = 32, 2000
#: One of so many shingles is counted.
_COUNTED = 8


def parted(arrivals: Arrivals) -> Iterator[Arrivals]:
    """Whole pages in a row, in parts in which few list the same: what is found in a part grows with the square of those that do."""
    if len(arrivals) <= _FEW or arrivals.pages[0] == arrivals.pages[-1] or not _is_crowded(arrivals):
        yield arrivals
        return
    starts = np.flatnonzero(np.diff(arrivals.pages, prepend=-1))
    middle = int(starts[1:][np.searchsorted(starts[1:-1], len(arrivals) // 2)])
    yield from parted(take(arrivals, slice(0, middle)))
    yield from parted(take(arrivals, slice(middle, len(arrivals))))


def _is_crowded(arrivals: Arrivals) -> bool:
    articles = take_rows(*arrivals.sampled, np.flatnonzero(~arrivals.short & ~arrivals.headline))[0]
    titles = take_rows(*arrivals.listed_titles, np.flatnonzero(~arrivals.short))[0] if arrivals.headline.any() else articles[:0]
    pairs = _COUNTED * _pairs(articles[articles % np.uint64(_COUNTED) == 0]) + _pairs(titles)
    return pairs > _CROWD * len(arrivals)


def _pairs(keys: Hashes) -> int:
    """How often a key meets an equal one, itself included."""
    counts = np.unique(keys, return_counts=True)[1].astype(np.int64)
    return int((counts * counts).sum())

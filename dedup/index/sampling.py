"""Which shingles a document is listed under, and how many of them another one must share to be compared with it.

A short text is listed under all its shingles, a longer one under a winnowed sample (Schleimer, Wilkerson, Aiken, SIGMOD 2003): of so
many in a row the smallest. A shared passage as long as the window, and two words, cannot hide. What arrives looks up all its shingles.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from ..buffers import Rows
from ..config import Config, CopyConfig
from ..kernels.shingle import shingle_hashes
from ..kernels.winnow import winnow
from .entries import Ints
from .keys import CLASS_SIZES

#: The least shingles of a text, and the window that it is winnowed with from there on; 1 takes all. Bounds are those of size classes, so
#: that a class tells the window. Shorter texts are listed under more: of them a loose sample would say too little.
WINDOWS = ((1, 1), (64, 3), (128, 8))
#: Standard deviations by which a sample may fall short of what is expected of it.
SPREADS = 2.5


def sample(tokens: Rows, sizes: Ints, config: Config) -> Rows:
    """The shingles that documents are listed under.

    Parameters
    ----------
    tokens : rows of tokens; sizes : int64[n], how many different shingles each has
    """
    bounds, windows = (np.array(column, np.int64) for column in zip(*WINDOWS, strict=True))
    own = windows[np.maximum(np.searchsorted(bounds, sizes, side="right") - 1, 0)]
    values, offsets = winnow(*shingle_hashes(*tokens, config.shingles.words), own)
    return values, offsets


def least_shared(sizes: Ints, cut: Ints, config: CopyConfig) -> npt.NDArray[np.int32]:
    """How many listed shingles an arrival must share with a document of each size class to be compared with it.

    Parameters
    ----------
    sizes : int64[n], shingles of each arrival; cut : how many of them list more documents than are read

    Returns
    -------
    int32[n, 16]
        A text that shares ``copies.excerpt`` of the smaller one shares as much of a sample on average; with the spread of a draw.
    """
    rows = [_least_shared(size, hot, config.excerpt) for size, hot in zip(sizes.tolist(), cut.tolist(), strict=True)]
    return np.array(rows, np.int32).reshape(len(rows), len(CLASS_SIZES))


@lru_cache(1 << 16)
def _least_shared(size: int, cut: int, share: float) -> tuple[int, ...]:
    """``least_shared`` of one arrival."""
    least = []
    for other in CLASS_SIZES.tolist():
        window = next(window for bound, window in reversed(WINDOWS) if other >= bound)
        rate = 2 / (window + 1) * (1 - cut / max(size, 1))
        mean = share * min(size, other) * rate
        least.append(max(1, ceil(mean - SPREADS * sqrt(mean * (1 - share) * (1 - rate)) - 1e-9)))
    return tuple(least)

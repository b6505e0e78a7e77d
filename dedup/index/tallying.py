"""From hits to candidates: who shares enough keys with each row."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from ..kernels.tally import tally
from .entries import CLASS_BITS, Hits, Ints


class _Scratch(threading.local):
    """Counters of a thread, one for each document number, zero between calls."""

    def __init__(self) -> None:
        self.counts = np.zeros(1 << 12, np.uint16)

    def up_to(self, number: int) -> npt.NDArray[np.uint16]:
        if number >= len(self.counts):
            self.counts = np.zeros(1 << number.bit_length(), np.uint16)
        return self.counts


_scratch = _Scratch()


def candidates(hits: Hits, needed: npt.NDArray[np.int32], most: int) -> tuple[Ints, npt.NDArray[np.int32], Ints]:
    """The documents that share enough keys with each row.

    Parameters
    ----------
    hits : what the keys of each row list
    needed : int32[n_rows, 16], how many keys must be shared with a document of each size class
    most : so many are kept of a row, those that share most, of equals the smaller numbers

    Returns
    -------
    (numbers int64[n], ascending in each row; shared int32[n]; offsets int64[n_rows + 1])
        Memory: two bytes a thread for every number up to the largest met, rounded up to a power of two.
    """
    needed = np.ascontiguousarray(needed, np.int32).reshape(len(hits.offsets) - 1, 1 << CLASS_BITS)
    largest = int(hits.values.max()) >> CLASS_BITS if len(hits.values) else 0
    numbers, shared, offsets = tally(hits.values, hits.offsets, needed, _scratch.up_to(largest), most)
    return numbers, shared, offsets

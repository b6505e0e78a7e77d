"""Postings in memory: those added since the last segment was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints
from ..kernels.index.memtable import MARKED, append_chained, find_in_chains, rehash_chained
from .store import Hashes, PostingLists, Values

_FEWEST_SLOTS = 1 << 10
_NO_LIMIT = 1 << 62


class Memtable:
    """Keys (uint64) and the values (uint32) that each lists, in the order in which they were added.

    A hash table with chains: 43 to 98 bytes a posting if most keys are new. Its capacity doubles
    when it is full, so now and then an addition takes about as long as all previous ones together.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove all postings and free the memory."""
        self._slots, self._marks = np.zeros((_FEWEST_SLOTS, 2), np.uint64), np.zeros(_FEWEST_SLOTS // MARKED, np.uint64)
        self._keys = np.empty(_FEWEST_SLOTS, np.uint64)
        self._values = np.empty(_FEWEST_SLOTS, np.uint32)
        self._nexts = np.empty(_FEWEST_SLOTS, np.uint32)
        self._entries = 0
        self._used_slots = 0

    def __len__(self) -> int:
        return self._entries

    def add(self, keys: Hashes, values: Values) -> None:
        """Append postings: keys uint64[n], values uint32[n].

        Raises
        ------
        OverflowError
            If there would be 2**32 - 1 postings or more.
        """
        keys = np.ascontiguousarray(keys, np.uint64)
        first, after = self._entries, self._entries + len(keys)
        if after >= 1 << 32:
            raise OverflowError(f"{after} postings in memory; at most {(1 << 32) - 1} fit: write a segment of them first")
        self._reserve(after, len(keys))
        self._keys[first:after] = keys
        self._values[first:after] = values
        self._used_slots += append_chained(self._slots, self._marks, self._nexts, keys, first)
        self._entries = after

    def _reserve(self, entries: int, keys: int) -> None:
        if entries > len(self._keys):
            capacity = 1 << (entries - 1).bit_length()
            self._keys = _grown(self._keys, self._entries, capacity)
            self._values = _grown(self._values, self._entries, capacity)
            self._nexts = _grown(self._nexts, self._entries, capacity)
        # At most 5 of 8 slots are used, so that a free one is near.
        if 8 * (self._used_slots + keys) > 5 * len(self._slots):
            self._slots, self._marks = rehash_chained(self._slots, 1 << (2 * (self._used_slots + keys) - 1).bit_length())

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """What the keys of each row list; of a longer list, the ``most`` values added first.

        Parameters
        ----------
        keys : uint64[n_keys]; offsets : int64[n_rows + 1]
        """
        keys, offsets = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(offsets, np.int64)
        return PostingLists(*find_in_chains(self._slots, self._marks, self._nexts, self._values, keys, offsets, most))

    def all_values(self, key: int) -> Values:
        """uint32[n]: all values that one key lists, in the order in which they were added."""
        return self.lookup(np.array([key], np.uint64), np.array([0, 1]), _NO_LIMIT).values

    def entries(self) -> tuple[Hashes, Values]:
        """(keys uint64[n], values uint32[n]) as added: views that later additions do not change."""
        return self._keys[: self._entries], self._values[: self._entries]


def _grown(array: npt.NDArray[Any], used: int, capacity: int) -> npt.NDArray[Any]:
    out = np.empty(capacity, array.dtype)
    out[:used] = array[:used]
    return out

"""Postings in memory: what was added since the last segment was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints
from ..kernels.index.memtable import MARKED, append_chained, find_chained, rehash_chained
from .store import Hashes, PostingLists, Values

_FEWEST_SLOTS = 1 << 10
_NO_LIMIT = 1 << 62


class Memtable:
    """Keys (uint64) and the values (uint32) each of them lists, in the order in which they were added.

    A hash table with chains: 43 to 98 bytes a posting if most keys are new. Room doubles when it is used up, so now and then adding
    takes about as long as all that was added before.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything and give back the room."""
        self._slots, self._marks = np.zeros((_FEWEST_SLOTS, 2), np.uint64), np.zeros(_FEWEST_SLOTS // MARKED, np.uint64)
        self._keys = np.empty(_FEWEST_SLOTS, np.uint64)
        self._values = np.empty(_FEWEST_SLOTS, np.uint32)
        self._nexts = np.empty(_FEWEST_SLOTS, np.uint32)
        self._entries = 0
        self._used_slots = 0

    def __len__(self) -> int:
        return self._entries

    @property
    def nbytes(self) -> int:
        """Memory that is held, room for more included."""
        return self._slots.nbytes + self._marks.nbytes + self._keys.nbytes + self._values.nbytes + self._nexts.nbytes

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
            raise OverflowError(f"{after} postings in memory; there is room for {(1 << 32) - 1}: write a segment of them first")
        self._make_room(after, len(keys))
        self._keys[first:after] = keys
        self._values[first:after] = values
        self._used_slots += append_chained(self._slots, self._marks, self._nexts, keys, first)
        self._entries = after

    def _make_room(self, entries: int, keys: int) -> None:
        if entries > len(self._keys):
            room = 1 << (entries - 1).bit_length()
            self._keys = _grown(self._keys, self._entries, room)
            self._values = _grown(self._values, self._entries, room)
            self._nexts = _grown(self._nexts, self._entries, room)
        # At most 5 of 8 slots are used, so that the way to a free one is short.
        if 8 * (self._used_slots + keys) > 5 * len(self._slots):
            self._slots, self._marks = rehash_chained(self._slots, 1 << (2 * (self._used_slots + keys) - 1).bit_length())

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """What the keys of each row list (uint64[n_keys], offsets int64[n_rows + 1]), of a key that lists more the first ``most``."""
        keys, offsets = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(offsets, np.int64)
        return PostingLists(*find_chained(self._slots, self._marks, self._nexts, self._values, keys, offsets, most))

    def all_values(self, key: int) -> Values:
        """uint32[n]: all that one key lists, the first added first."""
        return self.lookup(np.array([key], np.uint64), np.array([0, 1]), _NO_LIMIT).values

    def entries(self) -> tuple[Hashes, Values]:
        """(keys uint64[n], values uint32[n]) in the order of adding: views, which later additions leave as they are."""
        return self._keys[: self._entries], self._values[: self._entries]


def _grown(array: npt.NDArray[Any], used: int, room: int) -> npt.NDArray[Any]:
    out = np.empty(room, array.dtype)
    out[:used] = array[:used]
    return out

"""Numbers the words of an index: documents store 14 bits a word instead of 16 bytes.

Words are numbered in order of first appearance, so common words get small numbers; the codes of
``kernels/index/vocabulary.py`` rely on that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...arrays.rows import Ints
from ...kernels.index.vocabulary import MOST, number_words, pack_rows, place_words, unpack_rows, words_at
from ..store import Hashes

#: Bytes of a word: token and term, uint64 little-endian.
WORD_BYTES = 16
_ROOM = 1 << 10


class UnknownWordError(Exception):
    """A number without a word; the caller loads newly added words and tries again."""


class Vocabulary:
    """Words, numbered from 0. The hash table is built on first use; readers never need it."""

    def __init__(self) -> None:
        self._words: npt.NDArray[np.uint64] = np.empty((_ROOM, 2), np.uint64)
        self._slots: npt.NDArray[np.uint32] | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def ids_of(self, tokens: Hashes, terms: Hashes) -> Ints:
        """Return the number of each word, int64[n]; new words are numbered in order of appearance.

        Parameters
        ----------
        tokens, terms : uint64[n]

        Raises
        ------
        OverflowError
            If there are more words than codes, about 270 million.
        """
        tokens, terms = np.ascontiguousarray(tokens, np.uint64), np.ascontiguousarray(terms, np.uint64)
        if self._slots is None:
            self._index()
        parts, done = [], 0
        while done < len(tokens):
            numbers, self._count = number_words(tokens, terms, done, self._slots, self._words, self._count)
            parts.append(numbers)
            done += len(numbers)
            if done < len(tokens):
                self._grow(2 * len(self._words))
                self._index()
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])

    def words_of(self, ids: Ints) -> tuple[Hashes, Hashes]:
        """Return the words of numbers: tokens uint64[n], terms uint64[n].

        Raises
        ------
        UnknownWordError
            If a number has no word: another process has added it since, or the index is damaged.
        """
        tokens, terms, found = words_at(self._words, self._count, ids)
        if found < len(ids):
            raise UnknownWordError(f"word {ids[found]} of {self._count}")
        return tokens, terms

    def added(self, since: int) -> bytes:
        """Return the words from number ``since`` on, ``WORD_BYTES`` each."""
        return self._words[since : self._count].astype("<u8", copy=False).tobytes()

    def load(self, pairs: bytes) -> None:
        """Append words in the format of ``added``."""
        words = np.frombuffer(pairs, "<u8").reshape(-1, 2)
        if self._count + len(words) > len(self._words):
            self._grow(1 << (self._count + len(words) - 1).bit_length())
        self._words[self._count : self._count + len(words)] = words
        self._count += len(words)
        self._slots = None

    def _index(self) -> None:
        self._slots = np.zeros(2 * len(self._words), np.uint32)
        place_words(self._words, self._count, self._slots)

    def _grow(self, room: int) -> None:
        if self._count >= MOST:
            raise OverflowError(f"{self._count} words, but there are codes for {MOST} only")
        grown = np.empty((min(room, 1 << (MOST - 1).bit_length()), 2), np.uint64)
        grown[: self._count] = self._words[: self._count]
        self._words = grown


def pack(ids: Ints, offsets: Ints) -> list[bytes]:
    """Encode each row of numbers as bytes: ids int64[n], offsets int64[n_rows + 1]."""
    data, byte_offsets = pack_rows(np.ascontiguousarray(ids, np.int64), np.ascontiguousarray(offsets, np.int64))
    whole, ends = data.tobytes(), byte_offsets.tolist()
    return [whole[begin:end] for begin, end in zip(ends[:-1], ends[1:], strict=True)]


def unpack(rows: Sequence[bytes]) -> tuple[Ints, Ints]:
    """Decode rows of ``pack``: ids int64[n], offsets int64[n_rows + 1]."""
    byte_offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)), out=byte_offsets[1:])
    ids, offsets = unpack_rows(np.frombuffer(b"".join([*rows, bytes(8)]), np.uint8), byte_offsets)
    return ids, offsets

"""What an index holds, and what it asks of the place where it is kept: SQLite and files, or Redis.

A document in an index has a *number*. Its *postings* are pairs of a key (a 64-bit hash, see ``keys.py``) and a *value*: the number, and
in its lowest bits how many shingles it is looked up by, as a power of two, so that it can be told without reading the document
whether it shares enough with another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, take_rows

Hashes = npt.NDArray[np.uint64]
#: ``number << CLASS_BITS | size_class``, uint32.
Values = npt.NDArray[np.uint32]
CLASS_BITS = 4
#: Numbers that 32 bits have room for.
MOST_DOCUMENTS = 1 << (32 - CLASS_BITS)


@dataclass(slots=True)
class Entry:
    """A document in an index.

    ``status`` and ``kind`` as in ``documents.parquet``; ``canonical`` the number of its canonical, its own unless it is a copy;
    ``contained`` which one is the excerpt, ``this``, ``match`` or None; ``story`` the number in its story's id; ``published`` and
    ``arrived`` microseconds since 1970, UTC; ``words`` of its text; ``digest`` 16 bytes, equal if the token streams are; ``parts`` how
    many further documents its page has (``doc_id#1`` ...).
    """

    number: int
    doc_id: str
    page_id: str
    role: str
    status: str
    canonical: int
    kind: str | None
    jaccard: float | None
    containment: float | None
    contained: str | None
    story: int | None
    published: int | None
    arrived: int
    source: str | None
    url: str | None
    title: str | None
    words: int
    digest: bytes
    parts: int


@dataclass(frozen=True, eq=False)
class TokenRows:
    """The words of documents, row by row.

    ``tokens`` uint64[n_words] at level *shingle*; ``terms`` uint64[n_words], the term of each, 0 for a stop word; ``offsets``
    int64[n_rows + 1].
    """

    tokens: Hashes
    terms: Hashes
    offsets: Ints

    def take(self, rows: Ints) -> TokenRows:
        """The words of the chosen rows, in the order given."""
        tokens, offsets = take_rows(self.tokens, self.offsets, rows)
        return TokenRows(tokens, take_rows(self.terms, self.offsets, rows)[0], offsets)

    def with_empty(self, rows: int) -> TokenRows:
        """The same, and behind them so many rows without words."""
        return TokenRows(self.tokens, self.terms, np.append(self.offsets, np.full(rows, self.offsets[-1])))

    @classmethod
    def none(cls, rows: int = 0) -> TokenRows:
        """So many rows without words."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint64), np.zeros(rows + 1, np.int64))


@dataclass(frozen=True, eq=False)
class PostingLists:
    """What keys list, row by row.

    ``values`` uint32[n_hits], in no promised order; ``offsets`` int64[n_rows + 1]; ``cut`` int64[n_rows], how many keys of each row list
    more than was read.
    """

    values: Values
    offsets: Ints
    cut: Ints


@dataclass(eq=False)
class WriteBatch:
    """What is to be made to last, all of it or nothing.

    ``entries`` are new ones and ones that take the place of what has their number; ``words`` their words, a row each (an empty row
    where none are kept; of an entry in ``kept_words`` the words stay as they are); ``keys`` and ``values`` further postings; ``removed``
    numbers of entries that go; ``events`` rows of ``schema.EVENTS`` as mappings, see ``Store.events``.
    """

    entries: list[Entry] = field(default_factory=list)
    words: TokenRows = field(default_factory=TokenRows.none)
    keys: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    values: Values = field(default_factory=lambda: np.empty(0, np.uint32))
    kept_words: set[int] = field(default_factory=set)
    removed: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


class WriteConflict(Exception):  # noqa: N818 - no error: the caller looks again
    """Another writer has changed the index since ``Store.sync``; what was decided must be decided anew."""


class Store(Protocol):
    """Where an index is kept. One thread at a time uses it.

    ``metadata`` is what it was made with, see ``metadata.py``.
    """

    metadata: dict[str, Any]

    def sync(self) -> tuple[list[int], list[int]]:
        """See what others have done: the numbers of entries added or changed since the last call, and of those removed.

        The first call tells nothing: what is there then is there. What ``commit`` of this very object did is not told.
        """

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """What the keys of each row list, of a key that lists more than ``most`` so many, those first listed.

        Lists may hold numbers of entries that are gone or have changed, and one number more than once.
        """

    def all_numbers(self, key: int) -> Ints:
        """int64[n]: all numbers that one key lists, ascending, each once."""

    def fetch(self, numbers: Sequence[int]) -> list[Entry | None]:
        """The entries of these numbers, None where there is none."""

    def words(self, numbers: Sequence[int]) -> TokenRows:
        """The words of these entries, an empty row where none are kept."""

    def older_than(self, when: int, most: int) -> list[int]:
        """Numbers of up to ``most`` entries that arrived before a time, the first arrived first."""

    def last_number(self) -> int:
        """The highest number that an entry has or had, -1 if there never was one."""

    def allocate(self, count: int) -> int:
        """The first of ``count`` numbers in a row that no entry has or had."""

    def commit(self, batch: WriteBatch) -> None:
        """Make a batch last; as safely as the index was opened for when this returns.

        Raises
        ------
        Overtaken
            If others have changed the index since the last ``sync``.
        """

    def events(self, since: int) -> list[dict[str, Any]]:
        """Events with a number above ``since``, in order: rows of ``schema.EVENTS`` and ``number``, ``recorded`` (microseconds)."""

    def __len__(self) -> int:
        """Entries."""

    def stats(self) -> dict[str, Any]:
        """Facts about the store: ``documents``, ``copies``, ``bytes`` and what else it can tell without effort."""

    def compact(self) -> None:
        """Give back the room of what is gone and put what was added in the shape that is fastest to read."""

    def close(self) -> None:
        """Let go of files, connections and locks."""

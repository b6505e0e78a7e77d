"""The contract between an index and its store, and the types that pass between them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, take_rows
from ..errors import ConfigError, OutputError
from ..kernels.index import tally

Hashes = npt.NDArray[np.uint64]
#: Values of postings, uint32: ``number << CLASS_BITS | size_class``. The size class says how many
#: shingles the document has, so that a lookup knows whether enough of them are shared without
#: reading the document.
Values = npt.NDArray[np.uint32]
CLASS_BITS = tally.CLASS_BITS
#: Document numbers that fit beside a size class in 32 bits.
MOST_DOCUMENTS = 1 << (32 - CLASS_BITS)
MODES, DURABILITIES = ("r", "a", "w"), ("process", "sync")


def check_opening(mode: str, durability: str) -> None:
    """Check the parameters of ``Index.open`` that all stores share.

    Raises
    ------
    ConfigError
        If there is no such mode or durability.
    """
    if mode not in MODES or durability not in DURABILITIES:
        raise ConfigError(f"mode must be 'r', 'a' or 'w' and durability 'process' or 'sync', got {mode!r} and {durability!r}.")


def check_writable(name: str | os.PathLike[str], is_writable: bool) -> None:
    """Raise an ``OutputError`` if an index was opened with mode ``r``."""
    if not is_writable:
        raise OutputError(f"{name}: the index is open for reading only. Open it with mode 'a' to change it.")


def check_capacity(name: str | os.PathLike[str], allocated: int) -> None:
    """Raise an ``OutputError`` if more numbers would be allocated than postings can represent."""
    if allocated > MOST_DOCUMENTS:
        raise OutputError(f"{name}: an index holds at most {MOST_DOCUMENTS:,} documents, removed ones included. Build another index.")


@dataclass(slots=True)
class Entry:
    """A document in an index.

    Attributes
    ----------
    number : identifies it in the store; never reused
    role, kind, jaccard, share, containment : as in ``documents.parquet``
    status : ``unique``, ``copy``, ``extended`` or ``short``; whether a document has copies is not stored, as they come and go
    canonical : number of its canonical; its own unless it is a copy
    extends : number of the fullest document of the index that an extended one holds; else None
    covered : share of its own shingles that stood in kept documents of the index when it was decided
    story : number in the id of its story
    published, arrived : microseconds since 1970, UTC
    words : number of words of its text
    digest : 16 bytes, equal if the token streams are equal
    parts : further documents of its page (``doc_id#1`` ...); 0 for those themselves
    """

    number: int
    doc_id: str
    page_id: str
    role: str
    status: str
    canonical: int
    kind: str | None
    jaccard: float | None
    share: float | None
    containment: float | None
    extends: int | None
    covered: float
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
    """The tokens of documents, row by row.

    ``tokens`` uint64[n_words] at level *shingle*; ``terms`` uint64[n_words], the term of each, 0
    for a stop word; ``offsets`` int64[n_rows + 1].
    """

    tokens: Hashes
    terms: Hashes
    offsets: Ints

    def take(self, rows: Ints) -> TokenRows:
        """The chosen rows, in the order given."""
        tokens, offsets = take_rows(self.tokens, self.offsets, rows)
        return TokenRows(tokens, take_rows(self.terms, self.offsets, rows)[0], offsets)

    def join(self, other: TokenRows) -> TokenRows:
        """These rows and others after them; the offsets of both begin at 0."""
        offsets = np.append(self.offsets, self.offsets[-1] + other.offsets[1:])
        return TokenRows(np.concatenate([self.tokens, other.tokens]), np.concatenate([self.terms, other.terms]), offsets)

    def with_empty(self, rows: int) -> TokenRows:
        """These rows and ``rows`` empty ones after them."""
        return TokenRows(self.tokens, self.terms, np.append(self.offsets, np.full(rows, self.offsets[-1])))

    @classmethod
    def none(cls, rows: int = 0) -> TokenRows:
        """``rows`` empty rows."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint64), np.zeros(rows + 1, np.int64))


@dataclass(frozen=True, eq=False)
class PostingLists:
    """What keys list, row by row.

    ``values`` uint32[n_values], in no particular order; ``offsets`` int64[n_rows + 1];
    ``truncated`` int64[n_rows], how many keys of each row list more than was read.
    """

    values: Values
    offsets: Ints
    truncated: Ints


@dataclass(eq=False)
class WriteBatch:
    """A change of an index, written whole or not at all.

    Attributes
    ----------
    entries : new entries, and new versions of entries with the same number
    words : the tokens of ``entries``, a row each; empty where none are stored
    keys, values : postings to add, uint64[n] and uint32[n]
    kept_words : numbers of ``entries`` whose stored tokens stay as they are
    removed : numbers of entries to delete
    events : rows of ``schema.EVENTS`` as mappings, see ``Store.events``
    """

    entries: list[Entry] = field(default_factory=list)
    words: TokenRows = field(default_factory=TokenRows.none)
    keys: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    values: Values = field(default_factory=lambda: np.empty(0, np.uint32))
    kept_words: set[int] = field(default_factory=set)
    removed: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def join(self, other: WriteBatch) -> WriteBatch:
        """Both changes as one; ``other`` has no tokens. Of two entries of one number ours stays."""
        own = {entry.number for entry in self.entries}
        added = [entry for entry in other.entries if entry.number not in own]
        return WriteBatch(
            self.entries + added,
            self.words.with_empty(len(added)),
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.values, other.values]),
            self.kept_words | {entry.number for entry in added},
            self.removed + other.removed,
            self.events + other.events,
        )


class WriteConflict(Exception):  # noqa: N818 - no error: the caller looks again
    """Another writer changed the index since ``Store.sync``; retry the decision."""


class Store(Protocol):
    """Stores an index. One thread at a time uses it.

    ``metadata`` is that of the index as it was made, see ``metadata.metadata_of``.
    """

    metadata: dict[str, Any]

    def sync(self) -> tuple[list[int], list[int]]:
        """What others did since the last call: entries added or changed, and entries removed.

        The first call returns nothing: the index as it is then is the starting point. Commits of
        this object are left out.
        """

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """What the keys of each row list; of a longer list, the ``most`` values posted first.

        Lists may contain numbers of entries that have been removed or changed, and one number more
        than once.
        """

    def all_numbers(self, key: int) -> Ints:
        """int64[n]: all document numbers that a key lists, ascending, each once."""

    def fetch(self, numbers: Sequence[int]) -> list[Entry | None]:
        """The entries of these numbers, None where there is none."""

    def words(self, numbers: Sequence[int]) -> TokenRows:
        """The tokens of these entries; a row is empty where none are stored."""

    def older_than(self, when: int, most: int) -> list[int]:
        """Up to ``most`` entries that arrived before a time (microseconds), earliest first."""

    def last_number(self) -> int:
        """The highest number that an entry has or had, -1 if there never was one."""

    def allocate(self, count: int) -> int:
        """The first of ``count`` consecutive numbers that no entry has or had."""

    def commit(self, batch: WriteBatch) -> None:
        """Write a batch. When this returns it is as durable as the index was opened for.

        Raises
        ------
        WriteConflict
            If another writer changed the index since the last ``sync``.
        """

    def events(self, since: int) -> list[dict[str, Any]]:
        """Events above ``since``: ``schema.EVENTS``, ``number``, ``recorded`` (microseconds)."""

    def __len__(self) -> int:
        """Number of entries."""

    def stats(self) -> dict[str, Any]:
        """``documents``, ``copies``, ``bytes`` and what else the store knows without effort."""

    def compact(self) -> None:
        """Free the space of removed entries and reorganize postings for fast reading."""

    def close(self) -> None:
        """Release files, connections and locks."""

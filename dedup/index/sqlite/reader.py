"""Reads an index in SQLite while another process may be writing it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays.rows import Ints, row_offsets, take_rows
from ...errors import InputError
from ...kernels.hashing import GOLDEN
from ..memtable import Memtable
from ..store import CLASS_BITS, Entry, Hashes, PostingLists, TokenRows
from . import schema
from .posting_files import NamedFile, PostingFiles
from .rows import SELECT, EntryRows, unpack_event
from .segments import DamagedFileError, join_hits
from .vocabulary import WORD_BYTES, UnknownWordError, Vocabulary, unpack

#: Up to this many keys are looked up in the given order; more are sorted first.
_FEW_KEYS = 1 << 12
#: How often the list of files is read again when a writer has just merged and deleted one.
_TRIES = 20
#: Indexes open in this process, including those inherited by a fork.
_OPEN: weakref.WeakSet[SqliteReader] = weakref.WeakSet()


def check_not_inherited(folder: Path) -> None:
    """Refuse to open an index that this process has inherited open from a fork.

    SQLite would take the locks of the parent for its own, and files that the parent reads would be
    deleted.

    Raises
    ------
    InputError
        If it was inherited.
    """
    mark = mark_of(folder)
    if any(store.is_inherited() and store.has_open(mark) for store in list(_OPEN)):
        raise InputError(
            f"{folder}: this process was forked while its parent had the index open. Close the index before forking, close the "
            "inherited one before opening it here, or start processes by 'spawn'."
        )


class SqliteReader:
    """The reading half of ``SqliteStore``.

    Parameters
    ----------
    follows : whether the connection sees later commits of other processes, see
        ``schema.connect_reader``
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, follows: bool = True) -> None:
        self._folder, self._connection, self._follows = folder, connection, follows
        # Absolute, as the current folder may change; messages use the path as the user gave it.
        self._place, self._process, self._mark = folder.absolute(), os.getpid(), mark_of(folder)
        self._rows, self._vocabulary, self._files, self._memtable = (
            EntryRows(connection),
            Vocabulary(),
            PostingFiles(self._place),
            Memtable(),
        )
        #: The last commit read, SQLite's ``data_version`` at that time, and whether ``sync`` was
        #: called before.
        self._sequence, self._version, self._synced = 0, -1, False
        with schema.translated_errors(folder):
            self.metadata = {name: json.loads(value) for name, value in connection.execute("SELECT name, value FROM meta")}
            self._made = self.metadata.pop(schema.MADE, None)
            self._follow()
        _OPEN.add(self)

    def is_inherited(self) -> bool:
        """Return whether the index was opened before this process was forked."""
        return os.getpid() != self._process

    def has_open(self, mark: tuple[int, int, int, int]) -> bool:
        """Return whether this is the same database file (device and inode) as that of a mark."""
        return mark[:2] == self._mark[:2]

    def sync(self) -> tuple[list[int], list[int]]:
        """See ``Store.sync``; a reader overtaken by ``compact`` gets all entries as changed."""
        with schema.translated_errors(self._folder):
            self._must_be_there()
            changes = self._follow()
            self._synced = True
            return changes

    def _must_be_there(self) -> None:
        """Refuse a deleted or inherited index; reconnect if a static connection is out of date."""
        if self.is_inherited():
            raise InputError(f"{self._folder}: was opened before this process was forked. Close it, and open it again here.")
        mark = mark_of(self._place)
        if not self.has_open(mark):
            raise InputError(f"{self._folder}: the index was moved, deleted or replaced since it was opened. Open it again.")
        # A static (immutable) connection would use its cached pages for ever.
        if not self._follows and (mark != self._mark or schema.has_log(self._place)):
            connection, self._follows = schema.connect_reader(self._place)
            self._connection.close()
            self._connection, self._mark = connection, mark
            self._rows, self._version = EntryRows(connection), -1

    def _follow(self) -> tuple[list[int], list[int]]:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return [], []
        for attempt in range(_TRIES):
            try:
                changes = self._read_new()
                self._version = version
                return changes
            except FileNotFoundError as error:
                # Probably merged and deleted after the table was read. If it is still missing then,
                # it is lost.
                if attempt == _TRIES - 1:
                    raise schema.damaged(self._folder, f"{Path(error.filename).name} is missing") from error
                time.sleep(0.001 * attempt)
            except DamagedFileError as error:
                raise schema.damaged(self._folder, str(error)) from error
        raise AssertionError

    def _read_new(self) -> tuple[list[int], list[int]]:
        with self._snapshot():
            made = self._connection.execute("SELECT value FROM meta WHERE name = ?", (schema.MADE,)).fetchone()
            if made is None or json.loads(made[0]) != self._made:
                raise InputError(f"{self._folder}: the index was replaced by another one. Open it again.")
            last, kept_from = self._connection.execute("SELECT sequence, kept_from FROM counters").fetchone()
            named = [NamedFile(*row) for row in self._connection.execute("SELECT name, postings, bytes FROM segments ORDER BY place")]
            since = self._sequence
            if named != self._files.named:
                self._files.follow(named)
                self._memtable.clear()
                since = 0
            query = "SELECT keys, listed FROM recent_postings WHERE sequence > ? ORDER BY sequence"
            recent = self._connection.execute(query, (since,)).fetchall()
            changes = self._changes(kept_from) if self._synced else ([], [])
        if recent:
            keys, values = (b"".join(column) for column in zip(*recent, strict=True))
            self._memtable.add(np.frombuffer(keys, "<u8").astype(np.uint64), np.frombuffer(values, "<u4").astype(np.uint32))
        self._sequence = last
        return changes

    def _changes(self, kept_from: int) -> tuple[list[int], list[int]]:
        if self._sequence + 1 < kept_from:
            changed = [number for (number,) in self._connection.execute("SELECT number FROM documents ORDER BY number")]
            return changed, np.setdiff1d(np.arange(self._counter("numbers")), np.array(changed, np.int64)).tolist()
        query = "SELECT changed, removed FROM commits WHERE sequence > ? ORDER BY sequence"
        there: dict[int, bool] = {}
        for changed_bytes, removed_bytes in self._connection.execute(query, (self._sequence,)):
            there.update(dict.fromkeys(np.frombuffer(changed_bytes, "<i8").tolist(), True))
            there.update(dict.fromkeys(np.frombuffer(removed_bytes, "<i8").tolist(), False))
        return sorted(number for number, stays in there.items() if stays), sorted(number for number, stays in there.items() if not stays)

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """See ``Store.lookup``; a longer list gives up to ``most`` values of each posting file."""
        if len(keys) <= _FEW_KEYS:
            return self._lookup(keys, offsets, most)
        # Many keys are looked up in the order in which the files hold them, so that files are read
        # sequentially.
        keys, offsets = keys[offsets[0] : offsets[-1]], offsets - offsets[0]
        order = np.argsort(keys * GOLDEN)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        found = self._lookup(keys[order], np.arange(len(keys) + 1), most)
        values, starts = take_rows(found.values, found.offsets, places)
        cut = row_offsets(found.truncated[places])
        return PostingLists(values, starts[offsets], np.diff(cut[offsets]))

    def _lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        parts = self._files.lookup(keys, offsets, most)
        if len(self._memtable) or not parts:
            parts.append(self._memtable.lookup(keys, offsets, most))
        return join_hits(parts)

    def all_numbers(self, key: int) -> Ints:
        """See ``Store.all_numbers``."""
        values = np.concatenate([*self._files.all_values(key), self._memtable.all_values(key)])
        return np.unique(values >> np.uint32(CLASS_BITS)).astype(np.int64)

    def fetch(self, numbers: Sequence[int]) -> list[Entry | None]:
        """See ``Store.fetch``."""
        with schema.translated_errors(self._folder):
            found = {row[0]: self._rows.entry(row) for row in self._chosen(SELECT, numbers)}
        return [found.get(number) for number in numbers]

    def words(self, numbers: Sequence[int]) -> TokenRows:
        """See ``Store.words``."""
        with schema.translated_errors(self._folder):
            packed = dict(self._chosen("SELECT number, words FROM documents", numbers))
            ids, offsets = unpack([packed.get(number) or b"" for number in numbers])
            try:
                return TokenRows(*self._vocabulary.words_of(ids), offsets)
            except UnknownWordError:
                self._load_vocabulary()
            try:
                return TokenRows(*self._vocabulary.words_of(ids), offsets)
            except UnknownWordError as error:
                raise schema.damaged(self._folder, f"a document holds {error}") from error

    def _chosen(self, select: str, numbers: Sequence[int]) -> Iterable[Any]:
        """Select rows by number, in any order; padded to powers of two to prepare few statements."""
        asked = list(map(int, numbers))
        if len(asked) > 256:
            return self._connection.execute(f"{select} WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(asked),))
        size = 1 << max(len(asked) - 1, 0).bit_length()
        return self._connection.execute(f"{select} WHERE number IN (?{',?' * (size - 1)})", asked + [-1] * (size - len(asked)))

    def _load_vocabulary(self) -> None:
        """Load words that were added since the last time."""
        query = "SELECT first, words FROM vocabulary WHERE first + size > ? ORDER BY first"
        for first, words in self._connection.execute(query, (len(self._vocabulary),)):
            known = len(self._vocabulary)
            if first > known:
                raise schema.damaged(self._folder, f"words {known} to {first - 1} are missing")
            self._vocabulary.load(words[(known - first) * WORD_BYTES :])

    def older_than(self, when: int, most: int) -> list[int]:
        """See ``Store.older_than``."""
        query = "SELECT number FROM documents WHERE arrived < ? ORDER BY arrived, number LIMIT ?"
        with schema.translated_errors(self._folder):
            return [number for (number,) in self._connection.execute(query, (int(when), int(most)))]

    def last_number(self) -> int:
        """See ``Store.last_number``."""
        with schema.translated_errors(self._folder):
            return self._counter("numbers") - 1

    def events(self, since: int) -> list[dict[str, Any]]:
        """See ``Store.events``; ``at`` is as it was given, microseconds or a ``datetime``."""
        with schema.translated_errors(self._folder):
            rows = self._connection.execute(
                "SELECT number, recorded, event FROM events WHERE number > ? ORDER BY number", (int(since),)
            ).fetchall()
        return [unpack_event(event) | {"number": number, "recorded": recorded} for number, recorded, event in rows]

    def __len__(self) -> int:
        with schema.translated_errors(self._folder):
            return self._counter("documents")

    def stats(self) -> dict[str, Any]:
        """Return statistics of the store.

        Returns
        -------
        dict
            ``documents``, ``copies``, ``last_number``, ``vocabulary`` (words), ``postings``,
            ``tail`` (postings not in a file yet), ``segments`` (files), ``bytes`` in all, and
            ``bytes_of`` the database, its log and the posting files.
        """
        with schema.translated_errors(self._folder):
            counters = self._connection.execute("SELECT documents, copies, numbers, words FROM counters").fetchone()
        names = {"database": schema.FILE, "log": f"{schema.FILE}-wal", "log_index": f"{schema.FILE}-shm"}
        sizes = {name: _size(self._place / file) for name, file in names.items()}
        sizes["postings"] = sum(file.bytes for file in self._files.named)
        return {
            "documents": counters[0],
            "copies": counters[1],
            "last_number": counters[2] - 1,
            "vocabulary": counters[3],
            "postings": sum(file.postings for file in self._files.named) + len(self._memtable),
            "tail": len(self._memtable),
            "segments": len(self._files),
            "bytes": sum(sizes.values()),
            "bytes_of": sizes,
        }

    def _counter(self, name: str) -> int:
        return int(self._connection.execute(f"SELECT {name} FROM counters").fetchone()[0])

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read from one snapshot of the database."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """See ``Store.close``."""
        _OPEN.discard(self)
        self._connection.close()


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def mark_of(folder: Path) -> tuple[int, int, int, int]:
    """Identify a database file: device, inode, size, time of change; zeros if there is none."""
    try:
        found = (folder / schema.FILE).stat()
    except FileNotFoundError:
        return 0, 0, 0, 0
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

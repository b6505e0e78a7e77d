"""The embedded store of an online index: a folder with ``index.sqlite``, posting files and a lock.

A log-structured merge tree; see ``SqliteStore`` for what makes it survive crashes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...arrays.rows import Ints
from ...errors import InputError, OutputError
from ...storage.files import unlock
from ..store import WriteBatch, check_capacity, check_opening, check_writable
from . import schema
from .posting_files import NamedFile, file_name
from .reader import SqliteReader, check_not_inherited, mark_of
from .rows import PUT, PUT_KEPT, EntryRows, pack_event
from .segments import DamagedFileError
from .vocabulary import WORD_BYTES, Vocabulary, pack

#: Postings in the memtable beyond which it is written to a file, normally and when the index is
#: closed.
FLUSH, FLUSH_AT_CLOSE = 1_200_000, 5_000
#: Vocabulary chunks with fewer words than this are joined when a posting file is written.
_CHUNK_WORDS = 1 << 16


class SqliteStore(SqliteReader):
    """A ``Store`` in a folder: one process writes, any number read without blocking each other.

    The database holds the entries with their words, the vocabulary, the events, and the list of
    valid posting files. New postings go to a memtable and, in the transaction of their entries, to
    a table. A long memtable becomes a posting file, and small files are merged into larger ones
    (O'Neil, Cheng, Gawlick, O'Neil: The log-structured merge-tree, 1996).

    A posting file is synced to disk before the transaction that names it, and deleted after the one
    that no longer does. So the index is complete whenever the process or the power fails.

    ``WriteConflict`` is never raised, as there is only one writer.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: IO[str] | None, durability: str, follows: bool) -> None:
        super().__init__(folder, connection, follows)
        self._lock, self._durability = lock, durability
        self._reserved, self._stored_words = self.last_number() + 1, 0
        #: Whether a commit was interrupted, perhaps after its transaction, so that memory may lag
        #: behind the database.
        self._uncertain = False
        with schema.translated_errors(folder):
            self._rows.load()

    @classmethod
    def open(cls, path: str | Path, metadata: Mapping[str, Any], mode: str, durability: str) -> SqliteStore:
        """Open the index in a folder, or create one.

        Parameters
        ----------
        path
            The folder.
        metadata
            What a new index is made with, ready for JSON. That of an existing index is in
            ``store.metadata``.
        mode, durability
            See ``Index.open``.

        Raises
        ------
        InputError
            If the folder holds something else or a damaged index, or for mode ``r`` nothing.
        OutputError
            If another process has it open for writing, or the system refuses access.
        """
        check_opening(mode, durability)
        folder = Path(path)
        is_there = schema.check(folder)
        with schema.translated_errors(folder):
            check_not_inherited(folder)
        if mode == "r":
            if not is_there:
                raise InputError(f"{folder}: there is no index. Check the path, or make one with 'dedup index build' or 'ingest'.")
            with schema.translated_errors(folder):
                connection, follows = schema.connect_reader(folder)
            return cls._opened(folder, connection, None, durability, follows)
        lock = schema.lock_folder(folder)
        try:
            with schema.translated_errors(folder):
                # Checked again, now that nobody else can create one.
                if not schema.check(folder):
                    schema.create(folder, metadata)
                elif mode == "w":
                    _replace(folder, metadata)
                connection = schema.connect_writer(folder, durability)
            store = cls._opened(folder, connection, lock, durability, True)
        except BaseException:
            lock.close()
            raise
        store.delete_orphans()
        return store

    @classmethod
    def _opened(cls, folder: Path, connection: sqlite3.Connection, lock: IO[str] | None, durability: str, follows: bool) -> SqliteStore:
        try:
            return cls(folder, connection, lock, durability, follows)
        except BaseException:
            connection.close()
            raise

    def delete_orphans(self) -> None:
        """Delete posting files that a killed writer left unfinished."""
        self._files.delete_unnamed()

    def sync(self) -> tuple[list[int], list[int]]:
        """See ``Store.sync``; the only writer never has anything to see."""
        if self._lock is None:
            return super().sync()
        with schema.translated_errors(self._folder):
            self._must_be_there()
            if self._uncertain:
                self._reload()
        return [], []

    def _reload(self) -> None:
        """Bring memory in line with the database after an interrupted commit."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._memtable.clear()
        self._sequence = 0
        self._read_new()
        self._rows, self._vocabulary = EntryRows(self._connection), Vocabulary()
        self._rows.load()
        self._load_vocabulary()
        self._stored_words, self._reserved = self._counter("words"), max(self._reserved, self._counter("numbers"))
        self._uncertain = False

    def allocate(self, count: int) -> int:
        """See ``Store.allocate``."""
        first = self._reserved
        check_capacity(self._folder, first + count)
        self._reserved += count
        return first

    def commit(self, batch: WriteBatch) -> None:
        """See ``Store.commit``.

        Raises
        ------
        OutputError
            If the disk is full or cannot be written. Then nothing of the batch is stored.
        """
        self._check_writable()
        if len(self._memtable) > FLUSH:
            self._flush()
        sequence = self._sequence + 1
        self._uncertain = True
        with schema.translated_errors(self._folder):
            if batch.entries and not self._stored_words:
                self._load_vocabulary()
                self._stored_words = len(self._vocabulary)
            with self._changing():
                self._put(batch, sequence)
        self._sequence = sequence
        if batch.entries:
            self._stored_words = len(self._vocabulary)
        self._reserved = max([self._reserved, *(int(entry.number) + 1 for entry in batch.entries)])
        self._rows.keep()
        self._memtable.add(batch.keys, batch.values)
        self._uncertain = False

    def _check_writable(self) -> None:
        check_writable(self._folder, self._lock is not None)
        # Writes to a deleted database are lost, and posting files would land in the folder of
        # another index.
        with schema.translated_errors(self._folder):
            self._must_be_there()

    def _put(self, batch: WriteBatch, sequence: int) -> None:
        numbers = self._counter("numbers")
        older = [int(entry.number) for entry in batch.entries if entry.number < numbers]
        before = self._copies_among([*older, *batch.removed])
        self._connection.executemany("DELETE FROM removed WHERE number = ?", [(number,) for number in older])
        self._put_entries(batch)
        gone = [(int(number),) for number in batch.removed]
        self._connection.executemany("DELETE FROM documents WHERE number = ?", gone)
        self._connection.executemany("INSERT OR IGNORE INTO removed VALUES (?)", gone)
        self._put_events(batch.events)
        self._rows.write()
        # Without entries there are no new words: those in memory may have been loaded from the
        # database.
        first, count = self._stored_words, len(self._vocabulary) if batch.entries else 0
        if count > first:
            words = first, count - first, self._vocabulary.added(first)
            self._connection.execute("INSERT INTO vocabulary VALUES (?, ?, ?)", words)
        changed = np.array([entry.number for entry in batch.entries], "<i8"), np.array(batch.removed, "<i8")
        self._connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (sequence, *(array.tobytes() for array in changed)))
        if len(batch.keys):
            listed = batch.keys.astype("<u8", copy=False).tobytes(), batch.values.astype("<u4", copy=False).tobytes()
            self._connection.execute("INSERT INTO recent_postings VALUES (?, ?, ?)", (sequence, *listed))
        after = {entry.number: entry.status == "copy" for entry in batch.entries}
        for number in batch.removed:
            after.pop(number, None)
        self._connection.execute(
            "UPDATE counters SET documents = documents + ?, copies = copies + ?, numbers = max(numbers, ?), sequence = ?, "
            "words = max(words, ?)",
            (
                len(after) - len(before),
                sum(after.values()) - sum(before.values()),
                max((int(entry.number) + 1 for entry in batch.entries), default=0),
                sequence,
                count,
            ),
        )

    def _copies_among(self, numbers: Sequence[int]) -> dict[int, bool]:
        """For each number with an entry, whether it is a copy."""
        rows = self._chosen("SELECT number, labels FROM documents", numbers) if numbers else []
        return {number: self._rows.is_copy(code) for number, code in rows}

    def _put_entries(self, batch: WriteBatch) -> None:
        words = pack(self._vocabulary.ids_of(batch.words.tokens, batch.words.terms), batch.words.offsets)
        rows = [self._rows.row(entry, packed) for entry, packed in zip(batch.entries, words, strict=True)]
        kept = batch.kept_words
        self._connection.executemany(PUT, (row for row in rows if row[0] not in kept) if kept else rows)
        if kept:
            self._connection.executemany(PUT_KEPT, (row for row in rows if row[0] in kept))

    def _put_events(self, events: Sequence[Mapping[str, Any]]) -> None:
        now = time.time_ns() // 1000
        rows = [(now, pack_event(event)) for event in events]
        self._connection.executemany("INSERT INTO events(recorded, event) VALUES (?, ?)", rows)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """A transaction; if rolled back, words and labels numbered in it go with the next one."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise

    def _flush(self, *, whole: bool = False) -> None:
        """Write the memtable to a posting file, merged with small files, or with all if ``whole``."""
        with schema.translated_errors(self._folder):
            first = 0 if whole else self._files.merged_from(len(self._memtable))
            gone = self._gone() if first < len(self._files) or whole else np.empty(0, np.int64)
            place = self._counter("files")
            try:
                written = self._files.write(file_name(place), self._memtable.entries(), first, gone)
            except DamagedFileError as error:
                raise schema.damaged(self._folder, str(error)) from error
            old = [file.name for file in self._files.named[first:]]
            # Old files are deleted after this transaction, so it and all before it must be synced
            # to disk first.
            schema.set_durability(self._connection, "sync")
            try:
                with self._changing():
                    self._name_files(place, written, old)
                    self._join_words()
                    if whole:
                        self._connection.execute("DELETE FROM removed")
                        self._connection.execute("DELETE FROM commits")
                        self._connection.execute("UPDATE counters SET kept_from = sequence + 1")
            finally:
                schema.set_durability(self._connection, self._durability)
            self._files.follow([*self._files.named[:first], written])
            self._files.delete(old)
            self._memtable.clear()

    def _name_files(self, place: int, written: NamedFile, old: Sequence[str]) -> None:
        self._connection.executemany("DELETE FROM segments WHERE name = ?", [(name,) for name in old])
        self._connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (place, *written))
        self._connection.execute("UPDATE counters SET files = ?", (place + 1,))
        self._connection.execute("DELETE FROM recent_postings")

    def _gone(self) -> Ints:
        rows = self._connection.execute("SELECT number FROM removed ORDER BY number").fetchall()
        return np.fromiter((number for (number,) in rows), np.int64, len(rows))

    def _join_words(self) -> None:
        """Join the small vocabulary chunks at the end."""
        chunks = self._connection.execute("SELECT first, size FROM vocabulary ORDER BY first DESC").fetchall()
        small = next((place for place, (_, size) in enumerate(chunks) if size >= _CHUNK_WORDS), len(chunks))
        if small < 2:
            return
        first = chunks[small - 1][0]
        rows = self._connection.execute("SELECT words FROM vocabulary WHERE first >= ? ORDER BY first", (first,)).fetchall()
        joined = b"".join(words for (words,) in rows)
        self._connection.execute("DELETE FROM vocabulary WHERE first >= ?", (first,))
        self._connection.execute("INSERT INTO vocabulary VALUES (?, ?, ?)", (first, len(joined) // WORD_BYTES, joined))

    def compact(self) -> None:
        """See ``Store.compact``: merges all posting files; rewrites a database that is a third free."""
        self._check_writable()
        self._flush(whole=True)
        with schema.translated_errors(self._folder):
            free, pages = (self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
            if 3 * free > pages:
                self._connection.execute("VACUUM")
            schema.empty_log(self._connection)

    def close(self) -> None:
        """See ``Store.close``. A writer first tidies the index, so that it opens fast."""
        lock, self._lock = self._lock, None
        ours = not self.is_inherited()  # an index inherited by a fork is still in use by the parent
        try:
            # All commits are stored already. If the disk is too full to tidy, the next writer does
            # it.
            with suppress(OutputError):
                if lock is not None and ours:
                    self._finish()
        finally:
            super().close()
            if lock is not None:
                unlock(lock) if ours else lock.close()

    def _finish(self) -> None:
        if not self.has_open(mark_of(self._place)):
            return  # deleted or replaced
        if len(self._memtable) > FLUSH_AT_CLOSE:
            self._flush()
        with schema.translated_errors(self._folder):
            schema.empty_log(self._connection)


def _replace(folder: Path, metadata: Mapping[str, Any]) -> None:
    """Replace an index, even a damaged one, by an empty one."""
    try:
        with closing(schema.connect_writer(folder, "sync")) as connection:
            schema.empty(connection, metadata)
    except sqlite3.DatabaseError as error:
        if isinstance(schema.translated(folder, error), OutputError):
            raise
        schema.discard(folder)
        schema.create(folder, metadata)

"""The file ``index.sqlite``: its tables, atomic creation, connections, and error messages."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ...errors import InputError, OutputError
from ...storage.files import LockedError, lock, os_errors_as, replace_durably

FILE, LOCK = "index.sqlite", "writer.lock"
#: The row of ``meta`` with a random mark, by which readers notice that an index was replaced.
MADE = "@made"
_FRESH = "index.sqlite.new"
#: ``PRAGMA application_id`` of an index: "ddpx". ``PRAGMA user_version`` is the format.
MAGIC, FORMAT = 0x64647078, 2
_HEADER = struct.Struct(">16s44xI4xI")
#: Largest part of the database, in bytes, to access by memory map: random reads take a third less
#: time.
_MAPPED = 0x7FFF0000
#: Milliseconds that a statement waits for a lock. Neither readers nor the writer keep one for long.
_PATIENCE = 10_000
#: Page size in bytes. A document takes about 850 bytes; pages of 4,096 would waste a fifth.
_PAGE = 8_192
#: Pages in the write-ahead log before SQLite copies them into the database.
_LOG_PAGES = 4_000

_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters(documents, copies, numbers, sequence, kept_from, files, words);
INSERT INTO counters VALUES (0, 0, 0, 0, 1, 0, 0);
CREATE TABLE labels(code INTEGER PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE sources(code INTEGER PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE documents(
    number INTEGER PRIMARY KEY, labels, canonical, extends, arrived, published, story, source, length, parts, jaccard, share,
    containment, covered, digest, doc_id, page_id, url, title, words);
CREATE INDEX by_arrival ON documents(arrived);
CREATE TABLE vocabulary(first INTEGER PRIMARY KEY, size, words);
CREATE TABLE segments(place INTEGER PRIMARY KEY, name, postings, bytes);
CREATE TABLE commits(sequence INTEGER PRIMARY KEY, changed, removed);
CREATE TABLE recent_postings(sequence INTEGER PRIMARY KEY, keys, listed);
CREATE TABLE removed(number INTEGER PRIMARY KEY);
CREATE TABLE events(number INTEGER PRIMARY KEY AUTOINCREMENT, recorded, event);
"""


@contextmanager
def translated_errors(folder: Path) -> Iterator[None]:
    """Raise the errors of SQLite and of the system as errors of dedup that say what to do."""
    try:
        with os_errors_as(
            OutputError, lambda why: f"{folder}: cannot be used ({why}). Free some space or grant access, and open the index again."
        ):
            yield
    except sqlite3.DatabaseError as error:
        if type(error) not in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise  # a bug in dedup
        raise translated(folder, error) from error


def translated(folder: Path, error: sqlite3.DatabaseError) -> InputError | OutputError:
    """Return the error to raise for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", -1) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return OutputError(f"{folder}: the disk is full; nothing was written. Free some space and try again.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutputError(f"{folder}: another program has locked {FILE} ({error}). Stop it or wait for it, and try again.")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return OutputError(f"{folder}: {FILE} cannot be read or written ({error}). Check its permissions and the disk, and try again.")
    return damaged(folder, f"{FILE}: {error}")


def damaged(folder: Path, what: str) -> InputError:
    """Return the error for a damaged index."""
    return InputError(
        f"{folder}: the index is damaged ({what}). Restore the folder from a backup, or build it again with dedup index build."
    )


def check(folder: Path) -> bool:
    """Return whether a folder holds an index; False if it does not but one can be created.

    Raises
    ------
    InputError
        If there is something else: a file, other files, another database, or an index of another
        format.
    """
    with os_errors_as(InputError, lambda why: f"{folder}: cannot be read ({why}). Check its permissions."):
        if not folder.is_dir():
            if os.path.lexists(folder):
                raise InputError(f"{folder}: is not a folder, but an index is one. Choose another path.")
            return False
        if not (folder / FILE).exists():
            strange = sorted(name for name in os.listdir(folder) if name != LOCK and not name.startswith(_FRESH))
            if "manifest.json" in strange and "documents.parquet" in strange:
                raise InputError(
                    f"{folder}: is the result of a run, not an index. Make an index of it with 'dedup index build {folder} -o NAME'."
                )
            if strange:
                raise InputError(f"{folder}: contains {strange[0]} but no index. Choose an empty or a new folder.")
            return False
        with open(folder / FILE, "rb") as file:
            header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(b"SQLite format 3\0"):
        raise InputError(
            f"{folder}: {FILE} is no database, or its beginning is damaged. Restore it from a backup, or choose another folder."
        )
    _, version, magic = _HEADER.unpack(header)
    if magic != MAGIC:
        raise InputError(f"{folder}: {FILE} is a database of another program. Choose another folder.")
    if version != FORMAT:
        raise InputError(
            f"{folder}: has format {version}, this version of dedup reads {FORMAT}. Make it again from the texts: "
            f"'dedup run INPUT... -o OUT', then 'dedup index build OUT -o {folder} --overwrite'; or use the version that made it."
        )
    return True


def lock_folder(folder: Path) -> IO[str]:
    """Lock out other writers until the returned file is closed."""
    try:
        with os_errors_as(
            OutputError, lambda why: f"{folder}: cannot be written ({why}). Check its permissions, or open it for reading only."
        ):
            for _ in range(100):
                folder.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    locked = lock(folder / LOCK)
                    if locked is not None:
                        return locked
    except LockedError as error:
        raise OutputError(
            f"{folder}: another writer has this index ({error}). Wait until it has finished, or open it for reading only."
        ) from None
    raise OutputError(f"{folder}: another program keeps deleting it. Choose another folder.")


def create(folder: Path, metadata: Mapping[str, Any]) -> None:
    """Create an empty index under a temporary name, then rename it. The caller holds the lock."""
    fresh = folder / _FRESH
    for left in folder.glob(f"{_FRESH}*"):
        left.unlink()
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA application_id={MAGIC}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.executescript(f"BEGIN;{_TABLES}COMMIT;")
        write_metadata(connection, metadata)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    replace_durably(fresh, folder / FILE)


def write_metadata(connection: sqlite3.Connection, metadata: Mapping[str, Any]) -> None:
    """Store the settings of an index, and a random mark that distinguishes it from others."""
    rows = [(name, json.dumps(value)) for name, value in metadata.items()]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [*rows, (MADE, json.dumps(os.urandom(8).hex()))])


def empty(connection: sqlite3.Connection, metadata: Mapping[str, Any]) -> None:
    """Empty an index. It stays the same file, because readers may have it open."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript("BEGIN IMMEDIATE;" + "".join(f"DROP TABLE {name};" for name in names) + _TABLES)
    write_metadata(connection, metadata)
    connection.execute("COMMIT")
    connection.execute("VACUUM")


def discard(folder: Path) -> None:
    """Delete the database of an unreadable index."""
    for end in ("", "-wal", "-shm"):
        (folder / (FILE + end)).unlink(missing_ok=True)


def connect_writer(folder: Path, durability: str) -> sqlite3.Connection:
    """Open a connection for writing; transactions are started explicitly."""
    connection = _connected(f"{(folder / FILE).absolute().as_uri()}?mode=rw")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
    connection.execute("PRAGMA fullfsync=1")
    connection.execute("PRAGMA checkpoint_fullfsync=1")
    set_durability(connection, durability)
    return connection


def set_durability(connection: sqlite3.Connection, durability: str) -> None:
    """Sync the log to disk now and then (``process``) or at every commit (``sync``)."""
    connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'sync' else 'NORMAL'}")


def empty_log(connection: sqlite3.Connection) -> None:
    """Copy the log into the database and truncate it, as far as readers permit."""
    connection.execute("PRAGMA busy_timeout=0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE}")


def connect_reader(folder: Path) -> tuple[sqlite3.Connection, bool]:
    """Open a connection for reading; return it and whether it sees later commits of the writer.

    In a read-only folder, reading the log requires the files ``-wal`` and ``-shm``, which exist
    only while a writer has the index open. Without them nobody is writing, and the database is read
    as a file that does not change.
    """
    uri = (folder / FILE).absolute().as_uri()
    try:
        return _connected(f"{uri}?mode=ro"), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        if has_log(folder):
            raise InputError(
                f"{folder}: the last writer did not close the index, and recovery needs write access to the folder. "
                "Open it once for writing as a user who has that."
            ) from error
    return _connected(f"{uri}?immutable=1"), False


def has_log(folder: Path) -> bool:
    """Return whether the log holds transactions that may not be in the database yet."""
    try:
        return (folder / (FILE + "-wal")).stat().st_size > 0
    except FileNotFoundError:
        return False


def _connected(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, timeout=_PATIENCE / 1000, isolation_level=None, check_same_thread=False, cached_statements=256, uri=True
    )
    try:
        connection.execute("PRAGMA cache_size=-32768")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA mmap_size={_MAPPED}")
        connection.execute("SELECT * FROM counters").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection

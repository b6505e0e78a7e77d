"""Faults of the SQLite store: killed processes, truncated files, full disks, foreign files."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dedup.errors import InputError, OutputError
from dedup.index.sqlite import posting_files
from dedup.index.sqlite import store as sqlite_store
from dedup.index.sqlite.segments import Segment
from dedup.index.sqlite.store import SqliteStore
from dedup.index.store import WriteBatch
from tests.index.store_contract import add, entry, postings, read, recent, words


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "news.index"


@pytest.fixture
def opener(folder):
    stores = []

    def opens(mode="a", durability="process"):
        stores.append(SqliteStore.open(folder, {"rules": 1}, mode, durability))
        return stores[-1]

    yield opens
    for store in stores:
        store.close()


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(sqlite_store, "FLUSH", 20)
    monkeypatch.setattr(sqlite_store, "FLUSH_AT_CLOSE", 2)


def ingest(store, count=1):
    """Add documents whose words and postings follow from their numbers; return the last number."""
    first = store.allocate(count)
    numbers = range(first, first + count)
    store.commit(
        WriteBatch(
            [entry(number) for number in numbers],
            words(*(words_of(number) for number in numbers)),
            **postings(*((key, number) for number in numbers for key in keys_of(number))),
        )
    )
    return first + count - 1


def words_of(number):
    return [(number * 7 + at, at % 2) for at in range(9)]


def keys_of(number):
    return [number * 1_000 + at for at in range(5)] + [1 << 60 | number % 3]


def check_whole(store, count):
    """Check that the first ``count`` documents are stored and found."""
    numbers = list(range(count))
    assert len(store) == count and [item and item.number for item in store.fetch(numbers)] == numbers
    assert read(store.words(numbers)) == [words_of(number) for number in numbers]
    keys = np.array([key for number in numbers for key in keys_of(number)], np.uint64)
    hits = store.lookup(keys, np.arange(count + 1) * 6, 1 << 30)
    listed = [set((hits.values[begin:end] >> 4).tolist()) for begin, end in zip(hits.offsets, hits.offsets[1:], strict=False)]
    assert all(number in found for number, found in enumerate(listed))
    assert store.all_numbers(1 << 60 | 1).tolist() == [number for number in numbers if number % 3 == 1]


def add_until_killed(folder, durability, reports):
    """Add one document after another; report each once it is committed."""
    store = SqliteStore.open(folder, {}, "a", durability)
    os.write(reports, f"open {len(store)}\n".encode())
    while True:
        os.write(reports, f"done {ingest(store)}\n".encode())


def started(folder, durability):
    """Start a process that adds documents until it is killed; return its id and its reports."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            add_until_killed(folder, durability, write_end)
        finally:
            os._exit(1)
    os.close(write_end)
    return child, os.fdopen(read_end)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")
@pytest.mark.parametrize("durability", ["process", "sync"])
def test_acknowledged_documents_survive_a_killed_process(folder, durability, monkeypatch):
    monkeypatch.setattr(sqlite_store, "FLUSH", 200)
    monkeypatch.setattr(posting_files, "_MOST_FILES", 3)
    rng, acknowledged, flushed = random.Random(5), 0, 0
    for _ in range(12):
        child, reports = started(folder, durability)
        with reports:
            kind, there = reports.readline().split()
            assert kind == "open" and int(there) >= acknowledged
            for _ in range(rng.randrange(60, 200)):
                acknowledged = int(reports.readline().split()[1]) + 1
            time.sleep(rng.random() * 0.02)
            os.kill(child, signal.SIGKILL)
            for line in reports:
                if line.endswith("\n"):
                    acknowledged = int(line.split()[1]) + 1
        os.waitpid(child, 0)
        reader = SqliteStore.open(folder, {}, "r", durability)
        count = len(reader)
        assert acknowledged <= count <= acknowledged + 1
        check_whole(reader, count)
        flushed = max(flushed, reader.stats()["segments"])
        reader.close()
    assert flushed > 1
    store = SqliteStore.open(folder, {}, "a", durability)
    named = {file.name for file in store._files.named}
    assert {path.name for path in folder.glob("*.seg")} == named
    check_whole(store, len(store))
    store.close()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.77, 0.999])
def test_the_intact_beginning_of_a_truncated_log_counts(opener, folder, tmp_path, kept):
    store = opener()
    for _ in range(40):
        ingest(store)
    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    log = torn / "index.sqlite-wal"
    os.truncate(log, int(log.stat().st_size * kept))
    again = SqliteStore.open(torn, {}, "a", "process")
    count = len(again)
    assert count < 40 and (count > 0) == (kept > 0.1)
    check_whole(again, count)
    assert ingest(again) == count
    check_whole(again, count + 1)
    again.close()


def test_a_garbage_database_is_reported(opener, folder):
    ingest(opener())
    folder_file = folder / "index.sqlite"
    folder_file.write_bytes(b"\x00garbage" * 3_000)
    for mode in "r":
        with pytest.raises(InputError, match="no database, or its beginning is damaged"):
            opener(mode)


def test_damaged_pages_are_reported_or_harmless(opener, folder):
    store = opener()
    for _ in range(30):
        ingest(store, 20)
    store.close()
    size = (folder / "index.sqlite").stat().st_size
    with open(folder / "index.sqlite", "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(InputError, match="damaged.*Restore"):
        opener("r")
    with pytest.raises(InputError, match="damaged"):
        opener("a")
    assert len(opener("w")) == 0


@pytest.mark.parametrize("part", [0.2, 0.6, 0.98])
def test_a_truncated_database_is_reported_or_harmless(opener, folder, part):
    store = opener()
    for _ in range(30):
        ingest(store, 20)
    store.close()
    os.truncate(folder / "index.sqlite", int((folder / "index.sqlite").stat().st_size * part))
    with pytest.raises(InputError, match="damaged"):
        check_whole(opener("r"), 600)


@pytest.mark.parametrize("version", [1, 99])
def test_another_format_is_refused_with_the_commands_that_make_the_index_again(opener, folder, version):
    opener().close()
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute(f"PRAGMA user_version={version}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for mode in "raw":
        with pytest.raises(
            InputError,
            match=f"has format {version}, this version of dedup reads 2.*'dedup run INPUT... -o OUT', then 'dedup index build OUT",
        ):
            opener(mode)


def harm_missing(path):
    path.unlink()


def harm_truncated(path):
    os.truncate(path, path.stat().st_size // 2)


def harm_foreign(path):
    path.write_bytes(b"something else")


def harm_exchanged(path):
    Segment.build(np.arange(3, dtype=np.uint64), np.arange(3, dtype=np.uint32)).write(path)


@pytest.mark.parametrize("harm", [harm_missing, harm_truncated, harm_foreign, harm_exchanged])
def test_a_damaged_posting_file_is_reported_by_name(opener, folder, small_files, harm):
    store = opener()
    for _ in range(10):
        ingest(store)
    store.close()
    path = next(folder.glob("*.seg"))
    harm(path)
    for mode in "ra":
        with pytest.raises(InputError, match=rf"damaged.*{path.name}.*dedup index build"):
            opener(mode)
    assert len(opener("w")) == 0


def test_the_next_writer_deletes_orphaned_posting_files(opener, folder, small_files):
    store = opener()
    for _ in range(10):
        ingest(store)
    store.close()
    left = folder / "postings-000999.seg"
    left.write_bytes(b"half a file")
    check_whole(opener("r"), 10)
    assert left.exists()
    check_whole(opener(), 10)
    assert not left.exists()


def test_a_half_created_index_is_created_again(opener, folder):
    folder.mkdir()
    (folder / "index.sqlite.new").write_bytes(b"SQLite format 3\0")
    (folder / "index.sqlite.new-wal").write_bytes(b"")
    (folder / "writer.lock").write_text("123\n")
    with pytest.raises(InputError, match="there is no index"):
        opener("r")
    ingest(opener())
    assert not list(folder.glob("*.new*"))


class Limited:
    """A connection whose statements can be made to fail."""

    def __init__(self, connection, statement, error):
        self._connection, self._statement, self._error = connection, statement, error

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, *more):
        if statement.startswith(self._statement):
            raise self._error
        return self._connection.execute(statement, *more)


def full():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize("statement", ["INSERT INTO commits", "UPDATE counters", "COMMIT"])
def test_a_failed_commit_leaves_memory_unchanged(opener, statement):
    store, reader = opener(), opener("r")
    for _ in range(4):
        ingest(store)
    connection, before = store._connection, store.stats()
    store._connection = Limited(connection, statement, full())
    with pytest.raises(OutputError, match="disk is full"):
        store.commit(WriteBatch([entry(4, role="new", source="جديد")], words([(99, 9), (1, 1)]), **postings((77, 4))))
    store._connection = connection
    assert store.all_numbers(77).tolist() == [] and store.stats()["postings"] == before["postings"] and len(store) == 4
    check_whole(store, 4)
    number = store.allocate(2)
    assert number == 4
    store.commit(WriteBatch([entry(4, role="other", source="آخر")], words(words_of(4)), **postings(*((key, 4) for key in keys_of(4)))))
    check_whole(store, 5)
    reader.sync()
    check_whole(reader, 5)
    assert reader.fetch([4]) == store.fetch([4]) and reader.fetch([4])[0].role == "other" and reader.fetch([4])[0].source == "آخر"


def test_a_full_disk_is_reported_and_existing_documents_stay(opener):
    store = opener()
    for _ in range(5):
        ingest(store)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages + 3}")
    with pytest.raises(OutputError, match="disk is full"):
        ingest(store, 2_000)
    check_whole(store, 5)
    store._connection.execute("PRAGMA max_page_count=1000000")
    first = store.allocate(1)
    store.commit(WriteBatch([entry(first)], words([(5, 5)])))
    assert read(store.words([first])) == [[(5, 5)]] and len(store) == 6


def test_a_posting_file_that_does_not_fit_on_the_disk_is_written_later(opener, folder, small_files, monkeypatch):
    store = opener()
    while len(store._memtable) <= 20:
        ingest(store)
    count = len(store)
    wrote = Segment.write

    def fails(self, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Segment, "write", fails)
    for _ in range(2):
        with pytest.raises(OutputError, match="No space left"):
            ingest(store)
    assert not list(folder.glob("*.seg")) and len(store) == count
    store.close()  # the memtable stays in the database
    monkeypatch.setattr(Segment, "write", wrote)
    again = opener()
    assert again.stats()["tail"] > 20
    check_whole(again, count)
    ingest(again)
    assert again.stats()["segments"] == 1
    check_whole(again, count + 1)


def test_a_merge_syncs_files_and_transaction_before_it_deletes_old_files(opener, folder, small_files, monkeypatch):
    """The order of calls decides what a power failure leaves; no kill test sees it."""
    store = opener(durability="process")
    while store.stats()["segments"] == 0:
        ingest(store)
    old = [file.name for file in store._files.named]
    calls = []
    fsync, unlink = os.fsync, Path.unlink

    def recorded_fsync(number):
        names = {path.stat().st_ino: path.name for path in [folder, *folder.iterdir()]}
        calls.append(("fsync", names[os.fstat(number).st_ino]))
        fsync(number)

    def recorded_unlink(path, missing_ok=False):
        calls.append(("unlink", path.name))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "unlink", recorded_unlink)
    store._connection.set_trace_callback(lambda statement: calls.append(("sql", statement)))
    store.compact()
    store._connection.set_trace_callback(None)

    (new,) = [file.name for file in store._files.named]
    begin, commit = calls.index(("sql", "BEGIN IMMEDIATE")), calls.index(("sql", "COMMIT"))
    assert calls.index(("fsync", new)) < calls.index(("fsync", folder.name))
    assert calls.index(("fsync", folder.name)) < calls.index(("sql", "PRAGMA synchronous=FULL")) < begin < commit
    assert commit < calls.index(("sql", "PRAGMA synchronous=NORMAL"))
    assert old
    assert all(calls.index(("unlink", name)) > commit for name in old)


def test_a_posting_file_counts_only_with_its_transaction(opener, small_files):
    store = opener()
    while len(store._memtable) <= 20:
        ingest(store)
    count, connection = len(store), store._connection
    store._connection = Limited(connection, "DELETE FROM recent_postings", full())
    with pytest.raises(OutputError, match="disk is full"):
        store._flush()
    store._connection = connection
    check_whole(store, count)
    check_whole(opener("r"), count)
    while store.stats()["segments"] == 0:
        assert ingest(store) == count
        count += 1
    check_whole(store, count)


def test_readers_see_whole_commits_during_writes_and_merges(opener, folder, small_files):
    writer, stop, problems, seen = opener(), threading.Event(), [], []

    def reads(at):
        try:
            reader = SqliteStore.open(folder, {}, "r", "process")
            known = set(recent(reader, 0)) if not reader.sync()[0] else set()
            while not stop.is_set():
                known.update(reader.sync()[0])
                count = len(known)
                assert known == set(range(count))
                last = list(range(max(0, count - 30), count))
                assert None not in reader.fetch(last) and read(reader.words(last)) == [words_of(number) for number in last]
                assert all(reader.all_numbers(keys_of(number)[0]).tolist() == [number] for number in last)
            seen.append(count)
            reader.close()
        except BaseException as error:
            problems.append(error)

    ingest(writer)
    threads = [threading.Thread(target=reads, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for at in range(150):
        ingest(writer, 1 + at % 3)
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == [] and seen == [len(writer)] * 2


def test_a_reader_in_a_transaction_does_not_block_the_writer(opener):
    writer, reader = opener(), opener("r")
    ingest(writer)
    with reader._snapshot():
        reader._counter("documents")
        begun = time.monotonic()
        ingest(writer)
        writer._flush()
        writer.compact()
        writer.close()
        assert time.monotonic() - begun < 5
    reader.sync()
    check_whole(reader, 2)


def test_numpy_numbers_are_stored_as_numbers(opener):
    store = opener()
    first = np.int64(store.allocate(2))
    given = [
        entry(first, canonical=first, published=np.int64(5), story=np.int32(2), words=np.int32(1), jaccard=np.float32(0.5)),
        entry(first + 1),
    ]
    store.commit(WriteBatch(given, words([(1, 1)], [(2, 2)])))
    store.commit(WriteBatch(removed=[first + 1]))
    again = opener("r").fetch([0, 1])
    assert again == [given[0], None] and type(again[0].published) is int and type(again[0].jaccard) is float


def test_a_bug_is_not_reported_as_a_damaged_index(opener):
    store = opener()
    with pytest.raises(sqlite3.Error):
        store.commit(WriteBatch([entry(store.allocate(1), digest=object())], words([(1, 1)])))
    assert len(store) == 0 and add(store) == 1

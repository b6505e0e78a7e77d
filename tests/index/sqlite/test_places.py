"""The folder of an index: relative, moved or deleted while open, read-only, after a fork."""

from __future__ import annotations

import os
import re
import shutil

import pytest

import dedup
from dedup.errors import ConfigError, InputError
from dedup.index.sqlite import schema as sqlite_schema
from dedup.index.sqlite import store as sqlite_store
from dedup.index.sqlite.store import SqliteStore
from tests.index.store_contract import add

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "news.index"


@pytest.fixture
def opener(folder, monkeypatch):
    monkeypatch.setattr(sqlite_store, "FLUSH", 20)
    monkeypatch.setattr(sqlite_store, "FLUSH_AT_CLOSE", 2)
    stores = []

    def opens(mode="a", path=folder):
        stores.append(SqliteStore.open(path, {"rules": 1}, mode, "process"))
        return stores[-1]

    yield opens
    for store in stores:
        store.close()


def in_a_fork(work) -> str:
    """Run a function in a forked process; return its result or its error as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


def test_the_current_folder_may_change_while_an_index_is_open(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_store, "FLUSH", 20)
    monkeypatch.chdir(tmp_path)
    text = "استقبل أمير منطقة الرياض في مكتبه السفير الياباني لدى المملكة وبحث معه سبل تعزيز التعاون بين البلدين"
    with dedup.Index.open("news.index") as index, dedup.Index.open("news.index", mode="r") as reader:
        monkeypatch.chdir("/")
        for number in range(6):
            index.ingest({"id": f"spa-{number}", "text": f"{text} {number} " * 5})
        assert index.stats()["segments"] and len(reader) == 6
    assert list((tmp_path / "news.index").glob("*.seg"))


@pytest.mark.parametrize("harm", ["deleted", "moved", "made_anew"])
def test_a_moved_deleted_or_replaced_index_accepts_no_documents(opener, folder, harm):
    store, reader = opener(), opener("r")
    add(store, 3)
    assert len(reader) == 3
    if harm == "moved":
        folder.rename(folder.with_name("old.index"))
    else:
        shutil.rmtree(folder)
    other = opener() if harm == "made_anew" else None
    for asked in (store.sync, lambda: add(store), store.compact, reader.sync):
        with pytest.raises(InputError, match="moved, deleted or replaced since it was opened. Open it again"):
            asked()
    store.close()
    if other is not None:
        add(other)
        assert len(other) == 1 and list(folder.glob("*.seg")) == []
    else:
        assert not folder.exists()


def test_a_static_reader_notices_that_the_file_has_changed(opener, monkeypatch):
    store = opener()
    add(store, 3)
    store.close()

    def on_a_disk_that_only_reads(folder):
        return sqlite_schema._connected(f"{(folder / sqlite_schema.FILE).absolute().as_uri()}?immutable=1"), False

    monkeypatch.setattr(sqlite_schema, "connect_reader", on_a_disk_that_only_reads)
    reader = opener("r")
    assert reader.sync() == ([], []) and len(reader) == 3
    store = opener()
    add(store, 2)
    store.close()  # which leaves no log behind
    assert reader.sync() == ([3, 4], []) and len(reader) == 5
    assert [entry and entry.number for entry in reader.fetch([0, 4])] == [0, 4]


@forks
@pytest.mark.parametrize("mode", ["a", "r"])
def test_an_inherited_index_is_refused_after_a_fork(opener, mode):
    first = opener()
    add(first, 3)
    store = first if mode == "a" else opener("r")
    says = "InputError: .*was opened before this process was forked. Close it, and open it again here"
    assert re.match(says, in_a_fork(store.sync))
    if mode == "a":
        assert re.match(says, in_a_fork(lambda: add(store)))
    assert add(first) == 3 and len(first) == 4


@forks
def test_a_forked_process_must_close_an_inherited_index_before_opening_it(opener):
    store = opener()
    add(store, 3)

    def closed_first():
        store.close()
        with pytest.raises(dedup.OutputError, match=f"process {os.getppid()}"):
            opener()
        return len(opener("r"))

    assert "this process was forked while its parent had the index open" in in_a_fork(lambda: opener("r"))
    assert in_a_fork(closed_first) == "3"
    assert add(store) == 3


@forks
def test_a_surviving_forked_process_does_not_lock_out_the_next_writer(opener):
    store = opener()
    add(store, 3)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # until the test is over
        os._exit(0)
    try:
        store.close()
        assert len(opener()) == 3
    finally:
        os.close(writing)
        os.waitpid(child, 0)


def test_an_index_is_named_by_any_path_or_a_file_url(tmp_path):
    for place in (os.fsencode(tmp_path / "a"), f"file://{tmp_path}/b", tmp_path / "c"):
        dedup.Index.open(place).close()
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]
    for wrong in ("", "news\0index"):
        with pytest.raises(ConfigError, match="is not a valid path of an index"):
            dedup.Index.open(wrong)

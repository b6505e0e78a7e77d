"""The SQLite store: the contract of stores, one writer and many readers, posting files, opening."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from dedup.errors import ConfigError, InputError, OutputError
from dedup.index.sqlite import posting_files
from dedup.index.sqlite import reader as sqlite_reading
from dedup.index.sqlite import store as sqlite_store
from dedup.index.sqlite.store import SqliteStore
from dedup.index.store import MOST_DOCUMENTS, TokenRows, WriteBatch
from tests.index.store_contract import StoreContract, add, entry, found, postings, read, words


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "الأخبار.index"


@pytest.fixture
def opener(folder):
    stores = []

    def opens(mode="a", durability="process", path=folder, metadata=None):
        stores.append(SqliteStore.open(path, {"rules": 1} if metadata is None else metadata, mode, durability))
        return stores[-1]

    yield opens
    for store in stores:
        store.close()


@pytest.fixture(params=["process", "sync"])
def opened(opener, request):
    """The first store writes, the others read."""
    stores = []

    def opens():
        stores.append(opener("r" if stores else "a", request.param))
        return stores[-1]

    return opens


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(sqlite_store, "FLUSH", 20)
    monkeypatch.setattr(sqlite_store, "FLUSH_AT_CLOSE", 2)


def files_of(folder):
    return sorted(path.name for path in folder.glob("*.seg"))


class TestSqliteStore(StoreContract):
    def test_numbers_are_allocated_only_once(self, opener):
        writer = opener()
        first = add(writer, 3)
        assert writer.allocate(10) == first + 3 and writer.allocate(1) == first + 13
        writer.close()
        assert opener().allocate(1) == first + 3  # allocated numbers without entries are given again


def test_a_batch_with_real_words_is_read_back_after_reopening(opener):
    store = opener()
    rows = [[(token % 900, token % 5) for token in range(start, start + 300)] for start in range(40)]
    first = store.allocate(40)
    store.commit(WriteBatch([entry(first + at) for at in range(40)], words(*rows)))
    store.close()
    again = opener()
    add(again, 2)
    assert read(again.words(range(first, first + 40))) == rows
    assert again.stats()["vocabulary"] == len({word for row in rows for word in row} | {(40, 0), (41, 0), (7, 8)})


def test_a_reader_sees_each_commit_when_it_syncs(opener, small_files):
    writer = opener()
    reader, other = opener("r"), opener("r")
    assert reader.sync() == ([], [])
    for at in range(12):
        number = add(writer)
        writer.commit(WriteBatch(removed=[number - 1] if at % 2 else [], **postings(*((key, number) for key in (1, at + 100, 7)))))
        changed, removed = reader.sync()
        assert changed == [number] and removed == ([number - 1] if at % 2 else [])
        assert reader.all_numbers(1).tolist() == writer.all_numbers(1).tolist() and number in reader.all_numbers(1)
        assert read(reader.words([number])) == [[(number, 0), (7, 8), (number, 0)]] and len(reader) == len(writer)
    assert writer.stats()["segments"] > 0 and other.sync() == ([], []) and found(other, [[7]]) == found(writer, [[7]])


def test_sync_reports_the_final_state_of_removed_and_added_numbers(opener):
    writer, reader = opener(), opener("r")
    reader.sync()
    first = add(writer, 3)
    writer.commit(WriteBatch(removed=[first, first + 1]))
    writer.commit(WriteBatch([entry(first)], words([(1, 1)])))
    assert reader.sync() == ([first, first + 2], [first + 1]) and len(reader) == 2
    writer.commit(WriteBatch(**postings((5, first))))
    writer.compact()
    assert reader.all_numbers(5).tolist() == [] and reader.sync() is not None and reader.all_numbers(5).tolist() == [first]


def test_a_reader_overtaken_by_compact_gets_all_entries(opener):
    writer, reader = opener(), opener("r")
    reader.sync()
    first = add(writer, 4)
    writer.commit(WriteBatch(removed=[first + 1]))
    writer.compact()
    assert reader.sync() == ([first, first + 2, first + 3], [first + 1])
    assert add(writer) == first + 4 and reader.sync() == ([first + 4], [])


def test_merging_files_loses_no_posting(opener, folder, small_files):
    writer, reader = opener(), opener("r")
    rng, expected = np.random.default_rng(3), {}
    for _ in range(150):
        number = add(writer)
        keys = rng.choice(200, 9, replace=False).tolist()
        writer.commit(WriteBatch(**postings(*((key, number) for key in keys))))
        for key in keys:
            expected.setdefault(key, []).append(number)
        assert 0 <= len(files_of(folder)) <= 8 and files_of(folder) == sorted(file.name for file in writer._files.named)
    reader.sync()
    for store in (writer, reader, opener("r")):
        assert {key: store.all_numbers(key).tolist() for key in expected} == expected
        assert store.stats()["postings"] == 9 * 150
    assert len(files_of(folder)) < 7
    writer.close()
    again = opener()
    assert {key: again.all_numbers(key).tolist() for key in expected} == expected and again.stats()["tail"] == 0


def test_a_writer_that_adds_little_each_time_leaves_few_files(opener, folder, small_files):
    for at in range(14):
        with_postings = opener()
        number = add(with_postings)
        with_postings.commit(WriteBatch(**postings(*((key, number) for key in range(100 * at, 100 * at + 30 - 2 * at)))))
        with_postings.close()
    assert 1 < len(files_of(folder)) <= posting_files._MOST_FILES
    assert all(opener("r").all_numbers(100 * at).tolist() == [at] for at in range(14))


def test_very_large_files_are_left_alone_until_compact(opener, folder, small_files, monkeypatch):
    monkeypatch.setattr(posting_files, "_MOST_MERGED", 60)
    writer = opener()
    for at in range(20):
        number = add(writer)
        writer.commit(WriteBatch(**postings(*((key, number) for key in range(at * 10, at * 10 + 15)))))
    assert len(files_of(folder)) >= 4 and max(file.postings for file in writer._files.named) <= 60
    writer.compact()
    assert len(files_of(folder)) == 1 and writer.stats()["postings"] == 300 and writer.all_numbers(12).tolist() == [0, 1]


def test_compact_drops_removed_documents_and_frees_their_space(opener, folder):
    writer = opener()
    first = add(writer, 400, title="خبر طويل " * 200)
    writer.commit(WriteBatch(**postings(*((7, number) for number in range(first, first + 400)))))
    before = writer.stats()
    writer.commit(WriteBatch(removed=list(range(first, first + 390))))
    writer.compact()
    after = writer.stats()
    assert after["postings"] == 10 and after["tail"] == 0 and after["documents"] == 10
    assert after["bytes_of"]["database"] < before["bytes"] / 5 and after["bytes_of"]["log"] == 0
    assert writer.all_numbers(7).tolist() == list(range(first + 390, first + 400)) == opener("r").all_numbers(7).tolist()


def test_opening_a_written_index_reads_neither_words_nor_documents(opener, small_files):
    writer = opener()
    add(writer, 30)
    writer.commit(WriteBatch(**postings(*((key, 1) for key in range(50)))))
    writer.close()
    store = opener("r")
    assert store.stats()["tail"] == 0 and len(store._vocabulary) == 0 and len(store) == 30


def test_the_vocabulary_is_kept_in_few_chunks(opener, folder, small_files):
    writer = opener()
    for _ in range(30):
        number = add(writer)
        writer.commit(WriteBatch(**postings(*((key, number) for key in range(5)))))
    chunks = writer._connection.execute("SELECT count(*) FROM vocabulary").fetchone()[0]
    assert chunks < 8 and read(opener("r").words([29])) == [[(29, 0), (7, 8), (29, 0)]]


def test_words_a_writer_has_only_read_are_not_written_again(opener):
    store = opener()
    add(store, 3)
    store.close()
    again = opener()
    kept = read(again.words([0, 2]))  # it knows words now, but has written none
    again.commit(WriteBatch(removed=[0]))
    again.commit(WriteBatch(events=[{"event": "story_merged"}]))
    add(again)
    again.close()
    last = opener("r")
    assert [found is not None for found in last.fetch([0, 1, 2, 3])] == [False, True, True, True]
    assert read(last.words([2])) == kept[1:]
    assert last.stats()["vocabulary"] == 5


def test_ids_and_titles_may_contain_lone_surrogates(opener):
    store = opener()
    first = store.allocate(2)
    kept = [entry(first, doc_id="a\udc00", page_id="p\ud800", title="ع\ude00", source="\udfff", url=None), entry(first + 1)]
    store.commit(WriteBatch(kept, TokenRows.none(2), events=[{"event": "x", "members": ["a\udc00"], "at": None}]))
    assert store.fetch([first, first + 1]) == kept == opener("r").fetch([first, first + 1])
    assert opener("r").events(0)[0]["members"] == ["a\udc00"]


def test_many_numbers_are_fetched_at_once(opener):
    store = opener()
    first = add(store, 700)
    numbers = list(range(first, first + 700))[::-1]
    assert [item.number for item in store.fetch(numbers)] == numbers
    assert [row[0][0] for row in read(store.words(numbers))] == numbers
    assert [item.number for item in store.fetch(np.array(numbers[:5]))] == numbers[:5]


def test_a_full_index_is_reported(opener, monkeypatch):
    store = opener()
    assert store.allocate(MOST_DOCUMENTS) == 0
    with pytest.raises(OutputError, match="holds at most"):
        store.allocate(1)


def test_metadata_is_that_the_index_was_made_with(opener):
    metadata = {"rules": 3, "config": {"لغة": ["عربية", None]}}
    opener(metadata=metadata).close()
    assert opener(metadata={"rules": 4}).metadata == metadata and opener("r", metadata={}).metadata == metadata


def test_a_second_writer_is_refused_and_told_the_first(opener, folder):
    opener()
    for mode in ("a", "w"):
        with pytest.raises(OutputError, match=f"another writer.*process {os.getpid()}"):
            opener(mode)
    assert len(opener("r")) == 0


def test_a_writer_in_another_process_is_exclusive(opener, folder):
    code = f"""
import sys
from dedup.index.sqlite.store import SqliteStore
store = SqliteStore.open({str(folder)!r}, {{}}, "a", "process")
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "open\n"
        with pytest.raises(OutputError, match=f"process {child.pid}"):
            opener()
        child.stdin.close()
        child.wait()
    assert len(opener()) == 0


def test_a_reader_cannot_write(opener):
    opener().close()
    reader = opener("r")
    for change in (lambda: reader.commit(WriteBatch()), reader.compact):
        with pytest.raises(OutputError, match="open for reading"):
            change()


def test_mode_w_replaces_an_index(opener, folder, small_files):
    writer = opener(metadata={"rules": 1})
    for _ in range(4):
        number = add(writer)
        writer.commit(WriteBatch(**postings(*((key, number) for key in range(9))), events=[{"event": "x", "members": [], "at": 1}]))
    reader = opener("r")
    reader.sync()
    writer.close()
    fresh = opener("w", metadata={"rules": 2})
    assert len(fresh) == 0 and fresh.metadata == {"rules": 2} and files_of(folder) == [] and fresh.events(0) == []
    assert fresh.all_numbers(1).tolist() == [] and fresh.allocate(1) == 0
    with pytest.raises(InputError, match="was replaced"):
        reader.sync()
    add(fresh, 2)
    assert len(opener("r")) == 2


def test_other_files_are_neither_opened_nor_replaced(opener, folder, tmp_path):
    other = tmp_path / "file"
    other.write_text("text")
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "notes.txt").write_text("text")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with sqlite3.connect(foreign / "index.sqlite") as connection:
        connection.execute("CREATE TABLE t(a)")
    connection.close()
    for path, message in ((other, "not a folder"), (strange, "contains notes.txt"), (foreign, "of another program")):
        for mode in "raw":
            with pytest.raises(InputError, match=message):
                opener(mode, path=path)
    assert (strange / "notes.txt").read_text() == other.read_text() == "text" and os.listdir(strange) == ["notes.txt"]
    with pytest.raises(InputError, match="there is no index"):
        opener("r")
    assert not folder.exists()
    folder.mkdir()
    assert len(opener()) == 0  # an empty folder will do


def test_modes_and_durabilities_are_checked(opener):
    for settings in ({"mode": "x"}, {"durability": "maybe"}):
        with pytest.raises(ConfigError, match="mode must be"):
            opener(**settings)


def test_a_copy_of_a_closed_index_is_an_index(opener, folder, tmp_path, small_files):
    writer = opener()
    number = add(writer)
    writer.commit(WriteBatch(**postings(*((key, number) for key in range(9)))))
    writer.close()
    shutil.copytree(folder, tmp_path / "copy")
    copy = opener(path=tmp_path / "copy")
    assert copy.all_numbers(3).tolist() == [number] and add(copy) == number + 1


@pytest.mark.parametrize("first", [0, 3])
def test_looking_up_many_keys_equals_looking_up_each(opener, small_files, monkeypatch, first):
    store = opener()
    draw = np.random.default_rng(3)
    for _ in range(6):
        number = add(store)
        store.commit(WriteBatch(**postings(*((int(key), number) for key in draw.integers(0, 30, 25)))))
    keys, offsets = draw.integers(0, 40, 50).astype(np.uint64), np.array([first, 7, 7, 31, 50])
    alone = store.lookup(keys, offsets, 2)
    monkeypatch.setattr(sqlite_reading, "_FEW_KEYS", 1)
    together = store.lookup(keys, offsets, 2)
    assert alone.truncated.tolist() == together.truncated.tolist() and alone.truncated.any()
    assert (together.offsets[0], together.offsets.tolist()) == (0, alone.offsets.tolist())
    for begin, end in zip(alone.offsets[:-1], alone.offsets[1:], strict=True):
        assert sorted(alone.values[begin:end]) == sorted(together.values[begin:end])


@pytest.mark.parametrize("behind", [False, True])
def test_an_interrupted_commit_leaves_a_usable_store(opener, monkeypatch, behind):
    store = opener()
    add(store, 2)
    number = store.allocate(1)
    if behind:
        monkeypatch.setattr(type(store._rows), "keep", _interrupt)  # after the transaction, before memory is updated
    else:
        put = SqliteStore._put
        monkeypatch.setattr(SqliteStore, "_put", lambda *args: (put(*args), _interrupt()))
    with pytest.raises(KeyboardInterrupt):
        store.commit(WriteBatch([entry(number)], words([(70, 1), (71, 2)]), **postings((777, number))))
    monkeypatch.undo()
    store.sync()
    assert store.all_numbers(777).tolist() == ([number] if behind else [])
    assert len(store) == 2 + behind
    last = add(store, 2)
    there = len(store)
    store.close()
    again = opener()
    assert (len(again), again.all_numbers(777).tolist()) == (there, [number] if behind else [])
    assert again.fetch([last]) != [None]


def _interrupt(*_):
    raise KeyboardInterrupt

"""The text store: bytes independent of batching, random access by row, no file left behind."""

from __future__ import annotations

import gc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import OutputError
from dedup.schema import KEPT_TEXTS
from dedup.storage import text_store as archive
from dedup.storage.text_store import TEXT_ROWS, TextStore, TextWriter, filter_texts

TEXTS = ["نص", "", "خبر عاجل " * 400, "x"]


def table_of(rows):
    texts = [f"{TEXTS[row % len(TEXTS)]} {row}" for row in rows]
    ids = pa.array([f"d{row}" for row in rows], pa.string())
    return pa.table({"doc_id": ids, "role": ["article"] * len(texts), "text": pa.array(texts, pa.large_string())})


def written(sizes, folder=None):
    writer, first = TextWriter(folder), 0
    for size in sizes:
        writer.add(table_of(range(first, first + size)))
        first += size
    return writer.finish()


def bytes_of(texts, path):
    texts.copy(path)
    return path.read_bytes()


@pytest.mark.parametrize("sizes", [[2600], [1] * 5 + [2595], [1024, 1024, 552], [2000, 0, 600], [700] * 3 + [500]])
def test_batching_does_not_change_the_file(tmp_path, sizes):
    assert bytes_of(written(sizes), tmp_path / "some") == bytes_of(written([1300, 1300]), tmp_path / "other")


def test_a_row_group_has_a_fixed_number_of_rows(tmp_path):
    texts = written([100, 2500])
    texts.copy(tmp_path / "texts")
    metadata = pq.ParquetFile(tmp_path / "texts").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [TEXT_ROWS, TEXT_ROWS, 552]
    assert len(texts) == 2600


@given(st.lists(st.integers(0, 2599), max_size=20))
def test_any_rows_can_be_taken_in_any_order(rows):
    taken = WRITTEN.take(rows)
    assert taken.type == pa.large_string()
    assert taken.to_pylist() == table_of(rows).column("text").to_pylist()


WRITTEN = written([2600])


def test_texts_are_read_back_from_a_file_object_and_a_path(tmp_path):
    texts = written([3, 1500])
    texts.copy(tmp_path / "texts.parquet")
    for source in (texts, TextStore(tmp_path / "texts.parquet")):
        assert source.schema.equals(KEPT_TEXTS)
        assert source.read().equals(table_of(range(1503)).select(["doc_id", "text"]).cast(KEPT_TEXTS))
        assert [batch.num_rows for batch in source.batches()] == [TEXT_ROWS, 1503 - TEXT_ROWS]
        assert bytes_of(source, tmp_path / "again") == (tmp_path / "texts.parquet").read_bytes()


def test_open_texts_stay_readable_when_their_file_is_replaced(tmp_path):
    path = tmp_path / "texts.parquet"
    written([3]).copy(path)
    before, texts = path.read_bytes(), TextStore(path)
    written([1500]).copy(tmp_path / "newer")
    (tmp_path / "newer").replace(path)
    assert bytes_of(texts, tmp_path / "copy") == before
    assert texts.read().num_rows == len(texts) == 3
    path.unlink()
    assert bytes_of(texts, tmp_path / "copy") == before
    assert texts.take([2]).to_pylist() == table_of([2]).column("text").to_pylist()


def test_a_file_opened_by_path_is_closed_with_its_texts(tmp_path):
    written([3]).copy(tmp_path / "texts.parquet")
    texts = TextStore(tmp_path / "texts.parquet")
    file = texts._source
    assert not file.closed
    del texts
    gc.collect()
    assert file.closed


def test_an_empty_text_store_is_a_valid_file():
    texts = written([])
    assert (len(texts), texts.read().num_rows, texts.take([]).to_pylist()) == (0, 0, [])


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_filtered_texts_equal_those_written_alone(kept):
    rows = np.flatnonzero(kept)
    assert (
        filter_texts(written([len(kept)]), np.array(kept))
        .read()
        .equals(table_of(rows.tolist()).select(["doc_id", "text"]).cast(KEPT_TEXTS))
    )


def test_an_unfinished_file_has_no_name_and_is_closed_with_its_owner(tmp_path):
    writer = TextWriter(str(tmp_path))
    writer.add(table_of(range(5)))
    abandoned, texts = writer._file, written([5], str(tmp_path))
    file = texts._source
    assert list(tmp_path.iterdir()) == []
    del writer, texts
    gc.collect()
    assert abandoned.closed and file.closed


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    with pytest.raises(OutputError, match="missing: cannot keep the texts there .* TMPDIR to another folder, or keep none with --no-texts"):
        TextWriter(str(tmp_path / "missing"))


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    writer = TextWriter(str(tmp_path))
    monkeypatch.setattr(writer._writer, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device"):
        writer.add(table_of(range(archive.TEXT_ROWS)))


def full(*_, **__):
    raise OSError(28, "No space left on device")

"""Rules of all readers: discovery, names, columns, ids, batches, the log."""

import gzip
import hashlib
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.config import Config
from dedup.errors import InputError
from dedup.readers import ReadLog, discover, read_data, read_files
from dedup.schema import PAGES, REJECTS

ROW = {"title": "عنوان", "text": "نص الخبر"}


def run(batches):
    pages, rejects = [], []
    for batch in batches:
        for table, schema in ((batch.pages, PAGES), (batch.rejects, REJECTS)):
            assert table.schema.equals(schema, check_metadata=True)
            table.validate(full=True)
        pages += batch.pages.to_pylist()
        rejects += batch.rejects.to_pylist()
    return pages, rejects


def read(*inputs, **changes):
    log = ReadLog()
    config = Config().replace({name.replace("__", "."): value for name, value in changes.items()})
    pages, rejects = run(read_files(inputs, config=config, log=log))
    assert (log.pages, log.rejects) == (len(pages), len(rejects))
    return pages, rejects, log


def read_rows(data, **changes):
    log = ReadLog()
    config = Config().replace({name.replace("__", "."): value for name, value in changes.items()})
    return *run(read_data(data, config=config, log=log)), log


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


# Discovery


def test_one_error_names_all_missing_inputs(tmp_path):
    there = write(tmp_path / "there.jsonl", ROW)
    (tmp_path / "x.docx").write_text("?")
    (tmp_path / "empty").mkdir()
    inputs = [there, tmp_path / "gone.jsonl", tmp_path / "*.csv", tmp_path / "x.docx", tmp_path / "empty", "s3:///key.jsonl"]
    with pytest.raises(InputError) as error:
        read_files([os.fspath(item) for item in inputs], config=Config(), log=ReadLog())
    lines = str(error.value).splitlines()
    assert len(lines) == 5
    assert lines[0].endswith(
        "gone.jsonl: there is no such file or folder, but an input must exist. Check the spelling and the current folder."
    )
    assert "*.csv: the pattern gives nothing, but needs at least one of .parquet, .pq, .jsonl" in lines[1]
    assert "x.docx: the suffix is unknown, known are .parquet" in lines[2]
    assert "empty: the folder gives nothing" in lines[3]
    assert lines[4] == "s3:///key.jsonl: names no bucket. Write s3://bucket/folder."


def test_no_input_is_an_error():
    with pytest.raises(InputError, match="no input was given"):
        discover([])


def test_a_folder_is_read_in_order_and_skipped_files_are_counted(tmp_path):
    corpus = tmp_path / "corpus"
    for name in ("b.jsonl", "a/z.JSONL", "a/y.txt", "a.jsonl", ".hidden.jsonl", ".git/x.jsonl", "notes.md", "x.xlsx"):
        write(corpus / name, ROW)
    pages, _, log = read(corpus)
    assert [page["input_file"] for page in pages] == ["a/y.txt", "a/z.JSONL", "a.jsonl", "b.jsonl"]
    assert log.warnings() == [
        "corpus: 2 files skipped, their suffixes are not read (.md, .xlsx)",
        "corpus: 2 hidden files or folders skipped",
    ]


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("c/*.jsonl", ["a.jsonl"]),
        ("c/**/*.jsonl", ["a.jsonl", "x/b.jsonl", "x/y/c.jsonl"]),
        ("c/**", ["a.jsonl", "x/b.jsonl", "x/y/c.jsonl", "x/y/d.txt"]),
        ("c/x*", ["x/b.jsonl", "x/y/c.jsonl", "x/y/d.txt"]),
        ("c/*/y/?.txt", ["x/y/d.txt"]),
        ("*/a.jsonl", ["c/a.jsonl"]),
    ],
)
def test_globs_are_expanded(tmp_path, monkeypatch, pattern, names):
    for name in ("a.jsonl", "x/b.jsonl", "x/y/c.jsonl", "x/y/d.txt", ".h/e.jsonl", "x/.f.jsonl"):
        write(tmp_path / "c" / name, ROW)
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in discover([pattern])] == names
    assert [source.name for source in discover([str(tmp_path / pattern)])] == names


def test_a_file_with_a_name_like_a_glob_is_a_file(tmp_path):
    assert [source.name for source in discover([write(tmp_path / "a[1].jsonl", ROW)])] == ["a[1].jsonl"]


def test_a_file_reached_twice_is_read_once(tmp_path):
    path = write(tmp_path / "c" / "a.jsonl", ROW)
    (tmp_path / "c" / "link.jsonl").symlink_to(path)
    assert len(read(path, path, tmp_path / "c", str(tmp_path / "c" / "*"))[0]) == 1


def test_a_loop_of_links_ends(tmp_path):
    write(tmp_path / "c" / "a.jsonl", ROW)
    for name in ("loop", "again"):
        (tmp_path / "c" / name).symlink_to(tmp_path / "c", target_is_directory=True)
    assert [source.name for source in discover([tmp_path / "c"])] == ["a.jsonl"]
    assert len(discover([str(tmp_path / "c" / "**" / "*.jsonl")])) == 1


def test_files_with_the_same_name_get_the_path_as_given(tmp_path, monkeypatch):
    for folder in ("x", "y"):
        write(tmp_path / folder / "a.jsonl", ROW)
    write(tmp_path / "y" / "b.jsonl", ROW)
    monkeypatch.chdir(tmp_path)
    pages, _, _ = read("x/a.jsonl", "./y")
    assert [page["page_id"] for page in pages] == ["x/a.jsonl:0", "y/a.jsonl:0", "b.jsonl:0"]


# Columns and ids


def test_columns_are_chosen_by_usual_names_in_order_of_priority(tmp_path):
    path = write(tmp_path / "c.jsonl", {"Body": "b", "CONTENT": "c", "Headline": "h", "pubDate": "2015-07-22", "Link": "u", "site": "s"})
    pages, _, log = read(path)
    assert [pages[0][name] for name in ("text", "title", "url", "source")] == ["c", "h", "u", "s"]
    assert pages[0]["published"].year == 2015
    assert log.inputs[0]["columns"] == {"text": "CONTENT", "title": "Headline", "published": "pubDate", "source": "site", "url": "Link"}
    assert log.warnings() == ['c.jsonl: column "CONTENT" taken for text']


def test_a_column_of_nulls_is_chosen_last(tmp_path):
    assert read(write(tmp_path / "c.jsonl", {"text": None, "body": "b"}))[0][0]["text"] == "b"
    pq.write_table(pa.table({"text": pa.nulls(1), "body": ["b"]}), tmp_path / "c.parquet")
    assert read(tmp_path / "c.parquet")[0][0]["text"] == "b"


def test_settings_choose_columns(tmp_path):
    path = write(tmp_path / "c.jsonl", {"text": "t", "Other": "o", "id": "i"})
    assert read(path, input__text="other")[0][0]["text"] == "o"
    assert read(path, input__id="none")[0][0]["page_id"] == "c.jsonl:0"


def test_a_missing_configured_column_is_an_error(tmp_path):
    path = write(tmp_path / "c.jsonl", {"text": "t", "x": 1})
    with pytest.raises(InputError) as error:
        read(path, input__title="heading")
    assert str(error.value) == (
        "c.jsonl: there is no column 'heading' (input.title), found columns 'text', 'x'. "
        "Name one of these with --input.title NAME, or leave the setting out."
    )


def test_a_file_without_text_and_title_is_an_error(tmp_path):
    with pytest.raises(InputError) as error:
        read(write(tmp_path / "c.jsonl", {"premise": "t", "label": 1}))
    assert str(error.value) == (
        "c.jsonl: found columns 'premise', 'label', but none that holds the text or the title. "
        "Name one with --input.text NAME (or input.text in the configuration), a column of HTML with --input.html NAME."
    )


def test_an_unusable_column_is_skipped_and_is_an_error_if_configured(tmp_path):
    table = pa.table({"text": pa.array([{"a": 1}]), "body": ["b"], "title": pa.array([b"x"])})
    pq.write_table(table, tmp_path / "c.parquet")
    pages, _, log = read(tmp_path / "c.parquet")
    assert (pages[0]["text"], pages[0]["title"]) == ("b", None)
    assert 'c.parquet: column "text" contains struct and is not used for text' in log.warnings()
    with pytest.raises(InputError, match=r"column 'text' \(input.text\) holds struct, but text needs plain values"):
        read(tmp_path / "c.parquet", input__text="text")


def test_titles_without_texts_are_enough(tmp_path):
    pages, _, log = read(write(tmp_path / "c.jsonl", {"title": "عنوان"}))
    assert (pages[0]["title"], pages[0]["text"]) == ("عنوان", None)
    assert log.warnings() == ["c.jsonl: no column with the text: each page is only a headline"]


def test_a_page_without_id_is_named_by_file_and_row(tmp_path):
    rows = [{"id": value, "text": "t"} for value in ("a", 7, None, "", "  ", 7.0, {"x": 1})]
    pages, _, _ = read(write(tmp_path / "c.jsonl", *rows))
    assert [page["page_id"] for page in pages] == ["a", "7", "c.jsonl:2", "c.jsonl:3", "c.jsonl:4", "7", "c.jsonl:6"]


def test_blank_texts_become_null_and_empty_pages_are_rejected(tmp_path):
    rows = [{"text": " \n\u00a0", "title": "t"}, {"text": "", "title": " "}, {"text": None, "title": None}, {"text": " x ", "title": None}]
    pages, rejects, log = read(write(tmp_path / "c.jsonl", *rows))
    assert [(page["text"], page["title"]) for page in pages] == [(None, "t"), (" x ", None)]
    assert [(reject["input_row"], reject["reason"]) for reject in rejects] == [(1, "empty_page"), (2, "empty_page")]
    assert log.warnings() == ["c.jsonl: 1 row has no text"]


def test_titles_become_one_line_and_empty_values_null(tmp_path):
    row = {"text": "t", "title": " \u00a0a\n b\tc\u2003d ", "source": " ", "url": "", "author": " x "}
    page = read(write(tmp_path / "c.jsonl", row))[0][0]
    assert [page[name] for name in ("title", "source", "url", "author")] == ["a b c d", None, None, "x"]


def test_plain_values_become_text(tmp_path):
    rows = [{"text": 5, "title": True}, {"text": 1.5, "title": 3}, {"text": "x", "author": ["A", "B"], "source": ["S"]}]
    pages, _, _ = read(write(tmp_path / "c.jsonl", *rows))
    assert [(page["text"], page["title"]) for page in pages] == [("5", "true"), ("1.5", "3"), ("x", None)]
    assert (pages[2]["author"], pages[2]["source"]) == ("A, B", None)


def test_unparsable_dates_are_counted_in_a_warning_with_the_first(tmp_path):
    rows = [{"text": "t", "date": value} for value in ("2015-07-22", "31 Foo 2015", "", 1437558863, "nie")]
    pages, _, log = read(write(tmp_path / "c.jsonl", *rows))
    assert [page["published"] is not None for page in pages] == [True, False, False, True, False]
    assert log.warnings() == ['c.jsonl: 2 dates could not be parsed and are left empty (first: row 1, "31 Foo 2015")']


# Batches and the log


def test_results_do_not_depend_on_the_size_of_batches(tmp_path):
    rows = [{"id": i if i % 3 else None, "text": f"نص {i}" if i % 4 else "", "title": "x" if i % 8 else None} for i in range(60)]
    path = write(tmp_path / "c.jsonl", *rows)
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n\n" * 3, encoding="utf-8")
    pq.write_table(pa.Table.from_pylist([{**row, "id": str(row["id"])} for row in rows]), tmp_path / "c.parquet", row_group_size=17)
    expected = read(tmp_path)
    assert len(expected[1]) == 19
    for size in (1, 2, 7, 1000):
        pages, rejects, log = read(tmp_path, run__batch_rows=size)
        assert (pages, rejects) == expected[:2]
        assert (log.inputs, log.warnings()) == (expected[2].inputs, expected[2].warnings())
        assert all(
            batch.pages.num_rows <= size
            for batch in read_files([tmp_path], config=Config().replace({"run.batch_rows": size}), log=ReadLog())
        )


def test_batches_are_bounded_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.readers.batches.BATCH_BYTES", 1000)
    rows = [{"text": "x" * 300} for _ in range(20)]
    batches = list(read_files([write(tmp_path / "c.jsonl", *rows)], config=Config(), log=ReadLog()))
    assert sum(batch.pages.num_rows for batch in batches) == 20
    assert all(batch.pages["text"].nbytes <= 1500 for batch in batches)
    batches = list(read_data(pa.Table.from_pylist(rows), config=Config(), log=ReadLog()))
    assert sum(batch.pages.num_rows for batch in batches) == 20
    assert all(batch.pages["text"].nbytes <= 1500 for batch in batches)


def test_each_file_is_summarized_in_the_log(tmp_path):
    data = json.dumps(ROW).encode() + b"\n{"
    for name, stored in (("a.jsonl", data), ("b.jsonl.gz", gzip.compress(data))):
        (tmp_path / name).write_bytes(stored)
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "c.parquet")
    log = read(tmp_path)[2]
    for facts, rejects in zip(log.inputs, (1, 1, 0), strict=True):
        stored = (tmp_path / facts["file"]).read_bytes()
        assert facts == {
            "file": facts["file"], "bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest(),
            "pages": 1, "rejects": rejects, "columns": {"text": "text", "title": "title"},
        }  # fmt: skip


def test_equal_warnings_of_several_files_are_merged(tmp_path):
    for i in range(5):
        write(tmp_path / f"{i}.jsonl", {"content": "", "title": "t"}, {"content": "x"})
    assert read(tmp_path)[2].warnings() == [
        '0.jsonl and 4 more files: column "content" taken for text',
        "0.jsonl and 4 more files: 5 rows have no text",
    ]


def test_an_empty_file_is_a_warning_and_only_empty_files_an_error(tmp_path):
    full = write(tmp_path / "full.jsonl", ROW)
    empty = []
    for name in ("a.jsonl", "b.csv", "c.parquet", "d.json", "e.jsonl.gz", "f.jsonl.zst"):
        (tmp_path / name).write_bytes(b"")
        empty.append(tmp_path / name)
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), tmp_path / "g.parquet")
    (tmp_path / "h.csv").write_text("nothing,here\n")
    empty += [tmp_path / "g.parquet", tmp_path / "h.csv"]
    pages, rejects, log = read(*empty, full)
    assert (len(pages), len(rejects)) == (1, 0)
    assert log.warnings() == ["a.jsonl and 7 more files: no rows in it"]
    with pytest.raises(InputError, match=r"no pages found in .*a\.jsonl: all files are empty"):
        read(empty[0])


# Data in memory


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_every_string_type_slices_and_chunks_are_read(kind):
    column = pa.array(["w", "اول", None, "ثان", "x", "z"]).cast(kind)
    table = pa.table(
        {"text": pa.chunked_array([column[1:3], column[3:3], column[3:5]]), "title": ["A", "B", "C", "D"], "id": [1, 2, 3, None]}
    )
    pages, _, log = read_rows(table, run__batch_rows=3)
    assert [page["text"] for page in pages] == ["اول", None, "ثان", "x"]
    assert [page["page_id"] for page in pages] == ["1", "2", "3", "<memory>:3"]
    assert [page["input_row"] for page in pages] == [0, 1, 2, 3]
    assert {page["input_file"] for page in pages} == {"<memory>"}
    assert log.inputs == [
        {
            "file": "<memory>",
            "bytes": None,
            "sha256": None,
            "pages": 4,
            "rejects": 0,
            "columns": {"text": "text", "title": "title", "id": "id"},
        }
    ]


def test_arrow_capsules_of_any_library_are_read():
    batch = pa.RecordBatch.from_pylist([ROW])

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.Table.from_batches([batch]).__arrow_c_stream__(requested_schema)

    class Array:
        def __arrow_c_array__(self, requested_schema=None):
            return batch.__arrow_c_array__(requested_schema)

    for data in (Stream(), Array(), batch, pa.RecordBatchReader.from_batches(batch.schema, [batch]), [ROW], iter([ROW])):
        assert read_rows(data)[0][0]["text"] == ROW["text"]


def test_bad_rows_in_memory_are_rejected_one_by_one():
    pages, rejects, _ = read_rows([ROW, 5, {"text": b"bytes"}, {"text": ["list"]}, {"title": "late", "date": 1437558863}])
    assert [page["input_row"] for page in pages] == [0, 4]
    assert [(reject["input_row"], reject["reason"]) for reject in rejects] == [(1, "bad_value"), (2, "bad_value"), (3, "bad_value")]


@pytest.mark.parametrize("data", ["a.jsonl", b"x", {"text": ["a"]}, 5, pa.array(["a"])])
def test_data_that_is_no_table_is_an_immediate_error(data):
    with pytest.raises(InputError, match="need a table"):
        read_data(data, config=Config(), log=ReadLog())


def test_data_without_rows_is_an_error():
    for data in ([], pa.table({"text": pa.array([], pa.string())})):
        with pytest.raises(InputError, match="no pages found in the data"):
            read_rows(data)


def test_dictionary_columns_of_string_views_are_read():
    words = pa.array(["نص", "آخر"]).cast(pa.string_view())
    column = pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.uint32()), words)
    assert [page["text"] for page in read_rows(pa.table({"text": column, "title": ["a", "b", "c"]}))[0]] == ["آخر", "نص", None]


def test_result_folders_below_an_input_are_skipped(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "خبر"}\n', encoding="utf-8")
    for name in ("manifest.json", "documents.parquet", "rejects.parquet"):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / name).write_text("{}", encoding="utf-8")
    (tmp_path / "stopped" / ".work").mkdir(parents=True)
    (tmp_path / "stopped" / ".work" / "journal.json").write_text("{}", encoding="utf-8")
    (tmp_path / "stopped" / "documents.parquet").write_text("", encoding="utf-8")
    log = ReadLog()
    assert [os.path.basename(source.path) for source in discover([tmp_path], log=log)] == ["a.jsonl"]
    assert any("2 folders with results of runs skipped" in warning for warning in log.warnings())

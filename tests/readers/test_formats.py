"""Rules of each format (JSON lines, JSON, CSV, TSV, text, Parquet) and of damaged files."""

import csv
import errno
import gzip
import io
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.config import Config
from dedup.readers import ReadLog, read_files

ZSTD = pa.Codec("zstd")
WORDS = "نص الخبر الأول عن الاجتماع الذي عقد اليوم في العاصمة"


def read(path, **changes):
    log = ReadLog()
    config = Config().replace({name.replace("__", "."): value for name, value in changes.items()})
    batches = list(read_files([path], config=config, log=log))
    pages = [row for batch in batches for row in batch.pages.to_pylist()]
    return pages, [row for batch in batches for row in batch.rejects.to_pylist()], log


def put(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def brief(rejects):
    return [(reject["input_row"], reject["reason"]) for reject in rejects]


# JSON lines


def test_a_broken_line_is_rejected_and_the_rest_is_read(tmp_path):
    lines = ['{"text": "a"}', '{"text": "b" "title": "\u202ex"}', "[1, 2]", "null", '{"text": "c"}', '{"text": ']
    pages, rejects, _ = read(put(tmp_path, "c.jsonl", "\n".join(lines)))
    assert [(page["text"], page["input_row"]) for page in pages] == [("a", 0), ("c", 4)]
    assert brief(rejects) == [(1, "bad_json"), (2, "bad_json"), (3, "bad_json"), (5, "bad_json")]
    assert rejects[0]["detail"] == "line 2: Expecting ',' delimiter at column 14: " + '{"text": "b" "title": "\\u202ex"}'
    assert rejects[1]["detail"] == "line 3: the line is a list, but must be an object: [1, 2]"


def test_positions_count_blank_lines(tmp_path):
    pages, _, _ = read(put(tmp_path, "c.jsonl", b'\xef\xbb\xbf{"text": "a"}\r\n\r\n  \n{"text": "b"}\r\n'))
    assert [(page["text"], page["page_id"]) for page in pages] == [("a", "c.jsonl:0"), ("b", "c.jsonl:3")]


def test_invalid_utf8_is_rejected_with_its_position(tmp_path):
    _, rejects, _ = read(put(tmp_path, "c.jsonl", b'{"text": "\xe7"}\n{"text": "a"}\n'))
    assert rejects == [{"input_file": "c.jsonl", "input_row": 0, "reason": "invalid_utf8", "detail": "line 1: byte 10 is not UTF-8 (0xe7)"}]


def test_half_a_surrogate_pair_is_replaced_and_counted(tmp_path):
    pages, rejects, log = read(put(tmp_path, "c.jsonl", r'{"text": "a\ud800b"}' "\n" r'{"text": "\ud83d\ude00", "title": "\udc00"}'))
    assert [(page["text"], page["title"]) for page in pages] == [("a\ufffdb", None), ("😀", "\ufffd")]
    assert rejects == []
    assert log.warnings() == ["c.jsonl: 2 values had half of a surrogate pair, replaced by U+FFFD"]


def test_a_line_over_the_limit_is_rejected_without_being_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.readers.source.MAX_UNIT_BYTES", 100)
    monkeypatch.setattr("dedup.readers.source.CHUNK_BYTES", 16)
    lines = [
        '{"text": "a"}',
        json.dumps({"text": "x" * 500}),
        '{"text": "b"}',
        json.dumps({"text": "x" * 89}),
        json.dumps({"text": "x" * 88}),
    ]
    pages, rejects, _ = read(put(tmp_path, "c.jsonl", "\n".join(lines)))
    assert [page["input_row"] for page in pages] == [0, 2, 4]
    assert brief(rejects) == [(1, "too_large"), (3, "too_large")]


def test_lists_deep_nesting_and_huge_numbers_do_not_stop_reading(tmp_path):
    lines = [
        '{"text": ["a"]}',
        '{"text": {"a": 1}}',
        '{"text": "x", "y": ' + "[" * 200_000,
        '{"text": ' + "9" * 5000 + "}",
        '{"text": "nul \\u0000"}',
    ]
    pages, rejects, _ = read(put(tmp_path, "c.jsonl", "\n".join([*lines, '{"text": NaN, "title": "t"}'])))
    assert [(page["text"], page["title"]) for page in pages] == [("nul \0", None), (None, "t")]
    assert brief(rejects) == [(0, "bad_value"), (1, "bad_value"), (2, "bad_json"), (3, "bad_json")]


def test_a_key_that_first_appears_in_a_late_row_is_used(tmp_path):
    rows = [{"title": f"t{i}"} for i in range(1500)] + [
        {"title": "x", "content": "late", "date": None},
        {"title": "y", "date": "2015-07-22"},
    ]
    pages, _, log = read(put(tmp_path, "c.jsonl", "\n".join(map(json.dumps, rows))), run__batch_rows=64)
    assert [page["input_row"] for page in pages] == list(range(1502))
    assert pages[1500]["text"] == "late"
    assert pages[1501]["published"] is not None
    assert log.inputs[0]["columns"] == {"title": "title", "text": "content", "published": "date"}


@given(
    st.lists(st.fixed_dictionaries({"text": st.text(), "title": st.text(), "id": st.text(), "x": st.none() | st.integers()}), max_size=8),
    st.booleans(),
)
def test_json_rows_round_trip(tmp_path_factory, rows, ascii_only):
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in [*rows, {"text": "last"}])
    path = put(tmp_path_factory.mktemp("h"), "c.jsonl", text)
    pages, rejects, _ = read(path, run__batch_rows=3)
    assert len(pages) + len(rejects) == len(rows) + 1
    for page in pages[:-1]:
        row = rows[page["input_row"]]
        assert page["text"] == (row["text"] if row["text"].strip() else None)
        assert (page["title"] or "").split() == row["title"].split()
        assert page["page_id"] == (row["id"] if row["id"].strip() else f"c.jsonl:{page['input_row']}")


# JSON documents


def test_an_array_is_read_element_by_element(tmp_path):
    pages, rejects, _ = read(put(tmp_path, "c.json", ' \n[ {"text": "a"},\n 5, {"text": "b"} ]\n'))
    assert [(page["text"], page["input_row"]) for page in pages] == [("a", 0), ("b", 2)]
    assert brief(rejects) == [(1, "bad_json")]


@pytest.mark.parametrize(
    "tail, reason", [("", "truncated_file"), (', {"text"', "bad_json"), ("] x", "truncated_file"), (" 5]", "truncated_file")]
)
def test_elements_before_a_syntax_error_in_an_array_are_kept(tmp_path, tail, reason):
    pages, rejects, _ = read(put(tmp_path, "c.json", '[{"text": "a"}, {"text": "b"}' + tail))
    assert [page["text"] for page in pages] == ["a", "b"]
    assert [reject["reason"] for reject in rejects] == [reason]


def test_an_array_that_is_too_large_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.readers.source.MAX_UNIT_BYTES", 10)
    _, rejects, _ = read(put(tmp_path, "c.json", '[\n{"a":1},\n{"a":1},\n{"a":1}\n]'))
    assert brief(rejects) == [(None, "too_large")]


def test_a_json_file_may_contain_lines_or_one_object(tmp_path):
    assert [page["text"] for page in read(put(tmp_path, "a.json", '{"text": "a"}\n{"text": "b"}\n'))[0]] == ["a", "b"]
    assert [page["text"] for page in read(put(tmp_path, "b.json", json.dumps({"text": "a", "id": "7"}, indent=2)))[0]] == ["a"]
    pages, rejects, _ = read(put(tmp_path, "c.json", '{"text": broken}\n{"text": "b"}\n'))
    assert ([page["text"] for page in pages], brief(rejects)) == (["b"], [(0, "bad_json")])


# CSV and TSV


def test_quotes_newlines_and_a_byte_order_mark_are_parsed(tmp_path):
    pages, rejects, _ = read(put(tmp_path, "c.csv", b'\xef\xbb\xbfid,text\r\n1,"a, ""b""\r\nc"\r\n\r\n2,d\r\n'))
    assert [(page["page_id"], page["text"], page["input_row"]) for page in pages] == [("1", 'a, "b"\r\nc', 0), ("2", "d", 1)]
    assert rejects == []


@pytest.mark.parametrize("name, delimiter", [("c.csv", ","), ("c.csv", ";"), ("c.csv", "\t"), ("c.tsv", "\t")])
def test_the_delimiter_is_detected_in_the_header(tmp_path, name, delimiter):
    lines = [["id", "title", '"te;xt"'], ["1", "x", "y"]]
    pages, _, _ = read(put(tmp_path, name, "\n".join(delimiter.join(line) for line in lines)), input__text="te;xt")
    assert (pages[0]["page_id"], pages[0]["title"], pages[0]["text"]) == ("1", "x", "y")


def test_rows_that_do_not_fit_the_header_are_rejected(tmp_path):
    pages, rejects, _ = read(put(tmp_path, "c.csv", 'id,text\n1,a\n2\n3,b,c\n4,d,,\n5,"x" y\n6,e\n'))
    assert [(page["page_id"], page["input_row"]) for page in pages] == [("1", 0), ("4", 3), ("6", 5)]
    assert [reject["detail"] for reject in rejects] == [
        "line 3: 1 field instead of 2: 2",
        "line 4: 3 fields instead of 2: 3,b,c",
        "line 6: ',' expected after '\"': 5,\"x\" y",
    ]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path):
    lines = ["id,text", "1,a", '2,"b', *(f"{i},x" for i in range(3, 300))]
    pages, rejects, _ = read(put(tmp_path, "c.csv", "\n".join(lines)))
    assert [page["page_id"] for page in pages] == ["1", *map(str, range(3, 300))]
    assert rejects[0]["detail"] == 'line 3: a quote is opened and never closed: 2,"b'
    assert [page["input_row"] for page in pages] == [0, *range(2, 299)]


def test_invalid_utf8_in_csv_costs_only_its_row(tmp_path):
    pages, rejects, _ = read(put(tmp_path, "c.csv", b"id,text\n1,\xe7\n2,b\n"))
    assert [page["page_id"] for page in pages] == ["2"]
    assert rejects[0]["detail"] == "line 2: byte 2 is not UTF-8 (0xe7)"


def test_a_long_line_costs_only_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.readers.source.MAX_UNIT_BYTES", 50)
    pages, rejects, _ = read(put(tmp_path, "c.csv", "id,text\n1," + "x" * 90 + "\n2,b\n"))
    assert ([page["page_id"] for page in pages], brief(rejects)) == (["2"], [(0, "too_large")])


def test_a_tsv_file_without_quoting_is_read(tmp_path):
    lines = ["id\ttitle\ttext", '1\t"الأرصاد": أمطار\ta', '2\t"مفتوح\tb', "3\tc\td"]
    pages, rejects, _ = read(put(tmp_path, "c.tsv", "\n".join(lines)))
    assert [page["title"] for page in pages] == ['"الأرصاد": أمطار', '"مفتوح', "c"]
    assert rejects == []


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_csv_records_round_trip(tmp_path_factory, records, delimiter):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("title", "text"), *records, ("last", "row")])
    pages, rejects, _ = read(put(tmp_path_factory.mktemp("h"), "c.csv", out.getvalue()), run__batch_rows=2)
    assert len(pages) + len(rejects) == len(records) + 1
    for page in pages[:-1]:
        title, text = records[page["input_row"]]
        assert page["text"] == (text if text.strip() else None)
        assert (page["title"] or "").split() == title.split()


# Text


def test_a_text_file_is_a_page_with_its_name_as_id(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "p.txt.gz").write_bytes(gzip.compress("\ufeffسطر\r\nآخر ".encode()))
    pages, _, _ = read(tmp_path)
    assert (pages[0]["page_id"], pages[0]["text"], pages[0]["title"], pages[0]["input_row"]) == ("x/p.txt.gz", "سطر\r\nآخر ", None, 0)


def test_unreadable_text_files_are_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.readers.source.MAX_UNIT_BYTES", 10)
    put(tmp_path, "a.txt", "")
    put(tmp_path, "b.txt", bytes(range(0x80, 0x8A)))
    put(tmp_path, "c.txt", "x" * 11)
    assert brief(read(tmp_path)[1]) == [(0, "empty_page"), (0, "unknown_charset"), (0, "too_large")]


# Parquet


def test_invalid_utf8_in_parquet_costs_only_its_row(tmp_path):
    offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xe7b")])
    pq.write_table(pa.table({"text": text}), tmp_path / "c.parquet")
    pages, rejects, _ = read(tmp_path / "c.parquet")
    assert [page["text"] for page in pages] == ["a", "b"]
    assert rejects == [{"input_file": "c.parquet", "input_row": 1, "reason": "invalid_utf8", "detail": "text: byte 0 is not UTF-8 (0xe7)"}]


# Compression and damage


def many(count=3000):
    return "".join(json.dumps({"text": f"{WORDS} {os.urandom(20).hex()} {i}"}) + "\n" for i in range(count)).encode()


@pytest.mark.parametrize("name, pack", [("c.jsonl.gz", gzip.compress), ("c.jsonl.zst", lambda data: ZSTD.compress(data, asbytes=True))])
def test_compressed_files_of_several_members_are_read(tmp_path, name, pack):
    data = many()
    assert len(read(put(tmp_path, name, pack(data) + pack(data)))[0]) == 6000


def test_zeros_after_a_gzip_member_are_padding(tmp_path):
    pages, rejects, _ = read(put(tmp_path, "c.jsonl.gz", gzip.compress(b'{"text": "a"}') + b"\0" * 100))
    assert (len(pages), rejects) == (1, [])


@pytest.mark.parametrize("name, pack", [("c.jsonl.gz", gzip.compress), ("c.jsonl.zst", lambda data: ZSTD.compress(data, asbytes=True))])
def test_the_rows_of_a_truncated_file_are_kept(tmp_path, name, pack):
    packed = pack(many())
    path = put(tmp_path, name, packed[: len(packed) * 3 // 4])
    pages, rejects, log = read(path)
    assert len(pages) > 1000
    assert brief(rejects) == [(None, "truncated_file")]
    assert f"after {len(pages):,} rows" in rejects[0]["detail"]
    assert log.inputs[0]["sha256"] is not None
    assert (pages, rejects) == read(path, run__batch_rows=1)[:2]


@pytest.mark.parametrize("name", ["c.jsonl.gz", "c.jsonl.zst", "c.csv.gz", "c.txt.gz", "c.parquet", "c.json.gz"])
def test_a_file_with_the_wrong_suffix_is_one_reject(tmp_path, name):
    put(tmp_path, name, b"certainly not this format")
    put(tmp_path, "z.jsonl", '{"text": "a"}')
    pages, rejects, _ = read(tmp_path)
    assert (len(pages), brief(rejects)) == (1, [(None, "unreadable_file")])
    assert str(tmp_path) not in rejects[0]["detail"]


def test_a_damaged_parquet_file_gives_the_same_rows_with_any_batch_size(tmp_path):
    table = pa.table({"text": [os.urandom(50).hex() for _ in range(9000)]})
    path = tmp_path / "c.parquet"
    pq.write_table(table, path, row_group_size=3000, compression="zstd", use_dictionary=False)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = b"\xff" * 5000
    path.write_bytes(bytes(data))
    pages, rejects, _ = read(path)
    assert len(pages) >= 2048
    assert brief(rejects) == [(None, "truncated_file")]
    assert (pages, rejects) == read(path, run__batch_rows=100)[:2]


def test_a_file_without_permission_is_one_reject(tmp_path, monkeypatch):
    def refuse(path, *_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr("dedup.readers.source.open", refuse, raising=False)  # root may read every file, so permissions would not do
    _, rejects, log = read(put(tmp_path, "a.jsonl", '{"text": "a"}'))
    assert rejects == [{"input_file": "a.jsonl", "input_row": None, "reason": "unreadable_file", "detail": "Permission denied"}]
    assert log.inputs[0]["sha256"] is None

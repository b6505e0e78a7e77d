"""HTML files and table columns of HTML: pages, headlines and rejects."""

import gzip
import json
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.errors import ConfigError, InputError
from tests.readers.html.test_page import RELATED, TEXTS, TITLE
from tests.readers.test_readers import read, read_rows
from tests.segmentation import layouts

PAGE = layouts.plain(TITLE, TEXTS, RELATED)
TEXT = "\n".join(TEXTS)


def test_a_file_is_a_page_with_its_metadata_and_its_name_as_id(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.html").write_bytes(PAGE.encode("windows-1256", "xmlcharrefreplace"))
    (tmp_path / "two.htm.gz").write_bytes(gzip.compress(layouts.old(TITLE, TEXTS).encode()))
    pages, rejects, log = read(tmp_path)
    assert rejects == []
    assert [page["page_id"] for page in pages] == ["a/one.html", "two.htm.gz"]
    first = pages[0]
    assert first["text"].startswith(TEXT)
    assert first["published"] == datetime(2026, 3, 5, 18, 30, tzinfo=UTC)
    assert (first["title"], first["source"], first["url"], first["author"]) == (
        TITLE,
        "صحيفة المدى",
        "https://almada.example/news/77",
        "ليلى حداد",
    )
    assert [page["input_row"] for page in pages] == [0, 0]


def test_unreadable_html_files_are_rejected_with_a_reason(tmp_path):
    (tmp_path / "a.html").write_text("<html><body><nav>الرئيسية</nav></body></html>")
    (tmp_path / "b.html").write_text("<html><body>" + "<div>" * 3000 + TEXTS[0])
    (tmp_path / "c.html").write_text("<html><body>" + "<p>" + TEXTS[0] * 50)
    (tmp_path / "d.html").write_bytes(PAGE.encode().decode("cp1256").encode())
    (tmp_path / "e.html").write_bytes(b"")
    pages, rejects, _ = read(tmp_path, input__page_bytes=8000)
    assert pages == []
    reasons = {reject["input_file"]: reject["reason"] for reject in rejects}
    assert reasons == {
        "a.html": "no_main_text",
        "b.html": "too_large",
        "c.html": "too_large",
        "d.html": "mojibake",
        "e.html": "no_main_text",
    }
    assert "8,000 bytes (input.page_bytes)" in next(reject["detail"] for reject in rejects if reject["input_file"] == "c.html")


def test_an_html_column_is_read_if_there_is_no_text_column():
    rows = [
        {"raw_html": PAGE, "title": None, "date": None, "url": "https://a.example/1"},
        {"raw_html": f"<p>{TEXTS[0]}</p>", "title": "عنوان من الجدول", "date": "2026-01-02", "url": None},
        {"raw_html": None, "title": "عنوان بلا نص", "date": None, "url": None},
        {"raw_html": "<img src=x>", "title": "صورة اليوم", "date": None, "url": None},
        {"raw_html": "<img src=x>", "title": None, "date": None, "url": None},
    ]
    pages, rejects, log = read_rows(rows)
    assert [(page["title"], (page["text"] or "").splitlines()[:1]) for page in pages] == [
        (TITLE, [TEXTS[0]]),
        ("عنوان من الجدول", [TEXTS[0]]),
        ("عنوان بلا نص", []),
        ("صورة اليوم", []),
    ]
    assert [page["published"] for page in pages[:3]] == [datetime(2026, 3, 5, 18, 30, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), None]
    assert pages[0]["url"] == "https://a.example/1"
    assert [(reject["input_row"], reject["reason"]) for reject in rejects] == [(4, "no_main_text")]


def test_html_in_parquet_may_be_bytes_of_any_encoding(tmp_path):
    cells = [PAGE.encode(), layouts.old(TITLE, TEXTS).encode("windows-1256"), bytes(range(128, 256)) * 9]
    pq.write_table(pa.table({"html": pa.array(cells, pa.binary())}), tmp_path / "c.parquet")
    pages, rejects, _ = read(tmp_path / "c.parquet")
    assert [page["text"].splitlines()[0] for page in pages] == [TEXTS[0]] * 2
    assert [(reject["input_row"], reject["reason"]) for reject in rejects] == [(2, "unknown_charset")]


def test_a_text_column_takes_precedence_and_its_markup_is_kept():
    pages, _, _ = read_rows([{"text": "نص <b>عريض</b>", "html": PAGE}])
    assert pages[0]["text"] == "نص <b>عريض</b>"


def test_a_configured_html_column_takes_precedence_over_a_text_column(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"text": "مقتطف", "markup": PAGE}) + "\n")
    pages, _, log = read(path, input__html="markup")
    assert pages[0]["text"].startswith(TEXT)
    assert log.inputs[0]["columns"] == {"html": "markup"}


def test_configuring_both_text_and_html_is_an_error():
    with pytest.raises(ConfigError, match=r"input.text and input.html are both named, got 'a' and 'b'. Name one"):
        read_rows([{}], input__text="a", input__html="b")


def test_mojibake_is_rejected_in_every_format(tmp_path):
    (tmp_path / "c.csv").write_text(
        "id,title,text\n" + f"1,x,{TEXTS[0].encode().decode('cp1252', 'replace')}\n2,x,{TEXTS[1]}\n", encoding="utf-8"
    )
    headline = {"title": TITLE.encode("cp1256").decode("latin-1")}
    (tmp_path / "d.jsonl").write_text(json.dumps(headline) + "\n" + json.dumps({"title": TITLE}) + "\n")
    pages, rejects, _ = read(tmp_path)
    assert [page["input_row"] for page in pages] == [1, 1]
    assert [(reject["input_row"], reject["reason"]) for reject in rejects] == [(0, "mojibake")] * 2
    assert rejects[0]["detail"].startswith("UTF-8 read as windows-1252 (Ø§Ù„): Ø")
    assert rejects[1]["detail"].startswith("windows-1256 read as windows-1252")


def test_html_without_the_extra_is_an_error_with_the_install_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resiliparse.extract.html2text", None)
    (tmp_path / "a.html").write_text(PAGE)
    with pytest.raises(InputError, match=r"HTML pages need a parser.*pip install 'dedup-news\[crawl\]'"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"pip install 'dedup-news\[crawl\]'"):
        read_rows([{"html": PAGE}])
    assert read_rows([{"text": TEXT}])[0][0]["text"] == TEXT


def test_a_text_column_with_html_gives_one_warning():
    rows = [{"content": f'<div class="entry"><p>{TEXT}</p><p>خبر رقم {i}</p></div>'} for i in range(50)]
    _, _, log = read_rows(rows)
    found = [warning for warning in log.warnings() if "contains HTML" in warning]
    assert len(found) == 1
    assert "--input.html content" in found[0]
    _, _, log = read_rows([{"content": f"{TEXT} <b>خبر</b> {i}"} for i in range(50)])
    assert not any("contains HTML" in warning for warning in log.warnings())

"""Crawl files: which records become pages, and how bodies and files are decoded."""

import gzip
import hashlib
import io
import sys
import zlib

import pytest

from dedup.errors import InputError
from dedup.readers import discover
from dedup.readers.source import Source
from dedup.readers.warc import members
from tests.readers.warc.warc_files import PACKED, gz, html, read_warc, response, warc_record, wet_record, wet_text, zst

pytest.importorskip("resiliparse", reason="the extra crawl is not installed")


def page_record(body, number=0, *, block=None, record=None, **fields):
    return warc_record("response", response(body, **fields) if block is None else block, number=number, **(record or {}))


def reasons(rejects):
    return [reject["reason"] for reject in rejects]


# Records


def test_a_wet_text_is_a_page_whose_first_line_is_the_title(tmp_path):
    pages, rejects, log = read_warc(tmp_path / "a.warc.wet.gz", gz(wet_record(7)))
    (page,) = pages
    title, _, text = wet_text(7).partition("\n")
    assert (page["title"], page["text"]) == (title, text)
    assert page["page_id"] == "urn:uuid:00000000000000000000000000000007"
    assert (page["url"], page["source"]) == ("http://www.news.example/7", "news.example")
    assert page["published"].isoformat() == "2015-07-01T10:07:00+00:00"
    assert (page["input_file"], page["input_row"], rejects) == ("a.warc.wet.gz", 0, [])
    assert log.warnings() == ["a.warc.wet.gz: 1 page states no date; the time of the crawl (WARC-Date) is used"]


def test_a_wet_text_of_one_paragraph_has_no_title(tmp_path):
    for text in ("سطر واحد فقط", "كلمة " * 80 + "\nسطر ثان"):
        record = warc_record("conversion", text.encode(), content_type="text/plain")
        (page,), _, _ = read_warc(tmp_path / "a.wet", record)
        assert (page["title"], page["text"]) == (None, text)


def test_a_wet_text_that_is_not_utf8_is_rejected(tmp_path):
    record = warc_record("conversion", "خبر".encode("cp1256"), content_type="text/plain")
    _, (reject,), _ = read_warc(tmp_path / "a.wet", record + wet_record(1))
    assert reject["reason"] == "invalid_utf8"
    assert reject["detail"].startswith("byte 0: byte 0 of the text is not UTF-8")


def test_an_html_response_is_a_page_with_record_id_and_url(tmp_path):
    (page,), rejects, _ = read_warc(tmp_path / "a.warc.gz", gz(page_record(html("وصول القافلة"), 5)))
    assert (page["title"], page["page_id"]) == ("وصول القافلة", "urn:uuid:00000000000000000000000000000005")
    assert page["text"].count("أعلنت وزارة الصحة") == 9
    assert (page["url"], rejects) == ("http://www.news.example/5", [])


def test_the_crawl_date_is_used_only_for_pages_without_a_date(tmp_path):
    dated = html(head='<meta property="article:published_time" content="2014-02-03T04:05:06Z">')
    pages, _, log = read_warc(tmp_path / "a.warc", page_record(dated, 1) + page_record(html(), 2))
    assert [page["published"].isoformat() for page in pages] == ["2014-02-03T04:05:06+00:00", "2015-07-01T10:02:00+00:00"]
    assert "a.warc: 1 page states no date; the time of the crawl (WARC-Date) is used" in log.warnings()


def test_a_windows_1256_page_is_decoded_despite_a_wrong_header_and_tag(tmp_path):
    head = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    body = html("انتهاء أعمال الطرق", head=head).decode().encode("cp1256")
    (page,), _, _ = read_warc(tmp_path / "a.warc", page_record(body, content_type="text/html; charset=iso-8859-1"))
    assert page["title"] == "انتهاء أعمال الطرق"
    assert "أعلنت وزارة الصحة اليوم" in page["text"]


def test_records_without_a_page_are_skipped_and_counted_by_reason(tmp_path):
    records = [
        warc_record("warcinfo", b"software: x\r\n", content_type="application/warc-fields"),
        warc_record("request", b"GET / HTTP/1.1\r\n\r\n", content_type="application/http; msgtype=request"),
        warc_record("metadata", b"a: b\r\n", content_type="application/warc-fields"),
        warc_record("revisit", response(b"")),
        page_record(b"moved", status="301 Moved"),
        page_record(b"gone", status="404 Not Found"),
        page_record(b"gone", status="404 Not Found"),
        page_record(b"\x89PNG", content_type="image/png"),
        page_record("نص".encode(), content_type="text/plain"),
        warc_record("response", b"20150701 news.example", content_type="text/dns"),
        warc_record("resource", b"\x89PNG", content_type="image/png"),
        warc_record("my-own", b"?", content_type="text/plain"),
        wet_record(1),
    ]
    pages, rejects, log = read_warc(tmp_path / "a.warc.gz", b"".join(map(gz, records)))
    assert (len(pages), rejects) == (1, [])
    expected = {"metadata": 1, "not_html": 4, "other_type": 1, "request": 1, "revisit": 1, "status_301": 1, "status_404": 2, "warcinfo": 1}
    assert log.inputs[0]["skipped"] == expected == dict(log.skipped)
    assert log.inputs[0]["records"] == 13
    assert pages[0]["input_row"] == 12


def test_a_crawl_without_pages_is_an_error_that_lists_the_skipped_records(tmp_path):
    records = [page_record(b"", status="404 X"), page_record(b"", status="404 X"), page_record(b"x", content_type="image/gif")]
    with pytest.raises(InputError, match=r"no record of the crawl is a page \(2 status_404, 1 not_html\)"):
        read_warc(tmp_path / "a.warc", b"".join(records))


def test_html_without_a_content_type_is_recognized_by_its_first_bytes(tmp_path):
    records = page_record(html(), 1, content_type="") + page_record(b"%PDF-1.4", 2, content_type="")
    pages, _, log = read_warc(tmp_path / "a.warc", records)
    assert (len(pages), dict(log.skipped)) == (1, {"not_html": 1})


def test_a_resource_record_of_html_is_a_page(tmp_path):
    (page,), _, _ = read_warc(tmp_path / "a.warc", warc_record("resource", html("صفحة محفوظة"), content_type="text/html"))
    assert page["title"] == "صفحة محفوظة"


def test_a_response_without_an_http_status_is_rejected(tmp_path):
    _, rejects, _ = read_warc(tmp_path / "a.warc", page_record(b"", block=b"<html>") + wet_record(1))
    assert reasons(rejects) == ["bad_http"]


def test_a_page_without_text_is_rejected_with_its_position(tmp_path):
    first = gz(wet_record(1))
    _, (reject,), _ = read_warc(tmp_path / "a.warc.gz", first + gz(page_record(b"<html></html>", 2)))
    assert reject["input_row"] == 1
    assert reject["detail"].startswith(f"byte {len(first):,}: ")


def test_a_record_without_id_is_named_by_file_and_number(tmp_path):
    record = wet_record(1).replace(b"WARC-Record-ID", b"WARC-Record-No")
    (page,), _, _ = read_warc(tmp_path / "a.warc", record)
    assert page["page_id"] == "a.warc:0"


# Bodies


def chunked(body, size=100):
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def brotli_body(body):
    return pytest.importorskip("brotli").compress(body)


def bare_deflate(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


ENCODED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": bare_deflate,
    "br": brotli_body,
    "zstd": zst,
    "gzip, deflate": lambda body: zlib.compress(gzip.compress(body)),
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_chunks_and_content_encodings_are_decoded(tmp_path, encoding, in_chunks):
    body = ENCODED[encoding](html("وصول القافلة"))
    fields = {"Transfer_Encoding": "chunked"} if in_chunks else {}
    record = page_record(chunked(body) if in_chunks else body, Content_Encoding=encoding, **fields)
    (page,), rejects, _ = read_warc(tmp_path / "a.warc", record)
    assert (page["title"], rejects) == ("وصول القافلة", [])


def test_a_body_decoded_by_the_crawler_is_kept_unchanged(tmp_path):
    for encoding in ("gzip", "br", "deflate", "snappy"):
        record = page_record(html("وصول القافلة"), Content_Encoding=encoding, Transfer_Encoding="chunked")
        (page,), _, _ = read_warc(tmp_path / "a.warc", record)
        assert page["title"] == "وصول القافلة"


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("snappy", b"\xff\x06", "unknown_encoding"),
        ("gzip, " * 5 + "gzip", b"\x1f\x8b", "unknown_encoding"),
        ("gzip", gzip.compress(html(), mtime=0)[:-20], "bad_encoding"),
        ("gzip", gzip.compress(html(), mtime=0)[:30] + b"\xff" * 40, "bad_encoding"),
        ("deflate", b"\xff\xff\xff", "bad_encoding"),
        ("br", b"\xff\xff\xff", "bad_encoding"),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff", "bad_encoding"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_rejected(tmp_path, encoding, body, reason):
    pages, rejects, _ = read_warc(tmp_path / "a.warc", page_record(body, 1, Content_Encoding=encoding) + wet_record(2))
    assert (len(pages), reasons(rejects)) == (1, [reason])


def test_an_invalid_chunk_inside_a_body_is_rejected(tmp_path):
    body = b"64\r\n" + html()[:100] + b"\r\nnot a size\r\n"
    _, (reject,), _ = read_warc(tmp_path / "a.warc", page_record(b"5\r\nx    \r\n" + body, Transfer_Encoding="chunked") + wet_record(2))
    assert reject["reason"] == "bad_encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_decodes_to_too_many_bytes_is_rejected(tmp_path, encoding):
    body = ENCODED[encoding](b"x" * (8 << 20))
    assert len(body) < 10_000
    _, (reject,), _ = read_warc(tmp_path / "a.warc", page_record(body, Content_Encoding=encoding) + wet_record(2), page_bytes=1 << 20)
    assert reject["reason"] == "too_large"


def test_brotli_without_its_package_is_a_reject_with_the_install_command(tmp_path, monkeypatch):
    body = brotli_body(html())
    monkeypatch.setitem(sys.modules, "brotli", None)
    _, (reject,), _ = read_warc(tmp_path / "a.warc", page_record(body, Content_Encoding="br") + wet_record(2))
    assert reject["reason"] == "unknown_encoding"
    assert "pip install 'dedup-news[crawl]'" in reject["detail"]


def test_a_page_cut_off_by_the_crawler_is_read_as_far_as_it_goes(tmp_path):
    packed = gzip.compress(html("وصول القافلة") + b"<!-- " + bytes(range(256)) * 40)
    record = page_record(packed[:-200], record={"WARC_Truncated": "length"}, Content_Encoding="gzip")
    (page,), _, log = read_warc(tmp_path / "a.warc", record)
    assert page["title"] == "وصول القافلة"
    assert "a.warc: 1 page was cut off by the crawler (WARC-Truncated) and is read as far as it goes" in log.warnings()


# Files


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst", "a.wet", "a.wet.gz", "a.warc.wet.gz", "A.WARC.GZ"])
def test_the_usual_suffixes_are_found_in_a_folder(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert [source.name for source in discover([tmp_path])] == [name]


@pytest.mark.parametrize("form", PACKED)
def test_records_are_the_same_as_those_of_another_library(tmp_path, form):
    from warcio.archiveiterator import ArchiveIterator

    raw = [wet_record(number) for number in range(30)]
    pages, rejects, _ = read_warc(tmp_path / f"a{form}", b"".join(map(PACKED[form], raw)))
    theirs = [
        (record.rec_headers["WARC-Record-ID"], record.content_stream().read().decode())
        for record in ArchiveIterator(io.BytesIO(b"".join(raw)))
    ]
    assert [(f"<{page['page_id']}>", page["title"] + "\n" + page["text"]) for page in pages] == theirs
    assert rejects == []


def test_compression_is_detected_from_the_content_not_the_name(tmp_path):
    for name in ("a.warc", "b.warc.gz", "c.warc.zst"):
        for pack in PACKED.values():
            pages, rejects, _ = read_warc(tmp_path / name, pack(wet_record(1)) + pack(wet_record(2)))
            assert (len(pages), rejects) == (2, [])


@pytest.mark.parametrize("pack", [gz, zst])
def test_members_and_records_need_not_coincide(tmp_path, pack):
    content = b"".join(wet_record(number) for number in range(9))
    whole = pack(content)
    parts = b"".join(pack(content[i : i + 700]) for i in range(0, len(content), 700))
    for stored in (whole, parts):
        pages, rejects, _ = read_warc(tmp_path / "a.warc.gz", stored)
        assert ([page["input_row"] for page in pages], rejects) == (list(range(9)), [])


def test_padding_and_frames_without_content_are_no_records(tmp_path):
    empty = (0x184D2A50).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"12345"
    for stored in (gz(wet_record(1)) + bytes(100), empty + zst(wet_record(1)) + empty, wet_record(1) + b"\r\n" * 50):
        pages, rejects, _ = read_warc(tmp_path / "a.warc", stored)
        assert (len(pages), rejects) == (1, [])


@pytest.mark.parametrize("packed", [False, True])
def test_a_zstd_file_with_a_leading_dictionary_is_read(tmp_path, packed):
    zstandard = pytest.importorskip("zstandard")
    raw = [wet_record(number) for number in range(60)]
    words = zstandard.train_dictionary(2000, raw)
    front = zst(words.as_bytes()) if packed else words.as_bytes()
    content = (0x184D2A5D).to_bytes(4, "little") + len(front).to_bytes(4, "little") + front
    packer = zstandard.ZstdCompressor(dict_data=words)
    pages, rejects, _ = read_warc(tmp_path / "a.warc.zst", content + b"".join(map(packer.compress, raw)))
    assert (len(pages), rejects) == (60, [])


def test_a_zstd_file_without_the_package_is_an_error_with_the_install_command(tmp_path, monkeypatch):
    stored = zst(wet_record(1))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(InputError, match=r"^a.warc.zst: .* Install it with: pip install 'dedup-news\[crawl\]'$"):
        read_warc(tmp_path / "a.warc.zst", stored)


def test_old_and_malformed_headers_are_read(tmp_path):
    record = wet_record(1)
    block = record.partition(b"\r\n\r\n")[2][:-4]
    header = b"WARC/0.18\nwarc-type: conversion\nWARC-TARGET-URI:<http://a.example/>\nX: 1\n  2\ncontent-length:%d\n\n" % len(block)
    (page, other), rejects, _ = read_warc(tmp_path / "a.warc", header + block + b"\n" + record)
    assert (page["url"], page["text"], rejects) == ("http://a.example/", other["text"], [])


def test_an_oversized_record_is_rejected_if_it_is_a_page_and_skipped_if_not(tmp_path):
    big = bytes(3 << 20)
    records = [
        page_record(big, 1),
        page_record(big, 2, content_type="video/mp4"),
        warc_record("conversion", big, content_type="text/plain"),
    ]
    for form, pack in PACKED.items():
        pages, rejects, log = read_warc(tmp_path / f"a{form}", b"".join(map(pack, [*records, wet_record(4)])), page_bytes=1 << 20)
        assert [page["input_row"] for page in pages] == [3]
        assert reasons(rejects) == ["too_large", "too_large"]
        assert dict(log.skipped) == {"not_html": 1}


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize(("lost", "expected"), [(200, [0]), (0, [0, 1])])
def test_records_before_a_read_error_are_kept(tmp_path, form, lost, expected, monkeypatch):
    content = PACKED[form](wet_record(1)) + PACKED[form](wet_record(2))

    def failing(source):
        yield content[:-lost] if lost else content
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Source, "stored", failing)
    pages, (reject,), _ = read_warc(tmp_path / f"a{form}", b"?")
    assert [page["input_row"] for page in pages] == expected
    assert reject["reason"] == "read_error"
    assert "Input/output error" in reject["detail"]


def test_a_file_that_cannot_be_opened_is_one_reject(tmp_path, monkeypatch):
    def failing(source):
        raise PermissionError(13, "Permission denied")
        yield

    monkeypatch.setattr(Source, "stored", failing)
    pages, (reject,), _ = read_warc(tmp_path / "a.warc", b"?")
    assert (pages, reject["reason"], reject["detail"]) == ([], "unreadable_file", "Permission denied")


@pytest.mark.parametrize("pack", [gz, zst])
def test_a_bomb_is_cut_off_and_the_next_member_is_read(tmp_path, pack, monkeypatch):
    monkeypatch.setattr(members, "BOMB_BYTES", 4 << 20)
    bomb = pack(b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 99999999999\r\n\r\n" + bytes(64 << 20))
    pages, (reject,), _ = read_warc(tmp_path / "a.warc", bomb + pack(wet_record(1)))
    assert (len(pages), reject["reason"]) == (1, "bomb")
    assert "a decompression bomb" in reject["detail"]


def test_a_file_of_many_bombs_is_not_read_further(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MOST_EXPANDED", 8 << 20)
    small = gz(bytes(2 << 20))
    pages, rejects, _ = read_warc(tmp_path / "a.warc", gz(wet_record(1)) + small * 50 + gz(wet_record(2)))
    assert (len(pages), reasons(rejects)[-1]) == (1, "bomb")
    assert "the file is not read further" in rejects[-1]["detail"]


def test_the_logged_digest_is_that_of_the_stored_file(tmp_path):
    stored = gz(wet_record(1)) + b"garbage at the end"
    _, _, log = read_warc(tmp_path / "a.warc.gz", stored)
    assert log.inputs[0]["sha256"] == hashlib.sha256(stored).hexdigest()

"""Makes crawl files for tests: records as bytes, and several ways to compress them."""

import gzip
import io

import pytest

from dedup.config import Config
from dedup.readers import ReadLog, read_files

writer = pytest.importorskip("warcio.warcwriter", reason="warcio is not installed (extra dev)")

PARAGRAPH = "أعلنت وزارة الصحة اليوم أن عدد المستفيدين من الحملة الوطنية ارتفع خلال الأسبوع الماضي في جميع المحافظات. "


def warc_record(kind, block, *, number=0, url=None, content_type="application/http; msgtype=response", **fields):
    """One uncompressed record; ``fields`` replace those of the header (``WARC_Date``)."""
    headers = {"WARC-Record-ID": f"<urn:uuid:{number:032x}>", "WARC-Date": f"2015-07-01T10:{number % 60:02}:00Z"}
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    out = io.BytesIO()
    maker = writer.WARCWriter(out, gzip=False)
    address = f"http://www.news.example/{number}" if url is None else url
    as_kind = "resource" if kind == "response" and not block.startswith(b"HTTP/") else kind  # the library parses responses
    made = maker.create_warc_record(
        address, as_kind, payload=io.BytesIO(block), length=len(block), warc_content_type=content_type, warc_headers_dict=headers
    )
    maker.write_record(made)
    return out.getvalue().replace(f"WARC-Type: {as_kind}".encode(), f"WARC-Type: {kind}".encode(), 1)


def wet_text(number):
    return f"عنوان الخبر رقم {number}\n" + f"الفقرة {number} من الخبر. {PARAGRAPH}\n" * 3


def wet_record(number, **fields):
    return warc_record("conversion", wet_text(number).encode(), number=number, content_type="text/plain", **fields)


def response(body, *, status="200 OK", content_type="text/html; charset=utf-8", **fields):
    """The block of a response."""
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {content_type}"] if content_type else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def html(title="عنوان الصفحة", *, head=""):
    paragraphs = "".join(f"<p>{part} {PARAGRAPH * 3}</p>" for part in ("أولا", "ثانيا", "ثالثا"))
    return f"<html><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>".encode()


def gz(record):
    return gzip.compress(record, mtime=0)


def zst(record):
    return pytest.importorskip("zstandard").ZstdCompressor(write_checksum=True).compress(record)


#: Suffix -> how a record is packed.
PACKED = {".warc": bytes, ".warc.gz": gz, ".warc.zst": zst}


def read_warc(path, content=None, page_bytes=16 << 20):
    """Pages, rejects and log of one file; checks what must be true of every file."""
    if content is not None:
        path.write_bytes(content)
    log, pages, rejects = ReadLog(), [], []
    for batch in read_files([path], config=Config().replace({"input.page_bytes": page_bytes}), log=log):
        pages += batch.pages.to_pylist()
        rejects += batch.rejects.to_pylist()
    facts = log.inputs[0]
    assert facts["records"] == len(pages) + len(rejects) + sum(facts["skipped"].values())
    assert (facts["pages"], facts["rejects"]) == (len(pages), len(rejects))
    return pages, rejects, log

"""Crawl files (WARC, and WET with texts) -> blocks: a record with a page in it is a page.

What holds a page: a ``response`` of status 200 whose content is HTML, a ``resource`` that is HTML, and a ``conversion``
(of a WET file) that is plain text. All other records are no pages and nothing is wrong with them: they are counted by
reason (``log.skipped``). What is damaged, or is a page but cannot be read, is a reject. The position of a page or reject is the
number of its record in the file.

- The id of a page is its ``WARC-Record-ID`` without the angle brackets.
- The URL is what the page names as its own, else ``WARC-Target-URI``.
- ``WARC-Date`` is the time of the crawl; it is the date of a page that names none.
- The first line of a WET text is the title of the page, as the makers of these files put it there; the rest is the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...config import Config
from ..batches import Block, BlockBuilder, Reject
from ..html.metadata import host
from ..html.page import BrokenPage, read_page
from ..log import FileLog
from ..source import Source, UntilBroken
from .http import Response, read_body, read_response, too_large
from .members import read_members
from .records import Damage, Record, read_records

#: A record can be that much larger than its page: the headers.
_HEADERS = 64 << 10
_PARTS = ("id", "title", "text", "published", "source", "url", "author")
_HTML = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
_OTHER_TYPES = ("warcinfo", "request", "metadata", "revisit", "continuation")
#: A first line of more characters is a paragraph, not a title.
_LONGEST_TITLE = 300
_NO_DATE = (
    "{n} page names no date; the time of the crawl (WARC-Date) is taken",
    "{n} pages name no date; the time of the crawl (WARC-Date) is taken",
)
_CUT_OFF = (
    "{n} page was cut off by the crawler (WARC-Truncated); what is there is read",
    "{n} pages were cut off by the crawler (WARC-Truncated); what is there is read",
)

#: The values of a page in the order of ``_PARTS``.
_Page = tuple[Any, ...]


def read_warc(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read the records of a crawl file."""
    builder = BlockBuilder(_PARTS, max_rows=config.run.batch_rows, log=log)
    limit = config.input.page_bytes
    found = UntilBroken(_records(source, limit + _HEADERS))
    log.records = 0
    for item in found:
        log.records += 1
        _add(item, builder, limit, log)
        if builder.is_full:
            yield from builder.take()
    yield from builder.take()
    if found.error is not None:
        log.records += 1  # the break of the file becomes a reject
        raise found.error


def _records(source: Source, limit: int) -> Iterator[Record | Damage]:
    yield from read_records(read_members(source.stored(), compression=source.compression, name=source.name), limit=limit)


def _add(item: Record | Damage, builder: BlockBuilder, limit: int, log: FileLog) -> None:
    if isinstance(item, Damage):
        builder.reject(Reject(item.number, item.reason, item.detail))
        return
    try:
        page = _read(item, limit, log)
    except BrokenPage as broken:
        builder.reject(Reject(item.number, broken.reason, f"{item.place}: {broken.detail}"))
        return
    if isinstance(page, str):
        log.skip(page)
    else:
        builder.add(item.number, page, 2 * len(page[2]))


def _read(record: Record, limit: int, log: FileLog) -> _Page | str:
    """The page of a record, or why it is skipped."""
    kind = record.fields.get("warc-type", "").lower()
    content_type = _media_type(record.fields.get("content-type", ""))
    if kind == "conversion" and content_type in ("text/plain", ""):
        return _text_page(record, limit, log)
    if kind in ("conversion", "resource"):
        if not _is_html(content_type, record.block):
            return "not_html"
        return _html_page(record, Response(200, {"content-type": record.fields.get("content-type", "")}, record.block), limit, log)
    if kind != "response":
        return kind if kind in _OTHER_TYPES else "other_type"
    if not content_type.startswith("application/http") and not record.block.startswith(b"HTTP/"):
        return "not_html"  # a look-up of a name, a file from an FTP server
    response = read_response(record.block)
    if response is None:
        raise BrokenPage("bad_http", "it does not begin with an HTTP status")
    if response.status != 200:
        return f"status_{response.status}"
    if not _is_html(_media_type(response.fields.get("content-type", "")), response.body):
        return "not_html"
    return _html_page(record, response, limit, log)


def _html_page(record: Record, response: Response, limit: int, log: FileLog) -> _Page:
    if len(record.block) < record.length:
        raise too_large(record.length, limit)
    cut_off = "warc-truncated" in record.fields
    body = read_body(response, limit=limit, cut_off=cut_off)
    url = record.fields.get("warc-target-uri", "").strip("<>") or None
    page = read_page(body, url=url, header=response.fields.get("content-type"), limit=limit)
    log.warn(*_CUT_OFF, count=int(cut_off))
    published = page.published.isoformat() if page.published else _crawled(record, log)
    return _id(record), page.title, page.text, published, page.source or host(url), page.url or url, page.author


def _text_page(record: Record, limit: int, log: FileLog) -> _Page:
    if len(record.block) < record.length:
        raise too_large(record.length, limit)
    try:
        text = record.block.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise BrokenPage("invalid_utf8", f"byte {error.start} of the text is not UTF-8 (0x{record.block[error.start]:02x})") from None
    title, rest = _split_title(text)
    url = record.fields.get("warc-target-uri", "").strip("<>") or None
    return _id(record), title, rest, _crawled(record, log), host(url), url, None


def _split_title(text: str) -> tuple[str | None, str]:
    first, _, rest = text.lstrip().partition("\n")
    if len(first) > _LONGEST_TITLE or not rest.strip():
        return None, text
    return first, rest


def _id(record: Record) -> str | None:
    return record.fields.get("warc-record-id", "").strip("<> ") or None


def _crawled(record: Record, log: FileLog) -> str | None:
    date = record.fields.get("warc-date") or None
    log.warn(*_NO_DATE, count=int(date is not None))
    return date


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _is_html(media_type: str, body: bytes) -> bool:
    """By the header; where there is none, by what the body begins with."""
    if media_type:
        return media_type in _HTML
    return body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))

"""Reads crawl files (WARC, and WET with plain texts). Positions are record numbers.

Sound records that are no pages are counted by reason in ``log.skipped``; damaged records and
unreadable pages are rejects.
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

# The id of a page is its WARC-Record-ID without angle brackets; its URL the one stated in the page,
# else WARC-Target-URI; its date the one stated in the page, else WARC-Date, the time of the crawl.
# The first line of a WET text is the title of the page, where the makers of these files put it.

# Pages are HTML in a ``response`` of status 200 or a ``resource``, and text in a ``conversion``.
#: A record may be larger than its page by this many bytes of headers.
_HEADERS = 64 << 10
_PARTS = ("id", "title", "text", "published", "source", "url", "author")
_HTML = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
_OTHER_TYPES = ("warcinfo", "request", "metadata", "revisit", "continuation")
#: Most characters of a title; a longer first line is a paragraph.
_LONGEST_TITLE = 300
_NO_DATE = (
    "{n} page states no date; the time of the crawl (WARC-Date) is used",
    "{n} pages state no date; the time of the crawl (WARC-Date) is used",
)
_CUT_OFF = (
    "{n} page was cut off by the crawler (WARC-Truncated) and is read as far as it goes",
    "{n} pages were cut off by the crawler (WARC-Truncated) and are read as far as they go",
)

#: The values of a page in the order of ``_PARTS``.
_Page = tuple[Any, ...]


def read_warc(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read the records of a crawl file."""
    builder = BlockBuilder(_PARTS, max_rows=config.run.batch_rows, log=log)
    limit = config.input.page_bytes
    found = UntilBroken(_read_items(source, limit + _HEADERS))
    log.records = 0
    for item in found:
        log.records += 1
        _add_item(item, builder, limit, log)
        if builder.is_full:
            yield from builder.take()
    yield from builder.take()
    if found.error is not None:
        log.records += 1  # the error of the file becomes a reject
        raise found.error


def _read_items(source: Source, limit: int) -> Iterator[Record | Damage]:
    yield from read_records(read_members(source.stored(), compression=source.compression, name=source.name), limit=limit)


def _add_item(item: Record | Damage, builder: BlockBuilder, limit: int, log: FileLog) -> None:
    if isinstance(item, Damage):
        builder.reject(Reject(item.number, item.reason, item.detail))
        return
    try:
        page = _page_of(item, limit, log)
    except BrokenPage as broken:
        builder.reject(Reject(item.number, broken.reason, f"{item.place}: {broken.detail}"))
        return
    if isinstance(page, str):
        log.skip(page)
    else:
        builder.add(item.number, page, 2 * len(page[2]))


def _page_of(record: Record, limit: int, log: FileLog) -> _Page | str:
    """The page of a record, or the reason for skipping it."""
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
        return "not_html"  # a DNS lookup, or a file from an FTP server
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
    published = page.published.isoformat() if page.published else _crawl_date(record, log)
    return _page_id(record), page.title, page.text, published, page.source or host(url), page.url or url, page.author


def _text_page(record: Record, limit: int, log: FileLog) -> _Page:
    if len(record.block) < record.length:
        raise too_large(record.length, limit)
    try:
        text = record.block.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise BrokenPage("invalid_utf8", f"byte {error.start} of the text is not UTF-8 (0x{record.block[error.start]:02x})") from None
    title, rest = _split_title(text)
    url = record.fields.get("warc-target-uri", "").strip("<>") or None
    return _page_id(record), title, rest, _crawl_date(record, log), host(url), url, None


def _split_title(text: str) -> tuple[str | None, str]:
    first, _, rest = text.lstrip().partition("\n")
    if len(first) > _LONGEST_TITLE or not rest.strip():
        return None, text
    return first, rest


def _page_id(record: Record) -> str | None:
    return record.fields.get("warc-record-id", "").strip("<> ") or None


def _crawl_date(record: Record, log: FileLog) -> str | None:
    date = record.fields.get("warc-date") or None
    log.warn(*_NO_DATE, count=int(date is not None))
    return date


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _is_html(media_type: str, body: bytes) -> bool:
    """Whether a body is HTML, by the header or, without one, by its first bytes."""
    if media_type:
        return media_type in _HTML
    return body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))

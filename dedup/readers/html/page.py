"""HTML pages -> text that reads like a flattened page, with title, date, address and outlet.

``read_page`` reads one page from anywhere: a file, a record of a WARC, a cell of a table. Encodings are settled in
``encodings``, what the page says of itself in ``page_facts``, its text in ``main_text``. Parser and extractor are
Resiliparse's (extra ``crawl``).

Pages are not trusted. A page larger than the limit is not parsed, and one with elements nested deeper than anybody writes is not
read. Formatting tags left open over many blocks, which the standard tells parsers to repeat in every block, are taken out
first. So a page costs time in proportion to its size.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...errors import InputError
from ..encodings import decode, mojibake
from ..values import safe_text, without_surrogates
from .main_text import main_text
from .metadata import NOTHING, host, page_facts

#: A page of more bytes is rejected (setting ``input.page_bytes``); the largest news pages have some two million.
MAX_PAGE_BYTES = 16 << 20
#: Elements nested deeper than this are no page; extraction would take time with the square of the depth.
MAX_DEPTH = 256
#: Formatting tags times all tags; above, a parser might have to repeat the former in most of the latter.
_MOST_REPEATS = 1_000_000
#: Links; above, they are taken out too, for a link inside of a link makes parsers move what is between.
_MOST_LINKS = 20_000
_LINK = re.compile(r"</?a(?=[\s/>])[^<>]*>", re.IGNORECASE)
#: Characters without a tag; more are broken up, for a tag with very many attributes costs time with the square of their number.
_STRETCH, _TO_A_BLANK = 2000, 200
_FORMATTING = re.compile(r"</?(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[a-z!/?][^<>]*>", re.IGNORECASE)
_DOCUMENT_TAG = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_ESCAPED_TAG = re.compile(
    r"&lt;/?(?:p|a|br|div|span|h[1-6]|img|strong|b|i|em|ul|ol|li|figure|blockquote|table)(?:\s|/?&gt;)", re.IGNORECASE
)
_HEAD = 100_000
#: NUL and other controls have no place in text; parsers disagree on what to make of them.
_CONTROLS = {code: " " for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: " "}
_TOO_DEEP = ">".join("*" * MAX_DEPTH)
#: The text in JSON-LD is taken where the page has none, if it has so many words.
_BODY_WORDS = 20


@dataclass(frozen=True)
class HtmlPage:
    """What one HTML page holds.

    Attributes
    ----------
    text : the main text, one paragraph a line; related links as a list with bullets at its end, a second article behind
        «إقرأ أيضاً», as ``pages.segment`` reads them
    title : the headline, without the site's name
    published : UTC
    url : the canonical address that the page names, else the one it was fetched from
    source : the site's name for itself, else the host
    author : the byline
    encoding : what the bytes were read as
    """

    text: str
    title: str | None = None
    published: datetime | None = None
    url: str | None = None
    source: str | None = None
    author: str | None = None
    encoding: str = "utf-8"


class BrokenPage(Exception):  # noqa: N818 (a finding, not a fault)
    """A page that gives no document; becomes a row of ``rejects``.

    Attributes
    ----------
    reason : ``no_main_text``, ``mojibake``, ``unknown_charset``, ``too_large``, ``too_deep``
    detail : a sentence
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def need_extractor() -> None:
    """Check that the extra is installed.

    Raises
    ------
    InputError
        That says what to install.
    """
    try:
        import resiliparse.extract.html2text
        import resiliparse.parse.html  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"HTML pages need a parser, which is not installed ({error}). Install it with: pip install 'dedup-news[crawl]'"
        ) from None


def read_page(data: bytes | str, *, url: str | None = None, header: str | None = None, limit: int = MAX_PAGE_BYTES) -> HtmlPage:
    """Read one HTML page.

    Parameters
    ----------
    data : the page's bytes, or its text; a fragment (the item of a feed, escaped once more or not) will do
    url : where it was fetched from, if that is known
    header : the HTTP header ``Content-Type``, if there was one: a hint, the bytes decide
    limit : bytes of the largest page that is parsed

    Returns
    -------
    the page; its text is never empty

    Raises
    ------
    BrokenPage
        If no text comes out of it.
    InputError
        If the extra ``crawl`` is not installed.
    """
    need_extractor()
    from resiliparse.parse.html import HTMLTree

    text, encoding = _decoded(data, header, limit)
    is_fragment = _DOCUMENT_TAG.search(text, 0, _HEAD) is None
    if is_fragment and "&lt;" in text and _ESCAPED_TAG.search(text) and not _TAG.search(text):
        text = html.unescape(text)
    if is_fragment and not _TAG.search(text):
        found = " ".join(html.unescape(text).split()) if "\n" not in text else html.unescape(text)
        return HtmlPage(_believed(found.strip()), url=url, source=host(url), encoding=encoding)
    text = _tame(text)
    tree = HTMLTree.parse(text)
    if _is_too_deep(tree):
        tree = HTMLTree.parse(_FORMATTING.sub("", text))
        if _is_too_deep(tree):
            raise BrokenPage("too_deep", f"elements nested more than {MAX_DEPTH} deep")
    facts = page_facts(tree, url=url)
    found = main_text(tree, title=facts.title, source=facts.source, is_fragment=is_fragment)
    if not found and facts.body and facts.body.count(" ") >= _BODY_WORDS:
        found = "\n".join(line.strip() for line in html.unescape(facts.body).splitlines() if line.strip())
    return HtmlPage(
        text=_believed(found),
        title=facts.title,
        published=facts.published,
        url=facts.url,
        source=facts.source,
        author=facts.author,
        encoding=encoding,
    )


def _decoded(data: bytes | str, header: str | None, limit: int) -> tuple[str, str]:
    """The text of a page and its encoding, without controls and halves of surrogate pairs."""
    if len(data) > limit:
        raise BrokenPage("too_large", f"{len(data):,} bytes, the limit is {limit:,} (input.page_bytes)")
    if isinstance(data, str):
        text, encoding = without_surrogates(data), "utf-8"
    else:
        decoded = decode(data, header)
        if decoded is None:
            raise BrokenPage("unknown_charset", f"no encoding makes words of it: {safe_text(data[:80].decode('latin-1'))}")
        text, encoding = decoded.text, decoded.encoding
    # Looking for each is far faster than to translate a text that has none.
    if any(sign in text for sign in map(chr, _CONTROLS)):
        text = text.translate(_CONTROLS)
    return text, encoding


def _tame(text: str) -> str:
    """A page that a parser reads in linear time."""
    pieces = text.split("<")
    tags = len(pieces)
    if max(map(len, pieces)) > _STRETCH:
        text = "<".join(piece if len(piece) <= _STRETCH else _broken_up(piece) for piece in pieces)
    if tags * tags <= _MOST_REPEATS:
        return text
    if sum(1 for _ in _FORMATTING.finditer(text)) * tags > _MOST_REPEATS:
        text = _FORMATTING.sub("", text)
    if text.count("<a") + text.count("<A") > _MOST_LINKS:
        text = _LINK.sub("", text)
    return text


def _broken_up(piece: str) -> str:
    """A stretch with a tag here and there that means nothing in text, and ends the tag if this was one."""
    parts, start = [], 0
    while len(piece) - start > _STRETCH:
        end = piece.find(" ", start + _STRETCH, start + _STRETCH + _TO_A_BLANK)
        end = start + _STRETCH if end < 0 else end
        parts.append(piece[start:end])
        start = end
    return f"<{NOTHING}>".join([*parts, piece[start:]])


def _is_too_deep(tree: Any) -> bool:
    body = tree.body
    return body is not None and body.query_selector(_TOO_DEEP) is not None


def _believed(text: str) -> str:
    """A text, if there is any and it is no mojibake."""
    if not text:
        raise BrokenPage("no_main_text", "nothing but menus, links and scripts")
    if wrong := mojibake(text):
        raise BrokenPage("mojibake", f"{wrong}: {safe_text(text)}")
    return text

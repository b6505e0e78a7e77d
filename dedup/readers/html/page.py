"""Reads an HTML page (file, WARC record, table cell) into its text and metadata.

Pages are not trusted: too large or too deeply nested ones are rejected, and markup for which
parsers need quadratic time is removed first.
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
from .metadata import NOTHING, host, page_metadata

#: Most bytes of a page (setting ``input.page_bytes``); the largest news pages have some two
#: million.
MAX_PAGE_BYTES = 16 << 20
#: Deepest nesting of elements; extraction takes time with the square of the depth.
MAX_DEPTH = 256
#: Most formatting tags times all tags. Parsers must repeat formatting tags that are left open in
#: every block, so above this they are removed.
_MOST_REPEATS = 1_000_000
#: Most links. Above, they are removed too: for a link inside a link, parsers move all that is in
#: between.
_MOST_LINKS = 20_000
_LINK = re.compile(r"</?a(?=[\s/>])[^<>]*>", re.IGNORECASE)
#: Most characters without a tag, and a margin to reach a blank. Longer stretches are broken up, for
#: a tag takes time with the square of the number of its attributes.
_STRETCH, _TO_A_BLANK = 2000, 200
_FORMATTING = re.compile(r"</?(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[a-z!/?][^<>]*>", re.IGNORECASE)
_DOCUMENT_TAG = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_ESCAPED_TAG = re.compile(
    r"&lt;/?(?:p|a|br|div|span|h[1-6]|img|strong|b|i|em|ul|ol|li|figure|blockquote|table)(?:\s|/?&gt;)", re.IGNORECASE
)
_HEAD = 100_000
#: NUL and other controls do not belong in text, and parsers disagree about them.
_CONTROLS = {code: " " for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: " "}
_TOO_DEEP = ">".join("*" * MAX_DEPTH)
#: Fewest words of a text in JSON-LD that replaces a missing main text.
_BODY_WORDS = 20


@dataclass(frozen=True)
class HtmlPage:
    """The parts of one HTML page.

    Attributes
    ----------
    text : the main text, one paragraph a line, then a second article behind «إقرأ أيضاً» and
        related links as a list with bullets, as ``segmentation.segment`` expects them
    title : the headline, without the name of the site
    published : UTC
    url : the canonical URL stated in the page, else the one it was fetched from
    source : the site's name for itself, else the host
    author : the byline
    encoding : the encoding that the bytes were decoded from
    """

    text: str
    title: str | None = None
    published: datetime | None = None
    url: str | None = None
    source: str | None = None
    author: str | None = None
    encoding: str = "utf-8"


class BrokenPage(Exception):  # noqa: N818 (a finding, not a fault)
    """A page without a readable text; becomes a row of ``rejects``.

    Attributes
    ----------
    reason : a key of ``reasons.REJECT_REASONS``
    detail : a sentence
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def need_extractor() -> None:
    """Check that the extra ``crawl`` is installed.

    Raises
    ------
    InputError
        If it is not.
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
    data : bytes or text of the page, or of a fragment (the item of a feed, even if it is escaped
        once more)
    url : the URL that it was fetched from, if known
    header : the HTTP header ``Content-Type``, if there was one: only a hint, for the bytes decide
    limit : bytes of the largest page that is parsed

    Returns
    -------
    the page; its text is never empty

    Raises
    ------
    BrokenPage
        If the page has no text, or none that can be read.
    InputError
        If the extra ``crawl`` is not installed.
    """
    need_extractor()
    from resiliparse.parse.html import HTMLTree

    text, encoding = _decode_page(data, header, limit)
    is_fragment = _DOCUMENT_TAG.search(text, 0, _HEAD) is None
    if is_fragment and "&lt;" in text and _ESCAPED_TAG.search(text) and not _TAG.search(text):
        text = html.unescape(text)
    if is_fragment and not _TAG.search(text):
        found = " ".join(html.unescape(text).split()) if "\n" not in text else html.unescape(text)
        return HtmlPage(_checked_text(found.strip()), url=url, source=host(url), encoding=encoding)
    text = _linear_markup(text)
    tree = HTMLTree.parse(text)
    if _is_too_deep(tree):
        tree = HTMLTree.parse(_FORMATTING.sub("", text))
        if _is_too_deep(tree):
            raise BrokenPage("too_deep", f"elements nested more than {MAX_DEPTH} deep")
    metadata = page_metadata(tree, url=url)
    found = main_text(tree, title=metadata.title, source=metadata.source, is_fragment=is_fragment)
    if not found and metadata.body and metadata.body.count(" ") >= _BODY_WORDS:
        found = "\n".join(line.strip() for line in html.unescape(metadata.body).splitlines() if line.strip())
    return HtmlPage(
        text=_checked_text(found),
        title=metadata.title,
        published=metadata.published,
        url=metadata.url,
        source=metadata.source,
        author=metadata.author,
        encoding=encoding,
    )


def _decode_page(data: bytes | str, header: str | None, limit: int) -> tuple[str, str]:
    """The text of a page, without controls and lone surrogates, and its encoding."""
    if len(data) > limit:
        raise BrokenPage("too_large", f"{len(data):,} bytes, the limit is {limit:,} (input.page_bytes)")
    if isinstance(data, str):
        text, encoding = without_surrogates(data), "utf-8"
    else:
        decoded = decode(data, header)
        if decoded is None:
            raise BrokenPage("unknown_charset", f"no encoding makes words of it: {safe_text(data[:80].decode('latin-1'))}")
        text, encoding = decoded.text, decoded.encoding
    # Searching for each is far faster than translating a text that has none.
    if any(sign in text for sign in map(chr, _CONTROLS)):
        text = text.translate(_CONTROLS)
    return text, encoding


def _linear_markup(text: str) -> str:
    """A page without the markup for which parsers need quadratic time."""
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
    """Insert tags without meaning, which end a tag that has too many attributes."""
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


def _checked_text(text: str) -> str:
    """The text, if there is one and it is no mojibake; else raises ``BrokenPage``."""
    if not text:
        raise BrokenPage("no_main_text", "nothing but menus, links and scripts")
    if wrong := mojibake(text):
        raise BrokenPage("mojibake", f"{wrong}: {safe_text(text)}")
    return text

"""Reads a table column of HTML into the parts of a page; other columns take precedence.

A row with a title but without text in its HTML is a headline, like any row without text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ...schema import TIMESTAMP
from ..values import is_string_type, plain_column
from .page import BrokenPage, HtmlPage, need_extractor, read_page

_STRINGS = ("text", "title", "source", "url", "author")


class HtmlColumn(NamedTuple):
    """Columns read from HTML.

    Attributes
    ----------
    parts : part -> large_string array; ``published`` is timestamp[us, UTC]
    broken : row -> why it has no text
    """

    parts: dict[str, Any]
    broken: dict[int, BrokenPage]


def read_html_column(column: Any, urls: Any, titles: Any, *, limit: int) -> HtmlColumn:
    """Read each cell as an HTML page.

    Parameters
    ----------
    column : Arrow array of strings or binary values, nulls allowed
    urls, titles : large_string arrays of the same length: the URL and the title of each row in the
        table
    limit : bytes of the largest page that is parsed
    """
    need_extractor()
    column = plain_column(column)
    if is_string_type(column.type):
        column = column.cast(pa.large_binary())
    pages: list[HtmlPage | None] = []
    broken: dict[int, BrokenPage] = {}
    rows = zip(column.to_pylist(), urls.to_pylist(), titles.to_pylist(), strict=True)
    for row, (data, url, title) in enumerate(rows):
        page = None
        if data and not data.isspace():
            try:
                page = read_page(data, url=url, limit=limit)
            except BrokenPage as finding:
                if finding.reason != "no_main_text" or not title:
                    broken[row] = finding
        pages.append(page)
    parts = {part: pa.array([None if page is None else getattr(page, part) for page in pages], pa.large_string()) for part in _STRINGS}
    parts["published"] = pa.array([None if page is None else page.published for page in pages], TIMESTAMP)
    return HtmlColumn(parts, broken)


def or_else(column: Any, found: Any) -> Any:
    """A column whose null and blank values are replaced by those found in the HTML."""
    blank = pc.fill_null(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(column)), 0), pa.scalar(True))
    return pc.if_else(blank, found, column)

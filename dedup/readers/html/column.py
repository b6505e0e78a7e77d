"""A column of HTML -> the columns of a page: its text, and what it says of itself where the table does not.

A row's own title, date, outlet, address and author win over those in its HTML. A row without HTML, or whose HTML holds no
text but whose title is there, is a headline, as a row without text is.
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
    """Columns read from HTML (large_string; ``published`` timestamp[us, UTC]), and what was found broken: row -> finding."""

    parts: dict[str, Any]
    broken: dict[int, BrokenPage]


def read_html_column(column: Any, urls: Any, titles: Any, *, limit: int) -> HtmlColumn:
    """Read each cell as a page.

    Parameters
    ----------
    column : Arrow array of strings or binary values, nulls allowed
    urls, titles : large_string arrays of the same length: where each was fetched from, and the title that the table gives
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
    """A column with its nulls and blanks filled from what was found in the HTML."""
    blank = pc.fill_null(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(column)), 0), pa.scalar(True))
    return pc.if_else(blank, found, column)

"""Splits pages into documents: articles, embedded second articles, related headlines.

Only pages that may contain furniture become Python strings. Embedded articles and headlines take
over the date and outlet of their page, but not its URL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..schema import TEXTS
from .agencies import find_agencies, find_agency
from .segment import Page, needs_segmenting, segment


def documents_of(pages: Any, *, segmented: bool = True, credited: bool = True) -> tuple[Any, npt.NDArray[np.int64]]:
    """The documents of a batch of pages, in page order.

    Parameters
    ----------
    pages : Arrow record batch, ``schema.PAGES``
    segmented : split pages; else each page is one document
    credited : find the agency of each document; else it is null

    Returns
    -------
    (documents, page_rows) : Arrow table of ``schema.TEXTS``, int64[n_documents]
        Row i belongs to the page in row ``page_rows[i]``. A page without text is one ``headline``,
        its title.
    """
    texts = pages.column("text")
    sources = pages.column("source")
    has_text = pc.is_valid(texts)
    parts: dict[int, Page] = {}
    if segmented:
        rows = np.flatnonzero(needs_segmenting(texts.fill_null("")).to_numpy(zero_copy_only=False))
        parts = {int(row): segment(texts[int(row)].as_py()) for row in rows}
    agency = find_agencies(texts, pages.column("author")) if credited else pa.nulls(len(texts), pa.string())
    if parts:
        mask = np.zeros(len(texts), bool)
        mask[list(parts)] = True
        texts = pc.replace_with_mask(texts, pa.array(mask), pa.array([page.body for page in parts.values()], pa.large_string()))
        named = pa.array([page.source_line for page in parts.values()], pa.string())
        lines = pc.replace_with_mask(pa.nulls(len(texts), pa.string()), pa.array(mask), named)
        sources = pc.coalesce(sources, lines)
        if credited:
            codes = pa.array([find_agency("", page.source_line) if page.source_line else None for page in parts.values()], pa.string())
            agency = pc.coalesce(agency, pc.replace_with_mask(pa.nulls(len(texts), pa.string()), pa.array(mask), codes))
    titles = pages.column("title")
    main = pa.table(
        {
            "doc_id": pages.column("page_id"),
            "page_id": pages.column("page_id"),
            "role": pc.if_else(has_text, "article", "headline"),
            "source": sources,
            "url": pages.column("url"),
            "title": titles,
            "text": pc.coalesce(texts, titles.cast(pa.large_string()), pa.scalar("", pa.large_string())),
            "published": pages.column("published"),
            "input_file": pages.column("input_file"),
            "input_row": pages.column("input_row"),
            "agency": agency,
        },
        schema=TEXTS,
    )
    page_rows = np.arange(pages.num_rows)
    found = [(row, role, title, text) for row, page in parts.items() for role, title, text in other_documents(page)]
    if not found:
        return main, page_rows
    found_rows = np.array([row for row, *_ in found], np.int64)
    documents = pa.concat_tables([main, _table_of_others(found, main.take(found_rows), credited)])
    page_rows = np.concatenate([page_rows, found_rows])
    order = np.argsort(page_rows, kind="stable")
    return documents.take(order).combine_chunks(), page_rows[order]


def other_documents(page: Page) -> list[tuple[str, str | None, str]]:
    """(role, title, text) of the embedded articles and headlines of a page, in page order."""
    embedded: list[tuple[str, str | None, str]] = [("embedded", part.title, part.text) for part in page.embedded]
    return embedded + [("headline", headline, headline) for headline in page.headlines]


def _table_of_others(found: list[tuple[int, str, str | None, str]], pages: Any, credited: bool) -> Any:
    """Embedded articles and headlines as a table; ``pages`` has the row of each one's page."""
    numbers: dict[int, int] = {}
    ids = []
    for (row, *_), page_id in zip(found, pages.column("page_id").to_pylist(), strict=True):
        numbers[row] = numbers.get(row, 0) + 1
        ids.append(f"{page_id}#{numbers[row]}")
    texts = pa.array([text for *_, text in found], pa.large_string())
    columns = {
        "doc_id": pa.array(ids, pa.string()),
        "role": pa.array([role for _, role, _, _ in found], pa.string()),
        "url": pa.nulls(len(found), pa.string()),
        "title": pa.array([title for _, _, title, _ in found], pa.string()),
        "text": texts,
    }
    if credited:
        embedded = pa.array([role == "embedded" for _, role, _, _ in found])
        columns["agency"] = pc.if_else(embedded, find_agencies(texts), pa.scalar(None, pa.string()))
    return pa.table({field.name: columns.get(field.name, pages.column(field.name)) for field in TEXTS}, schema=TEXTS)

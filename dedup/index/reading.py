"""Pages to arrivals: the documents of a block of pages, their words and fingerprints, and what they are looked up by.

One page comes as Python strings, for a library call has no time to make tables; many come as Arrow columns. Both are
split into documents by the same rules and fingerprinted by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..buffers import Rows, row_offsets, take_rows
from ..config import Config
from ..cues import may_have_furniture
from ..documents import documents_of, further
from ..fingerprint import Fingerprints, fingerprint_words
from ..kernels.shingle import row_hashes
from ..pages import Page, segment
from .document import Checked
from .entries import Words
from .keys import letter_keys, title_keys
from .sampling import sample

#: Of a title the runs of letters with the smallest hashes are listed.
TITLE_LETTERS = 8


_COLUMNS = ("doc_id", "page_id", "role", "source", "url", "title")


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Documents that come to an index, in the order of their pages.

    ``pages`` int64[n], the row of each one's page; ``parts`` how many further documents the page of each has (0 of those
    themselves); ``published`` microseconds or None; ``headline``, ``short`` bool[n]. ``sampled`` are rows of the shingles that each is
    listed under.
    """

    doc_ids: list[str]
    page_ids: list[str]
    roles: list[str]
    sources: list[str | None]
    urls: list[str | None]
    titles: list[str | None]
    published: list[int | None]
    parts: list[int]
    pages: npt.NDArray[np.int64]
    words: Words
    prints: Fingerprints
    headline: npt.NDArray[np.bool_]
    short: npt.NDArray[np.bool_]
    sampled: Rows

    def __len__(self) -> int:
        return len(self.doc_ids)

    @cached_property
    def listed_titles(self) -> Rows:
        """The keys that the title of each is listed under."""
        return title_listing(self.prints.title_terms, self.prints.title_shingles)


def read_page(page: Checked, config: Config) -> Arrivals:
    """The documents of one page."""
    text = page.text if page.text is not None else page.title or ""
    segmented = config.text.segment and page.text is not None and may_have_furniture(text)
    parts = segment(text) if segmented else Page(text)
    found = further(parts)
    n = 1 + len(found)
    source = page.source or parts.source_line
    return _arrive(
        [page.id, *(f"{page.id}#{k}" for k in range(1, n))],
        [page.id] * n,
        ["headline" if page.text is None else "article", *(role for role, _, _ in found)],
        [source] * n,
        [page.url, *[None] * len(found)],
        [page.title, *(title for _, title, _ in found)],
        [page.published] * n,
        np.zeros(n, np.int64),
        pa.array([parts.body, *(text for _, _, text in found)], pa.large_string()),
        config,
    )


def read_pages(pages: Any, config: Config) -> Arrivals:
    """The documents of a batch of pages, an Arrow record batch of ``schema.PAGES``."""
    documents, page_rows = documents_of(pages, segmented=config.text.segment, credited=False)
    ids, page_ids, roles, sources, urls, titles = (documents.column(name).to_pylist() for name in _COLUMNS)
    published = documents.column("published").cast(pa.int64()).to_pylist()
    return _arrive(ids, page_ids, roles, sources, urls, titles, published, page_rows, documents.column("text"), config)


def _arrive(
    doc_ids: list[str],
    page_ids: list[str],
    roles: list[str],
    sources: list[str | None],
    urls: list[str | None],
    titles: list[str | None],
    published: list[int | None],
    pages: npt.NDArray[np.int64],
    texts: Any,
    config: Config,
) -> Arrivals:
    prints, tokens, terms = fingerprint_words(texts, pa.array(titles, pa.large_string()), config)
    headline = np.array([role == "headline" for role in roles])
    short = np.where(headline, prints.title_words < config.text.min_headline_words, prints.words < config.text.min_words)
    parts = np.zeros(len(pages), np.int64)
    first = np.flatnonzero(np.diff(pages, prepend=-1))
    parts[first] = np.diff(np.append(first, len(pages))) - 1
    sampled = sample(tokens, np.diff(prints.shingles[1]), config)
    return Arrivals(
        doc_ids, page_ids, roles, sources, urls, titles, published, parts.tolist(), pages, Words(tokens[0], terms, tokens[1]),
        prints, headline, short, sampled,
    )  # fmt: skip


def title_listing(title_terms: Rows, title_shingles: Rows) -> Rows:
    """The keys that titles are listed under: one of all their words, and one of each of a few runs of letters."""
    whole = title_keys(row_hashes(*title_terms))
    n = len(whole)
    letters, offsets = take_rows(*title_shingles, np.arange(n), np.full(n, TITLE_LETTERS))
    return np.insert(letter_keys(letters), offsets[:-1], whole), row_offsets(np.diff(offsets) + 1)


def spans_of(arrivals: Arrivals, changed: npt.NDArray[np.bool_]) -> list[slice]:
    """Whole pages that can be decided together.

    Of two documents of one id the second is an update of the first. A page with an update stands alone, for what comes behind it is
    compared with the new text and what comes before with the old one.

    Parameters
    ----------
    changed : bool[n], documents that the index has with another text
    """
    starts = np.flatnonzero(np.diff(arrivals.pages, prepend=-1)).tolist()
    spans, begin, seen = [], 0, set[str]()
    for start, end in zip(starts, [*starts[1:], len(arrivals)], strict=True):
        names = arrivals.doc_ids[start:end]
        if changed[start:end].any() or not seen.isdisjoint(names):
            spans += [slice(begin, start), slice(start, end)]
            begin = end
        seen.update(names)
    return [span for span in [*spans, slice(begin, len(arrivals))] if span.start < span.stop]


def take(arrivals: Arrivals, span: slice) -> Arrivals:
    """Some of the arrivals, whole pages in a row."""
    rows = np.arange(span.start, span.stop)
    if len(rows) == len(arrivals):
        return arrivals
    cut = {
        field.name: getattr(arrivals, field.name)[span] for field in fields(Arrivals) if field.name not in ("words", "prints", "sampled")
    }
    sampled = take_rows(*arrivals.sampled, rows)
    return replace(arrivals, **cut, words=arrivals.words.take(rows), prints=arrivals.prints.take(rows), sampled=sampled)

"""Pages to arrivals: the documents of a block of pages, their words and fingerprints, and what they are looked up by.

One page comes as Python strings, for a library call has no time to make tables; many come as Arrow columns. Both are
split into documents by the same rules and fingerprinted by the same code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sized
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Rows, row_offsets, take_rows
from ..arrays.threads import map_batches, thread_count
from ..config import Config
from ..fingerprints.fingerprint import Fingerprints, fingerprint_words
from ..kernels.fingerprints.shingles import row_hashes
from ..readers import PageBatch, ReadLog, paths_of, read_data, read_files
from ..readers.memory import MEMORY
from ..segmentation.cues import may_have_furniture
from ..segmentation.documents import documents_of, other_documents
from ..segmentation.segment import Page, segment
from .document import Checked, Document
from .keys import letter_keys, sample, title_keys
from .store import Hashes, TokenRows

#: Of a title the runs of letters with the smallest hashes are listed.
TITLE_LETTERS = 8


_COLUMNS = ("doc_id", "page_id", "role", "source", "url", "title")


@dataclass(frozen=True, eq=False)
class Incoming:
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
    words: TokenRows
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


def read_page(page: Checked, config: Config) -> Incoming:
    """The documents of one page."""
    text = page.text if page.text is not None else page.title or ""
    segmented = config.text.segment and page.text is not None and may_have_furniture(text)
    parts = segment(text) if segmented else Page(text)
    found = other_documents(parts)
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


def read_pages(pages: Any, config: Config) -> Incoming:
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
) -> Incoming:
    prints, tokens, terms = fingerprint_words(texts, pa.array(titles, pa.large_string()), config)
    headline = np.array([role == "headline" for role in roles])
    short = np.where(headline, prints.title_words < config.text.min_headline_words, prints.words < config.text.min_words)
    parts = np.zeros(len(pages), np.int64)
    first = np.flatnonzero(np.diff(pages, prepend=-1))
    parts[first] = np.diff(np.append(first, len(pages))) - 1
    sampled = sample(tokens, np.diff(prints.shingles[1]), config)
    return Incoming(
        doc_ids, page_ids, roles, sources, urls, titles, published, parts.tolist(), pages, TokenRows(tokens[0], terms, tokens[1]),
        prints, headline, short, sampled,
    )  # fmt: skip


def title_listing(title_terms: Rows, title_shingles: Rows) -> Rows:
    """The keys that titles are listed under: one of all their words, and one of each of a few runs of letters."""
    whole = title_keys(row_hashes(*title_terms))
    n = len(whole)
    letters, offsets = take_rows(*title_shingles, np.arange(n), np.full(n, TITLE_LETTERS))
    return np.insert(letter_keys(letters), offsets[:-1], whole), row_offsets(np.diff(offsets) + 1)


def spans_of(arrivals: Incoming, changed: npt.NDArray[np.bool_]) -> list[slice]:
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


def take(arrivals: Incoming, span: slice) -> Incoming:
    """Some of the arrivals, whole pages in a row."""
    rows = np.arange(span.start, span.stop)
    if len(rows) == len(arrivals):
        return arrivals
    cut = {
        field.name: getattr(arrivals, field.name)[span] for field in fields(Incoming) if field.name not in ("words", "prints", "sampled")
    }
    sampled = take_rows(*arrivals.sampled, rows)
    return replace(arrivals, **cut, words=arrivals.words.take(rows), prints=arrivals.prints.take(rows), sampled=sampled)


_NO_ID = "it has neither an id nor a URL: an index must know a document again. Give an id, or name its column with input.id"


class Taken(NamedTuple):
    """``arrivals`` None where no page could be read; ``rows`` the input row of each page; ``rejects`` row and reason of each."""

    arrivals: Incoming | None
    rows: list[int]
    rejects: list[tuple[int | None, str]]


def blocks(data: Any, config: Config, log: ReadLog) -> Iterator[Taken]:
    """Read and fingerprint data in memory, or files if it is a path or a list of paths, block by block."""

    def read(batch: PageBatch) -> Taken:
        pages, nameless = _named(batch.pages)
        rejects = list(zip(batch.rejects.column("input_row").to_pylist(), _reasons(batch.rejects), strict=True))
        rejects += [(row, _NO_ID) for row in nameless]
        rows = pages.column("input_row").to_pylist()
        return Taken(read_pages(pages, config) if rows else None, rows, rejects)

    paths = paths_of(data)
    if isinstance(data, Sized) and not len(data):
        return iter(())
    batches = read_files(paths, config=config, log=log) if paths else read_data(_mapped(data), config=config, log=log)
    return map_batches(read, batches, thread_count(config.run.threads))


def _mapped(data: Any) -> Any:
    """The same data, with documents as the mappings that they stand for."""
    if isinstance(data, list | tuple):
        return [_mapping(item) for item in data] if any(isinstance(item, Document) for item in data) else data
    return map(_mapping, data) if isinstance(data, Iterator) else data


def _mapping(item: Any) -> Any:
    return dataclasses.asdict(item) if isinstance(item, Document) else item


def _reasons(rejects: Any) -> list[str]:
    return [f"{row['reason']}: {row['detail']}" for row in rejects.select(["reason", "detail"]).to_pylist()]


def _named(pages: Any) -> tuple[Any, list[int]]:
    """Pages of data in memory that have no id are known by their URL; those that have none either are turned back.

    A row of a file is known by its place in the file, as in a batch run.
    """
    made = pc.equal(pages.column("page_id"), pc.binary_join_element_wise(MEMORY, pages.column("input_row").cast(pa.string()), ":"))
    if not pc.any(made).as_py():
        return pages, []
    ids = pc.if_else(made, pages.column("url"), pages.column("page_id"))
    known = pc.is_valid(ids)
    nameless = pages.column("input_row").filter(pc.invert(known)).to_pylist()
    named = pages.set_column(pages.schema.get_field_index("page_id"), pages.schema.field("page_id").with_nullable(True), ids)
    return named.filter(known).cast(pages.schema), nameless


#: Documents that are decided together in any case, and how often others may list what one of them lists before a block is parted.
_FEW, _CROWD = 32, 2000
#: One of so many shingles is counted.
_COUNTED = 8


def split_crowded(arrivals: Incoming) -> Iterator[Incoming]:
    """Whole pages in a row, in parts in which few list the same: what is found in a part grows with the square of those that do."""
    if len(arrivals) <= _FEW or arrivals.pages[0] == arrivals.pages[-1] or not _is_crowded(arrivals):
        yield arrivals
        return
    starts = np.flatnonzero(np.diff(arrivals.pages, prepend=-1))
    middle = int(starts[1:][np.searchsorted(starts[1:-1], len(arrivals) // 2)])
    yield from split_crowded(take(arrivals, slice(0, middle)))
    yield from split_crowded(take(arrivals, slice(middle, len(arrivals))))


def _is_crowded(arrivals: Incoming) -> bool:
    articles = take_rows(*arrivals.sampled, np.flatnonzero(~arrivals.short & ~arrivals.headline))[0]
    titles = take_rows(*arrivals.listed_titles, np.flatnonzero(~arrivals.short))[0] if arrivals.headline.any() else articles[:0]
    pairs = _COUNTED * _pairs(articles[articles % np.uint64(_COUNTED) == 0]) + _pairs(titles)
    return pairs > _CROWD * len(arrivals)


def _pairs(keys: Hashes) -> int:
    """How often a key meets an equal one, itself included."""
    counts = np.unique(keys, return_counts=True)[1].astype(np.int64)
    return int((counts * counts).sum())

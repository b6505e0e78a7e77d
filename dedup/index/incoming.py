"""Pages -> incoming documents of an index, fingerprinted, with the keys that they are looked up by.

One page arrives as Python strings, because a library call has no time to build tables; many arrive
as Arrow columns. Both are segmented by the same rules and fingerprinted by the same code.
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

from ..arrays.rows import Ints, Rows, take_rows
from ..arrays.threads import map_batches, thread_count
from ..config import Config
from ..fingerprints.fingerprint import Fingerprints, fingerprint_with_tokens
from ..readers import PageBatch, ReadLog, paths_of, read_data, read_files
from ..readers.batches import made_ids
from ..readers.memory import MEMORY
from ..segmentation.cues import may_have_furniture
from ..segmentation.documents import documents_of, other_documents
from ..segmentation.segment import Page, segment
from .document import Checked, Document
from .keys import PostingKeys, sample, title_rows
from .store import Entry, Hashes, TokenRows

_COLUMNS = ("doc_id", "page_id", "role", "source", "url", "title")


@dataclass(frozen=True, eq=False)
class Incoming:
    """Incoming documents, in the order of their pages.

    Attributes
    ----------
    published : microseconds since 1970, UTC, or None
    parts : further documents of the page of each; 0 for those themselves
    pages : int64[n], the row of each one's page
    words : their tokens
    headline, short : bool[n]; a short document is too short to judge
    sampled : rows of the shingles that each is posted under
    """

    doc_ids: list[str]
    page_ids: list[str]
    roles: list[str]
    sources: list[str | None]
    urls: list[str | None]
    titles: list[str | None]
    published: list[int | None]
    parts: list[int]
    pages: Ints
    words: TokenRows
    fingerprints: Fingerprints
    headline: npt.NDArray[np.bool_]
    short: npt.NDArray[np.bool_]
    sampled: Rows

    def __len__(self) -> int:
        return len(self.doc_ids)

    @cached_property
    def title_keys(self) -> Rows:
        """The keys that each title is posted under."""
        return title_rows(self.fingerprints.title_terms, self.fingerprints.title_shingles)

    def posting_keys(self) -> PostingKeys:
        """What each document may be posted under."""
        fingerprints = self.fingerprints
        return PostingKeys(np.diff(fingerprints.shingles[1]), self.sampled, self.title_keys, fingerprints.digests, fingerprints.title_words)

    def digest(self, row: int) -> bytes:
        """16 bytes, equal if the token streams are equal."""
        return bytes(self.fingerprints.digests[row].tobytes())

    def is_same(self, row: int, known: Entry | None) -> bool:
        """Whether the index has this very document: same tokens, same title, same role."""
        return known is not None and (self.digest(row), self.titles[row], self.roles[row]) == (known.digest, known.title, known.role)

    def take(self, span: slice) -> Incoming:
        """Some consecutive documents, whole pages."""
        rows = np.arange(span.start, span.stop)
        if len(rows) == len(self):
            return self
        columns = {
            field.name: getattr(self, field.name)[span] for field in fields(self) if field.name not in ("words", "fingerprints", "sampled")
        }
        sampled = take_rows(*self.sampled, rows)
        return replace(self, **columns, words=self.words.take(rows), fingerprints=self.fingerprints.take(rows), sampled=sampled)


def read_page(page: Checked, config: Config) -> Incoming:
    """The documents of one page."""
    text = page.text if page.text is not None else page.title or ""
    segmented = config.text.segment and page.text is not None and may_have_furniture(text)
    parts = segment(text) if segmented else Page(text)
    found = other_documents(parts)
    n = 1 + len(found)
    source = page.source or parts.source_line
    return _fingerprint_documents(
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
    return _fingerprint_documents(ids, page_ids, roles, sources, urls, titles, published, page_rows, documents.column("text"), config)


def _fingerprint_documents(
    doc_ids: list[str],
    page_ids: list[str],
    roles: list[str],
    sources: list[str | None],
    urls: list[str | None],
    titles: list[str | None],
    published: list[int | None],
    pages: Ints,
    texts: Any,
    config: Config,
) -> Incoming:
    fingerprints, tokens, terms = fingerprint_with_tokens(texts, pa.array(titles, pa.large_string()), config)
    headline = np.array([role == "headline" for role in roles])
    short = np.where(headline, fingerprints.title_words < config.text.min_headline_words, fingerprints.words < config.text.min_words)
    parts = np.zeros(len(pages), np.int64)
    first = _page_starts(pages)
    parts[first] = np.diff(np.append(first, len(pages))) - 1
    sampled = sample(tokens, np.diff(fingerprints.shingles[1]), config)
    return Incoming(
        doc_ids, page_ids, roles, sources, urls, titles, published, parts.tolist(), pages, TokenRows(tokens[0], terms, tokens[1]),
        fingerprints, headline, short, sampled,
    )  # fmt: skip


def _page_starts(pages: Ints) -> Ints:
    """int64[n_pages]: the first row of each page."""
    starts: Ints = np.flatnonzero(np.diff(pages, prepend=-1))
    return starts


def split_at_updates(incoming: Incoming, updated: npt.NDArray[np.bool_]) -> list[slice]:
    """Spans of whole pages that can be decided together.

    Of two documents with one id the second is an update of the first. A page with an update is
    decided alone: what comes after it is compared with the new text, what comes before it with the
    old one.

    Parameters
    ----------
    updated : bool[n], documents that the index has with another text
    """
    starts = _page_starts(incoming.pages).tolist()
    spans, begin, seen = [], 0, set[str]()
    for start, end in zip(starts, [*starts[1:], len(incoming)], strict=True):
        names = incoming.doc_ids[start:end]
        if updated[start:end].any() or not seen.isdisjoint(names):
            spans += [slice(begin, start), slice(start, end)]
            begin = end
        seen.update(names)
    return [span for span in [*spans, slice(begin, len(incoming))] if span.start < span.stop]


#: Blocks of up to this many documents are never split.
SMALLEST_SPLIT = 32
#: Pairs of documents that share a key, per document of a block, from which the block is split.
_CROWDED = 2000
#: One in this many shingles is counted.
_COUNTED = 8


def split_crowded(incoming: Incoming) -> Iterator[Incoming]:
    """Split whole pages into parts in which few documents share keys.

    The hits of a block grow with the square of the documents that share one.
    """
    if len(incoming) <= SMALLEST_SPLIT or incoming.pages[0] == incoming.pages[-1] or not _is_crowded(incoming):
        yield incoming
        return
    starts = _page_starts(incoming.pages)
    middle = int(starts[1:][np.searchsorted(starts[1:-1], len(incoming) // 2)])
    yield from split_crowded(incoming.take(slice(0, middle)))
    yield from split_crowded(incoming.take(slice(middle, len(incoming))))


def _is_crowded(incoming: Incoming) -> bool:
    articles = take_rows(*incoming.sampled, np.flatnonzero(~incoming.short & ~incoming.headline))[0]
    titles = take_rows(*incoming.title_keys, np.flatnonzero(~incoming.short))[0] if incoming.headline.any() else articles[:0]
    pairs = _COUNTED * _count_equal_pairs(articles[articles % np.uint64(_COUNTED) == 0]) + _count_equal_pairs(titles)
    return pairs > _CROWDED * len(incoming)


def _count_equal_pairs(keys: Hashes) -> int:
    """How often a key meets an equal one, itself included."""
    counts = np.unique(keys, return_counts=True)[1].astype(np.int64)
    return int((counts * counts).sum())


_NO_ID = "it has neither an id nor a URL: an index must know a document again. Give an id, or name its column with input.id"


class IncomingBlock(NamedTuple):
    """Documents of a batch of pages.

    ``incoming`` is None where no page could be read; ``rows`` the input row of each page;
    ``rejects`` (row, reason) of each reject.
    """

    incoming: Incoming | None
    rows: list[int]
    rejects: list[tuple[int | None, str]]


def blocks(data: Any, config: Config, log: ReadLog) -> Iterator[IncomingBlock]:
    """Read and fingerprint pages block by block, from data in memory, a path or a list of paths."""

    def read(batch: PageBatch) -> IncomingBlock:
        pages, nameless = _with_ids(batch.pages)
        rejects = list(zip(batch.rejects.column("input_row").to_pylist(), _reject_reasons(batch.rejects), strict=True))
        rejects += [(row, _NO_ID) for row in nameless]
        rows = pages.column("input_row").to_pylist()
        return IncomingBlock(read_pages(pages, config) if rows else None, rows, rejects)

    paths = paths_of(data)
    if isinstance(data, Sized) and not len(data):
        return iter(())
    batches = read_files(paths, config=config, log=log) if paths else read_data(_as_mappings(data), config=config, log=log)
    return map_batches(read, batches, thread_count(config.run.threads))


def _as_mappings(data: Any) -> Any:
    """The same data, with each ``Document`` as a mapping."""
    if isinstance(data, list | tuple):
        return [_as_mapping(item) for item in data] if any(isinstance(item, Document) for item in data) else data
    return map(_as_mapping, data) if isinstance(data, Iterator) else data


def _as_mapping(item: Any) -> Any:
    return dataclasses.asdict(item) if isinstance(item, Document) else item


def _reject_reasons(rejects: Any) -> list[str]:
    return [f"{row['reason']}: {row['detail']}" for row in rejects.select(["reason", "detail"]).to_pylist()]


def _with_ids(pages: Any) -> tuple[Any, list[int]]:
    """Pages that have an id, and the input rows of those without one.

    In memory, the URL serves as id where there is none. In a file, the position does, as in a batch
    run.
    """
    made = pc.equal(pages.column("page_id"), made_ids(pa.scalar(MEMORY), pages.column("input_row")))
    if not pc.any(made).as_py():
        return pages, []
    ids = pc.if_else(made, pages.column("url"), pages.column("page_id"))
    known = pc.is_valid(ids)
    nameless = pages.column("input_row").filter(pc.invert(known)).to_pylist()
    named = pages.set_column(pages.schema.get_field_index("page_id"), pages.schema.field("page_id").with_nullable(True), ids)
    return named.filter(known).cast(pages.schema), nameless

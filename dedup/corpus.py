"""Documents taken in batch by batch: fingerprinted, their texts put away, and pages whose ids are taken turned back.

Texts are forgotten once they are fingerprinted and kept in a file; what stays in memory are the arrays of
``fingerprint.py`` and the columns that the results repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .archive import Texts, TextWriter, chosen
from .config import Config
from .documents import documents_of
from .fingerprint import FingerprintPiles, Fingerprints, choose, fingerprint
from .readers import Batch
from .schema import REJECTS, TEXTS
from .spill import Spill
from .threads import map_batches

Ints = npt.NDArray[np.int64]
#: Characters of a text that are kept after fingerprinting, to find the written form of keywords in.
LEAD_CHARACTERS = 1000


@dataclass(eq=False)
class Corpus:
    """All documents of a run: the columns that results repeat, leads, fingerprints and texts (None if they are not kept).

    The first ``earlier`` documents are those of the base; ``pages`` and ``rejects`` are of this run alone.
    """

    documents: Any
    leads: Any
    prints: Fingerprints
    texts: Texts | None
    rejects: Any
    pages: int
    earlier: int

    def is_headline(self) -> npt.NDArray[np.bool_]:
        """bool[n]: the documents that are a headline."""
        headline: npt.NDArray[np.bool_] = pc.equal(self.documents.column("role"), "headline").to_numpy(zero_copy_only=False)
        return headline

    def seconds(self) -> npt.NDArray[np.float64]:
        """Times of publication in seconds, NaN where unknown."""
        published = self.documents.column("published").cast(pa.int64())
        times: npt.NDArray[np.float64] = published.to_numpy(zero_copy_only=False).astype(float) / 1e6
        return times

    def source_codes(self) -> Ints:
        """A number for each outlet, -1 where it is unknown."""
        encoded = self.documents.column("source").combine_chunks().dictionary_encode()
        codes: Ints = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes


class Intake:
    """Takes documents in: first those of an earlier run, then those of pages."""

    def __init__(self, config: Config, spill: Spill, threads: int) -> None:
        self._config, self._spill, self._threads = config, spill, threads
        self._tables: list[Any] = []
        self._leads: list[Any] = []
        self._rejects: list[Any] = []
        self._numbers: list[Ints] = []  # of pages; a document of an earlier run counts as one
        self._piles = FingerprintPiles(spill)
        self._texts = TextWriter(spill.folder) if config.run.keep_texts else None
        self._documents = self._earlier = self._pages = 0

    def take_earlier(self, batches: Iterable[Any], done: Callable[[int], None]) -> None:
        """Take in documents of an earlier run, Arrow tables of ``schema.TEXTS``, before any page."""

        def whole(documents: Any) -> tuple[Any, Ints]:
            return documents, np.arange(documents.num_rows)

        self._take(batches, whole, done)
        self._earlier, self._pages = self._documents, 0

    def take_pages(self, batches: Iterable[Batch], done: Callable[[int], None]) -> None:
        """Take in what a reader gives."""

        def pages() -> Iterator[Any]:
            for batch in batches:
                self._rejects.append(batch.rejects)
                if batch.pages.num_rows:
                    yield batch.pages

        self._take(pages(), lambda pages: documents_of(pages, segmented=self._config.text.segment), done)

    def _take(self, batches: Iterable[Any], documents_of: Callable[[Any], tuple[Any, Ints]], done: Callable[[int], None]) -> None:
        def take(batch: Any) -> tuple[Any, Any, Fingerprints, Ints]:
            documents, page_rows = documents_of(batch)
            prints = fingerprint(documents.column("text"), documents.column("title"), self._config)
            # Leads are read by stories only.
            lead = _leads(documents) if self._config.stories.enabled else pa.nulls(0, pa.large_string())
            return documents, lead, prints, page_rows

        before = self._documents
        for documents, lead, print_, page_rows in map_batches(take, batches, self._threads):
            if self._texts is not None:
                self._texts.add(documents)
            self._tables.append(documents.drop(["text"]))
            self._leads.append(lead)
            self._piles.add(print_)
            self._numbers.append(page_rows + self._earlier + self._pages)
            self._pages += int(page_rows[-1]) + 1
            self._documents += len(page_rows)
            done(self._documents - before)

    def corpus(self) -> Corpus:
        """All that was taken in."""
        rejects = pa.Table.from_batches(self._rejects, schema=REJECTS)
        texts = self._texts.finish() if self._texts is not None else None
        if not self._tables:
            prints = fingerprint(pa.array([], pa.large_string()), pa.array([], pa.string()), self._config)
            documents, leads = TEXTS.empty_table().drop(["text"]), pa.chunked_array([], pa.large_string())
            return Corpus(documents, leads, prints, texts, rejects, rejects.num_rows, 0)
        documents, leads = pa.concat_tables(self._tables).combine_chunks(), pa.chunked_array(self._leads)
        pages = self._pages + rejects.num_rows
        corpus = Corpus(documents, leads, self._piles.joined(), texts, rejects, pages, self._earlier)
        return _without_double_ids(corpus, np.concatenate(self._numbers), self._spill)


def _leads(documents: Any) -> Any:
    """Title and first characters of each document."""
    text = pa.large_string()
    titles = pc.utf8_slice_codeunits(pc.fill_null(documents.column("title").cast(text), pa.scalar("", text)), 0, LEAD_CHARACTERS)
    starts = pc.utf8_slice_codeunits(documents.column("text"), 0, LEAD_CHARACTERS)
    starts = pc.if_else(pc.equal(documents.column("role"), "headline"), pa.scalar("", text), starts)
    joined = pc.binary_join_element_wise(titles, starts, pa.scalar("\n", text))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _without_double_ids(corpus: Corpus, page_numbers: Ints, spill: Spill) -> Corpus:
    """Reject each page that has an id which an earlier document has already."""
    encoded = corpus.documents.column("doc_id").combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    if len(encoded.dictionary) == len(codes):
        return corpus
    holder = np.full(len(encoded.dictionary), -1, np.int64)  # the document that has an id
    starts = np.flatnonzero(np.diff(page_numbers, prepend=-1))
    clashes = []
    for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
        taken = np.flatnonzero(holder[codes[start:stop]] >= 0)
        if len(taken):
            clashes.append((start + taken[0], holder[codes[start + taken[0]]]))
        else:
            holder[codes[start:stop]] = np.arange(start, stop)
    double, holders = (np.array(side, np.int64) for side in zip(*clashes, strict=True))
    kept = ~np.isin(page_numbers, page_numbers[double])
    rows = np.flatnonzero(kept)
    return Corpus(
        corpus.documents.take(pa.array(rows)).combine_chunks(),
        corpus.leads.take(pa.array(rows)) if len(corpus.leads) else corpus.leads,
        choose(corpus.prints, rows, spill),
        chosen(corpus.texts, kept, spill.folder) if corpus.texts is not None else None,
        pa.concat_tables([corpus.rejects, _rejected(corpus, double, holders)]).combine_chunks(),
        corpus.pages,
        corpus.earlier,
    )


def _rejected(corpus: Corpus, double: Ints, holders: Ints) -> Any:
    """The rejects of pages by their documents whose ids the ``holders`` have."""
    seen = corpus.documents.select(["doc_id", "input_file", "input_row"])
    here, there = seen.take(pa.array(double)).to_pylist(), seen.take(pa.array(holders)).to_pylist()
    of_base = holders < corpus.earlier
    same = (corpus.prints.digests[double] == corpus.prints.digests[holders]).all(axis=1)
    rows = []
    for row, other, in_base, again in zip(here, there, of_base, same, strict=True):
        place = f"{other['input_file']}, row {other['input_row']}"
        reason, detail = "duplicate_id", f"id {row['doc_id']!r} was already used in {place}"
        if in_base:
            detail = f"id {row['doc_id']!r} is that of a document of the base, from {place}"
        if in_base and again:
            reason, detail = "already_in_base", f"{detail}, with the same words."
        else:
            detail += ". Name another column with --input.id, or give 'none' to number the pages by file and row."
        rows.append({"input_file": row["input_file"], "input_row": row["input_row"], "reason": reason, "detail": detail})
    return pa.Table.from_pylist(rows, schema=REJECTS)

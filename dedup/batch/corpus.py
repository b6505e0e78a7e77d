"""Builds the corpus: fingerprints documents, stores their texts, rejects duplicate page ids.

Fingerprints and the columns that results repeat stay in memory; texts go to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints, row_offsets, text_array, text_rows
from ..arrays.spill import SpillPool
from ..arrays.threads import map_batches
from ..config import Config
from ..fingerprints.fingerprint import FingerprintBuilder, Fingerprints, document_columns, fingerprint, take_spilled
from ..readers import PageBatch, join_batches
from ..schema import REJECTS, TEXTS
from ..segmentation.documents import documents_of
from ..storage.text_store import TextStore, TextWriter, filter_texts
from .checkpoints import ReadCheckpoints, ReadPosition, array_of
from .page_ids import resolve_ids

#: Characters of a text that are kept in memory, to find the written form of keywords.
LEAD_CHARACTERS = 1000


@dataclass(eq=False)
class Corpus:
    """All documents of a run, those of the base first.

    Attributes
    ----------
    documents : Arrow table of ``schema.TEXTS`` without ``text``
    leads : title and first characters of each document; empty if stories are switched off
    texts : None if texts are not kept
    rejects, pages : of this run alone, without the base
    base_documents : number of documents of the base
    """

    documents: Any
    leads: Any
    fingerprints: Fingerprints
    texts: TextStore | None
    rejects: Any
    pages: int
    base_documents: int

    def is_headline(self) -> npt.NDArray[np.bool_]:
        """bool[n], true for headlines."""
        headline: npt.NDArray[np.bool_] = pc.equal(self.documents.column("role"), "headline").to_numpy(zero_copy_only=False)
        return headline

    def seconds(self) -> npt.NDArray[np.float64]:
        """float64[n], times of publication in seconds since 1970, NaN where unknown."""
        published = self.documents.column("published").cast(pa.int64())
        times: npt.NDArray[np.float64] = published.to_numpy(zero_copy_only=False).astype(float) / 1e6
        return times

    def source_codes(self) -> Ints:
        """int64[n], a number for each outlet, -1 where it is unknown."""
        encoded = self.documents.column("source").combine_chunks().dictionary_encode()
        codes: Ints = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes


@dataclass(eq=False)
class _Fingerprinted:
    """A batch, perhaps of rejects only; ``rows`` int64[n] is the page of each document in it."""

    position: ReadPosition
    rejects: Any
    documents: Any = None
    lead: Any = None
    fingerprints: Fingerprints | None = None
    rows: Ints | None = None


class CorpusBuilder:
    """Builds a corpus from the documents of the base, then from pages.

    Parameters
    ----------
    checkpoints : loaded at once after an interruption, and written from then on
    """

    def __init__(self, config: Config, spill: SpillPool, threads: int, checkpoints: ReadCheckpoints | None = None) -> None:
        self._config, self._spill, self._threads, self._checkpoints = config, spill, threads, checkpoints
        self._tables: list[Any] = []
        self._leads: list[Any] = []
        self._rejects: list[Any] = []
        self._numbers: list[Ints] = []  # of pages; a document of the base counts as a page
        self._counts: list[dict[str, Any]] = []
        self._saved = [0, 0]  # tables and rejects that are in checkpoints
        self._documents = self._base_documents = self._pages = 0
        loaded = checkpoints.load_all() if checkpoints is not None else []
        self._position = loaded[-1][2] if loaded else ReadPosition()
        self._fingerprints = FingerprintBuilder(spill, checkpoints.open_array if checkpoints is not None else None)
        writing = config.run.keep_texts and not (checkpoints is not None and checkpoints.is_complete)
        self._file = checkpoints.texts_file() if checkpoints is not None and writing else None
        self._texts = TextWriter(spill.folder, self._file) if writing else None
        for number, (tables, totals, _) in enumerate(loaded):
            self._restore(number, tables, totals)

    @property
    def position(self) -> ReadPosition:
        """Position in the inputs after the last batch."""
        return self._position

    def add_base(self, batches: Iterable[Any], done: Callable[[int], None]) -> None:
        """Add the documents of the base, Arrow tables of ``schema.TEXTS``, before any page."""
        if self._position.file >= 0:  # restored with pages already
            return done(self._base_documents)
        skipped, first = self._position.base, 0

        def prepare(item: tuple[Any, ReadPosition]) -> _Fingerprinted:
            documents, position = item
            return self._fingerprint(_Fingerprinted(position, None, documents, rows=np.arange(documents.num_rows)))

        def rest() -> Iterator[tuple[Any, ReadPosition]]:
            nonlocal first
            for documents in batches:
                ahead = max(skipped - first, 0)
                first += documents.num_rows
                if ahead < documents.num_rows:
                    yield documents.slice(ahead), ReadPosition(base=first)

        self._add_batches(rest(), prepare, done, 0)
        self._base_documents, self._pages = self._documents, 0
        self._position = ReadPosition(base=self._base_documents)

    def add_pages(self, batches: Iterable[tuple[PageBatch, ReadPosition]], done: Callable[[int], None]) -> None:
        """Add the batches of a reader, each with the position at its end."""

        def prepare(item: tuple[PageBatch, ReadPosition]) -> _Fingerprinted:
            batch, position = item
            prepared = _Fingerprinted(position, batch.rejects)
            if batch.pages.num_rows:
                prepared.documents, prepared.rows = documents_of(batch.pages, segmented=self._config.text.segment)
                self._fingerprint(prepared)
            return prepared

        self._add_batches(join_batches(batches, self._config.run.batch_rows), prepare, done, self._base_documents)

    def corpus(self) -> Corpus:
        """Finish the corpus: save the last checkpoint, join the batches, resolve the ids."""
        if self._texts is not None and self._file is not None:
            self._texts.close()
        if self._checkpoints is not None and not self._checkpoints.is_complete:
            self._save_checkpoint(is_last=True)
        rejects = pa.Table.from_batches(self._rejects, schema=REJECTS)
        if self._checkpoints is not None:
            texts = self._checkpoints.texts() if self._config.run.keep_texts else None
        else:
            texts = self._texts.finish() if self._texts is not None else None
        if not self._tables:
            fingerprints = fingerprint(pa.array([], pa.large_string()), pa.array([], pa.string()), self._config)
            documents, leads = TEXTS.empty_table().drop(["text"]), pa.chunked_array([], pa.large_string())
            return Corpus(documents, leads, fingerprints, texts, rejects, rejects.num_rows, 0)
        documents, leads = pa.concat_tables(self._tables).combine_chunks(), pa.chunked_array(self._leads)
        pages = self._pages + rejects.num_rows
        corpus = Corpus(documents, leads, self._fingerprints.build(), texts, rejects, pages, self._base_documents)
        corpus = _with_unique_ids(corpus, np.concatenate(self._numbers), self._spill)
        if self._spill.spilled and len(corpus.leads):
            corpus.leads = _spill_leads(corpus.leads, self._spill)
        return corpus

    def _fingerprint(self, batch: _Fingerprinted) -> _Fingerprinted:
        documents = batch.documents
        batch.fingerprints = fingerprint(documents.column("text"), documents.column("title"), self._config)
        # Only stories read leads.
        batch.lead = _leads(documents) if self._config.stories.enabled else pa.nulls(0, pa.large_string())
        return batch

    def _add_batches(
        self,
        batches: Iterable[Any],
        prepare: Callable[[Any], _Fingerprinted],
        done: Callable[[int], None],
        before: int,
    ) -> None:
        for batch in map_batches(prepare, batches, self._threads):
            full = self._add(batch)
            self._position = batch.position
            done(self._documents - before)
            if full:
                self._save_checkpoint()

    def _add(self, batch: _Fingerprinted) -> bool:
        """Add a batch; true if the checkpoint should end with it."""
        if batch.rejects is not None:
            self._rejects.append(batch.rejects)
        if batch.fingerprints is None or batch.rows is None:
            return False
        if self._texts is not None:
            self._texts.add(batch.documents)
        self._tables.append(batch.documents.drop(["text"]))
        self._leads.append(batch.lead)
        self._fingerprints.add(batch.fingerprints)
        self._numbers.append(batch.rows + self._base_documents + self._pages)
        self._pages += int(batch.rows[-1]) + 1
        self._documents += len(batch.rows)
        if self._checkpoints is None:
            return False
        self._counts.append(document_columns(batch.fingerprints))
        return self._checkpoints.add_texts(batch.documents)

    def _save_checkpoint(self, *, is_last: bool = False) -> None:
        """Save the batches since the last checkpoint."""
        if self._checkpoints is None:
            return
        (tables, rejects), saved = self._saved, {}
        if len(self._tables) > tables:
            documents = pa.concat_tables(self._tables[tables:]).combine_chunks()
            leads, numbers = pa.chunked_array(self._leads[tables:]).combine_chunks(), np.concatenate(self._numbers[tables:])
            self._tables[tables:], self._leads[tables:], self._numbers[tables:] = [documents], [leads], [numbers]
            saved["documents"] = documents
            saved["counts"] = _counts_table(self._counts, numbers)
            saved["leads"] = pa.table({"lead": leads})
            self._counts = []
        if len(self._rejects) > rejects:
            saved["rejects"] = pa.Table.from_batches(self._rejects[rejects:], schema=REJECTS).combine_chunks()
        self._saved = [len(self._tables), len(self._rejects)]
        totals = {"documents": self._documents, "earlier": self._base_documents, "pages": self._pages}
        self._checkpoints.finish(saved, totals, self._position, all_texts=self._file if is_last else None, is_last=is_last)

    def _restore(self, number: int, tables: dict[str, Any], totals: dict[str, int]) -> None:
        """Add the contents of a checkpoint."""
        if self._checkpoints is None:
            return
        self._documents, self._base_documents, self._pages = totals["documents"], totals["earlier"], totals["pages"]
        if "documents" in tables:
            counts = {name: array_of(tables["counts"].column(name)) for name in tables["counts"].column_names}
            counts["digests"] = np.stack([counts.pop("digests"), counts.pop("digests_2")], axis=1)
            self._numbers.append(counts.pop("pages"))
            self._fingerprints.resume(counts)
            self._tables.append(tables["documents"])
            self._leads.append(tables["leads"].column("lead").combine_chunks())
        if "rejects" in tables:
            self._rejects += tables["rejects"].to_batches()
        self._saved = [len(self._tables), len(self._rejects)]
        if self._texts is not None:
            for texts in self._checkpoints.texts_of(number):
                self._texts.add(texts)


def _counts_table(counts: list[dict[str, Any]], pages: Ints) -> Any:
    """The counts of fingerprints and the page numbers of documents as an Arrow table."""
    columns = {name: np.concatenate([item[name] for item in counts]) for name in counts[0]}
    digests = columns.pop("digests")
    return pa.table({**columns, "digests": digests[:, 0], "digests_2": digests[:, 1], "pages": pages})


def _spill_leads(texts: Any, spill: SpillPool) -> Any:
    """Move leads to a file: they take the most memory of all columns, and are read last."""
    spilled, lengths = spill.new_array(np.uint8), []
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        data, offsets = text_rows(chunk)
        spilled.add(data[offsets[0] : offsets[-1]])
        lengths.append(np.diff(offsets))
    return text_array(spilled.array(), row_offsets(np.concatenate(lengths)))


def _leads(documents: Any) -> Any:
    """Title and first characters of each document, joined by a newline."""
    text = pa.large_string()
    titles = pc.utf8_slice_codeunits(pc.fill_null(documents.column("title").cast(text), pa.scalar("", text)), 0, LEAD_CHARACTERS)
    starts = pc.utf8_slice_codeunits(documents.column("text"), 0, LEAD_CHARACTERS)
    starts = pc.if_else(pc.equal(documents.column("role"), "headline"), pa.scalar("", text), starts)
    joined = pc.binary_join_element_wise(titles, starts, pa.scalar("\n", text))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _with_unique_ids(corpus: Corpus, page_numbers: Ints, spill: SpillPool) -> Corpus:
    """Resolve duplicate ids: rename documents or reject their pages."""
    documents, kept, rejects = resolve_ids(corpus.documents, corpus.fingerprints.digests, page_numbers, corpus.base_documents)
    if documents is corpus.documents and kept.all():
        return corpus
    texts = filter_texts(corpus.texts, kept, spill.folder, ids=documents.column("doc_id")) if corpus.texts is not None else None
    if kept.all():
        return replace(corpus, documents=documents, texts=texts)
    rows = np.flatnonzero(kept)
    return Corpus(
        documents.take(pa.array(rows)).combine_chunks(),
        corpus.leads.take(pa.array(rows)) if len(corpus.leads) else corpus.leads,
        take_spilled(corpus.fingerprints, rows, spill),
        texts,
        pa.concat_tables([corpus.rejects, rejects]).combine_chunks(),
        corpus.pages,
        corpus.base_documents,
    )

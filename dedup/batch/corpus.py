"""Documents taken in batch by batch: fingerprinted, their texts put away, and pages whose ids are taken turned back.

Texts are forgotten once they are fingerprinted and kept in a file; what stays in memory are the arrays of
``fingerprint.py`` and the columns that the results repeat.
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
from ..fingerprints.fingerprint import FingerprintPiles, Fingerprints, choose, counts_of, fingerprint
from ..readers import PageBatch, joined
from ..schema import REJECTS, TEXTS
from ..segmentation.documents import documents_of
from ..storage.text_store import TextStore, TextWriter, chosen
from .checkpoints import ReadCheckpoints, ReadPosition, array_of
from .page_ids import resolve_ids

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
    texts: TextStore | None
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


@dataclass(eq=False)
class _Taken:
    """What became of a batch; ``rows`` int64[n], the page of each document in it. Without documents only rejects count."""

    place: ReadPosition
    rejects: Any
    documents: Any = None
    lead: Any = None
    prints: Fingerprints | None = None
    rows: Ints | None = None


class CorpusBuilder:
    """Takes documents in: first those of an earlier run, then those of pages.

    Parameters
    ----------
    parts : where what was taken in lasts (nowhere, if left out); what it has of a run that was stopped is taken in first
    """

    def __init__(self, config: Config, spill: SpillPool, threads: int, parts: ReadCheckpoints | None = None) -> None:
        self._config, self._spill, self._threads, self._parts = config, spill, threads, parts
        self._tables: list[Any] = []
        self._leads: list[Any] = []
        self._rejects: list[Any] = []
        self._numbers: list[Ints] = []  # of pages; a document of an earlier run counts as one
        self._counts: list[dict[str, Any]] = []
        self._ended = [0, 0]  # tables and rejects that are in parts
        self._documents = self._earlier = self._pages = 0
        taken = parts.taken() if parts is not None else []
        self._place = taken[-1][2] if taken else ReadPosition()
        self._piles = FingerprintPiles(spill, parts.pile if parts is not None else None)
        self._file = parts.texts_file() if parts is not None and config.run.keep_texts and not parts.is_read else None
        reading = config.run.keep_texts and not (parts is not None and parts.is_read)
        self._texts = TextWriter(spill.folder, self._file) if reading else None
        for number, (tables, facts, _) in enumerate(taken):
            self._resume(number, tables, facts)

    @property
    def place(self) -> ReadPosition:
        """Where to go on with the inputs."""
        return self._place

    def add_base(self, batches: Iterable[Any], done: Callable[[int], None]) -> None:
        """Take in documents of an earlier run, Arrow tables of ``schema.TEXTS``, before any page."""
        if self._place.file >= 0:  # pages were taken in already
            return done(self._earlier)
        skipped, first = self._place.base, 0

        def take(item: tuple[Any, ReadPosition]) -> _Taken:
            documents, place = item
            return self._print(_Taken(place, None, documents, rows=np.arange(documents.num_rows)))

        def rest() -> Iterator[tuple[Any, ReadPosition]]:
            nonlocal first
            for documents in batches:
                ahead = max(skipped - first, 0)
                first += documents.num_rows
                if ahead < documents.num_rows:
                    yield documents.slice(ahead), ReadPosition(base=first)

        self._take(rest(), take, done, 0)
        self._earlier, self._pages = self._documents, 0
        self._place = ReadPosition(base=self._earlier)

    def add_pages(self, batches: Iterable[tuple[PageBatch, ReadPosition]], done: Callable[[int], None]) -> None:
        """Take in what a reader gives, each batch with the place behind it."""

        def take(item: tuple[PageBatch, ReadPosition]) -> _Taken:
            batch, place = item
            taken = _Taken(place, batch.rejects)
            if batch.pages.num_rows:
                taken.documents, taken.rows = documents_of(batch.pages, segmented=self._config.text.segment)
                self._print(taken)
            return taken

        self._take(joined(batches, self._config.run.batch_rows), take, done, self._earlier)

    def corpus(self) -> Corpus:
        """All that was taken in."""
        if self._texts is not None and self._file is not None:
            self._texts.close()
        if self._parts is not None and not self._parts.is_read:
            self._end_part(is_last=True)
        rejects = pa.Table.from_batches(self._rejects, schema=REJECTS)
        if self._parts is not None:
            texts = self._parts.texts() if self._config.run.keep_texts else None
        else:
            texts = self._texts.finish() if self._texts is not None else None
        if not self._tables:
            prints = fingerprint(pa.array([], pa.large_string()), pa.array([], pa.string()), self._config)
            documents, leads = TEXTS.empty_table().drop(["text"]), pa.chunked_array([], pa.large_string())
            return Corpus(documents, leads, prints, texts, rejects, rejects.num_rows, 0)
        documents, leads = pa.concat_tables(self._tables).combine_chunks(), pa.chunked_array(self._leads)
        pages = self._pages + rejects.num_rows
        corpus = Corpus(documents, leads, self._piles.joined(), texts, rejects, pages, self._earlier)
        corpus = _without_double_ids(corpus, np.concatenate(self._numbers), self._spill)
        if self._spill.spilled and len(corpus.leads):
            corpus.leads = _set_aside(corpus.leads, self._spill)
        return corpus

    def _print(self, taken: _Taken) -> _Taken:
        documents = taken.documents
        taken.prints = fingerprint(documents.column("text"), documents.column("title"), self._config)
        # Leads are read by stories only.
        taken.lead = _leads(documents) if self._config.stories.enabled else pa.nulls(0, pa.large_string())
        return taken

    def _take(self, batches: Iterable[Any], take: Callable[[Any], _Taken], done: Callable[[int], None], before: int) -> None:
        for taken in map_batches(take, batches, self._threads):
            full = self._add(taken)
            self._place = taken.place
            done(self._documents - before)
            if full:
                self._end_part()

    def _add(self, taken: _Taken) -> bool:
        """Take in a batch; the answer is whether a part should end with it."""
        if taken.rejects is not None:
            self._rejects.append(taken.rejects)
        if taken.prints is None or taken.rows is None:
            return False
        if self._texts is not None:
            self._texts.add(taken.documents)
        self._tables.append(taken.documents.drop(["text"]))
        self._leads.append(taken.lead)
        self._piles.add(taken.prints)
        self._numbers.append(taken.rows + self._earlier + self._pages)
        self._pages += int(taken.rows[-1]) + 1
        self._documents += len(taken.rows)
        if self._parts is None:
            return False
        self._counts.append(counts_of(taken.prints))
        return self._parts.add_texts(taken.documents)

    def _end_part(self, *, is_last: bool = False) -> None:
        """Make safe what was taken in since the last part."""
        if self._parts is None:
            return
        (tables, rejects), saved = self._ended, {}
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
        self._ended = [len(self._tables), len(self._rejects)]
        facts = {"documents": self._documents, "earlier": self._earlier, "pages": self._pages}
        self._parts.finish(saved, facts, self._place, last=self._file if is_last else None, is_last=is_last)

    def _resume(self, number: int, tables: dict[str, Any], facts: dict[str, int]) -> None:
        """Take in a part as it was left."""
        if self._parts is None:
            return
        self._documents, self._earlier, self._pages = facts["documents"], facts["earlier"], facts["pages"]
        if "documents" in tables:
            counts = {name: array_of(tables["counts"].column(name)) for name in tables["counts"].column_names}
            counts["digests"] = np.stack([counts.pop("digests"), counts.pop("digests_2")], axis=1)
            self._numbers.append(counts.pop("pages"))
            self._piles.resume(counts)
            self._tables.append(tables["documents"])
            self._leads.append(tables["leads"].column("lead").combine_chunks())
        if "rejects" in tables:
            self._rejects += tables["rejects"].to_batches()
        self._ended = [len(self._tables), len(self._rejects)]
        if self._texts is not None:
            for texts in self._parts.texts_of(number):
                self._texts.add(texts)


def _counts_table(counts: list[dict[str, Any]], pages: Ints) -> Any:
    """What fingerprints count of documents, and the numbers of their pages, as a table."""
    columns = {name: np.concatenate([item[name] for item in counts]) for name in counts[0]}
    digests = columns.pop("digests")
    return pa.table({**columns, "digests": digests[:, 0], "digests_2": digests[:, 1], "pages": pages})


def _set_aside(texts: Any, spill: SpillPool) -> Any:
    """The same texts in a file: of all that stays of a document its lead is the largest part, and it is read last."""
    pile, lengths = spill.pile(np.uint8), []
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        data, offsets = text_rows(chunk)
        pile.add(data[offsets[0] : offsets[-1]])
        lengths.append(np.diff(offsets))
    return text_array(pile.array(), row_offsets(np.concatenate(lengths)))


def _leads(documents: Any) -> Any:
    """Title and first characters of each document."""
    text = pa.large_string()
    titles = pc.utf8_slice_codeunits(pc.fill_null(documents.column("title").cast(text), pa.scalar("", text)), 0, LEAD_CHARACTERS)
    starts = pc.utf8_slice_codeunits(documents.column("text"), 0, LEAD_CHARACTERS)
    starts = pc.if_else(pc.equal(documents.column("role"), "headline"), pa.scalar("", text), starts)
    joined = pc.binary_join_element_wise(titles, starts, pa.scalar("\n", text))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _without_double_ids(corpus: Corpus, page_numbers: Ints, spill: SpillPool) -> Corpus:
    """Give each document an id of its own, or reject its page."""
    documents, kept, rejects = resolve_ids(corpus.documents, corpus.prints.digests, page_numbers, corpus.earlier)
    if documents is corpus.documents and kept.all():
        return corpus
    texts = chosen(corpus.texts, kept, spill.folder, ids=documents.column("doc_id")) if corpus.texts is not None else None
    if kept.all():
        return replace(corpus, documents=documents, texts=texts)
    rows = np.flatnonzero(kept)
    return Corpus(
        documents.take(pa.array(rows)).combine_chunks(),
        corpus.leads.take(pa.array(rows)) if len(corpus.leads) else corpus.leads,
        choose(corpus.prints, rows, spill),
        texts,
        pa.concat_tables([corpus.rejects, rejects]).combine_chunks(),
        corpus.pages,
        corpus.earlier,
    )

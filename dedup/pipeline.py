"""The order of the stages, from inputs to results.

    pages -> documents -> fingerprints -> copies -> stories -> tables

Pages are read in batches and forgotten once they are fingerprinted; what stays in memory are the arrays of
``fingerprint.py`` and the columns that the results repeat.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .background import background
from .buffers import filter_rows, take_rows
from .canonicals import precedence
from .config import Config
from .copies import Copies
from .copies import find_copies as find
from .documents import documents_of
from .errors import ConfigError
from .fingerprint import FingerprintPiles, Fingerprints, choose, fingerprint
from .readers import Batch, ReadLog, read_data, read_files
from .recall import measure_recall, sample_size
from .result import Result
from .schema import KINDS, REJECTS, SCHEMA_VERSION, TEXTS
from .spill import Spill
from .stories import cluster
from .storybook import tell
from .tables import documents_table, matches_table
from .texts import deciding_words, stop_words, term_hashes
from .threads import map_batches, thread_count
from .vectors import vectorize, without_terms
from .version import __version__

Ints = npt.NDArray[np.int64]
#: Called as ``progress(stage, done)`` with the rows that a stage has done so far.
Progress = Callable[[str, int], None]
#: Characters of a text that are kept after fingerprinting, to find the written form of keywords in.
LEAD_CHARACTERS = 1000
#: Share of the allowed memory that fingerprints may take before they go to files; the rest is for what stages work with.
SPILLED_FROM = 0.2


@dataclass(eq=False)
class Corpus:
    """All documents of a run: the columns that results repeat, leads, and fingerprints."""

    documents: Any
    leads: Any
    prints: Fingerprints
    rejects: Any
    pages: int


@dataclass
class Clock:
    """Seconds and rows of each stage, in the order in which they ran."""

    progress: Progress | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int], None]]:
        """Time a stage; what is yielded takes the number of rows done so far."""
        begun = time.perf_counter()
        entry: dict[str, Any] = {"stage": name, "seconds": 0.0, "rows": 0}

        def done(rows: int) -> None:
            entry["rows"] = int(rows)
            if self.progress:
                self.progress(name, int(rows))

        done(0)
        yield done
        entry["seconds"] = round(time.perf_counter() - begun, 4)
        self.stages.append(entry)


def run(inputs: Any, config: Config | None = None, *, progress: Progress | None = None) -> Result:
    """Find copies and stories in a crawl.

    Where every row was rejected the tables are empty and ``rejects`` says why.

    Parameters
    ----------
    inputs : a path, a glob or a list of them; or a table: anything with the Arrow PyCapsule interface (pyarrow,
        polars, pandas, duckdb), or an iterable of mappings
    config : settings; the defaults if left out
    progress : called with the name of a stage and the rows done

    Raises
    ------
    InputError
        If an input is missing, has no column that can be used, or all files together hold no row.
    ConfigError
        If ``signatures.scheme`` is not ``native``.
    """
    config = config or Config()
    if config.signatures.scheme != "native":
        raise ConfigError(
            f"signatures.scheme is {config.signatures.scheme!r}, but a run keeps no signatures and makes its own with 'native'. "
            "Leave it out, or call dedup.sign() for signatures that datasketch can use."
        )
    with Spill(int(_memory(config) * SPILLED_FROM)) as spill:
        return _run(inputs, config, Clock(progress), spill)


def _run(inputs: Any, config: Config, clock: Clock, spill: Spill) -> Result:
    log = ReadLog()
    threads = thread_count(config.run.threads)
    corpus = _read(inputs, config, log, clock, spill, threads)
    headline = pc.equal(corpus.documents.column("role"), "headline").to_numpy(zero_copy_only=False)
    ranks = precedence(corpus.documents, corpus.prints.words)
    with clock.stage("copies") as done:
        copies = find(
            corpus.prints, headline, ranks, config, times=_seconds(corpus), sources=_source_codes(corpus), spill=spill, threads=threads
        )
        done(len(ranks))
    recall = None
    if sample_size(config):
        with clock.stage("recall") as done:
            prints, compared = corpus.prints, ~headline & ~copies.short
            recall = measure_recall(
                prints.shingles, prints.digests, compared, copies.matches, config, threads=threads, release=spill.release
            )
            done(recall["sampled"])
    story_ids, stories = pa.nulls(len(ranks), pa.string()), None
    if config.stories.enabled:
        with clock.stage("stories") as done:
            book = _stories(corpus, copies, headline, config, threads)
            stories = book.stories
            story_ids = stories.column("story_id").take(pa.array(book.story_of)).combine_chunks()
            done(stories.num_rows)
    documents = documents_table(corpus.documents, corpus.prints.words, copies, story_ids)
    matches = matches_table(corpus.documents.column("doc_id"), copies)
    manifest = _manifest(config, log, clock, corpus, copies, documents, stories) | {"recall": recall}
    return Result(documents, matches, stories, corpus.rejects, manifest)


def find_copies(inputs: Any, config: Config | None = None, *, progress: Progress | None = None) -> Result:
    """Find copies only: as ``run``, but the story columns are null and there is no table of stories."""
    return run(inputs, (config or Config()).replace({"stories.enabled": False}), progress=progress)


def _read(inputs: Any, config: Config, log: ReadLog, clock: Clock, spill: Spill, threads: int) -> Corpus:
    rejects: list[Any] = []

    def pages_of(batches: Iterable[Batch]) -> Iterator[Any]:
        for batch in batches:
            rejects.append(batch.rejects)
            if batch.pages.num_rows:
                yield batch.pages

    def read_batch(pages: Any) -> tuple[Any, Any, Fingerprints, Ints]:
        documents, page_rows = documents_of(pages, segmented=config.text.segment)
        prints = fingerprint(documents.column("text"), documents.column("title"), config)
        # Leads are read by stories only.
        lead = _leads(documents) if config.stories.enabled else pa.nulls(0, pa.large_string())
        return documents.drop(["text"]), lead, prints, page_rows

    tables, leads, page_numbers = [], [], []
    piles = FingerprintPiles(spill)
    n_pages = n_documents = 0
    batches = read_files(_paths(inputs), config=config, log=log) if _paths(inputs) else read_data(inputs, config=config, log=log)
    with clock.stage("read") as done:
        for documents, lead, print_, page_rows in map_batches(read_batch, pages_of(batches), threads):
            tables.append(documents)
            leads.append(lead)
            piles.add(print_)
            page_numbers.append(page_rows + n_pages)
            n_pages += int(page_rows[-1]) + 1
            n_documents += len(page_rows)
            done(n_documents)
    rejected = pa.Table.from_batches(rejects, schema=REJECTS)
    if not tables:
        print_ = fingerprint(pa.array([], pa.large_string()), pa.array([], pa.string()), config)
        return Corpus(TEXTS.empty_table().drop(["text"]), pa.chunked_array([], pa.large_string()), print_, rejected, rejected.num_rows)
    corpus = Corpus(
        pa.concat_tables(tables).combine_chunks(), pa.chunked_array(leads), piles.joined(), rejected, n_pages + rejected.num_rows
    )
    return _without_double_ids(corpus, np.concatenate(page_numbers), spill)


def _paths(inputs: Any) -> list[str | os.PathLike[str]]:
    """The inputs as a list of paths, or an empty list if they are data."""
    if isinstance(inputs, str | os.PathLike):
        return [inputs]
    if isinstance(inputs, Sequence) and inputs and all(isinstance(item, str | os.PathLike) for item in inputs):
        return list(inputs)
    return []


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
    pages = page_numbers[double]
    seen = corpus.documents.select(["doc_id", "input_file", "input_row"])
    here, there = seen.take(pa.array(double)).to_pylist(), seen.take(pa.array(holders)).to_pylist()
    rows = [
        {
            "input_file": row["input_file"],
            "input_row": row["input_row"],
            "reason": "duplicate_id",
            "detail": f"id {row['doc_id']!r} was already used in {other['input_file']}, row {other['input_row']}. "
            "Name another column with --input.id, or give 'none' to number the pages by file and row.",
        }
        for row, other in zip(here, there, strict=True)
    ]
    kept = np.flatnonzero(~np.isin(page_numbers, pages))
    rejects = pa.concat_tables([corpus.rejects, pa.Table.from_pylist(rows, schema=REJECTS)]).combine_chunks()
    return Corpus(
        corpus.documents.take(pa.array(kept)).combine_chunks(),
        corpus.leads.take(pa.array(kept)) if len(corpus.leads) else corpus.leads,
        choose(corpus.prints, kept, spill),
        rejects,
        corpus.pages,
    )


def _stories(corpus: Corpus, copies: Copies, headline: npt.NDArray[np.bool_], config: Config, threads: int) -> Any:
    rows = np.flatnonzero(copies.canonical == np.arange(len(copies.canonical)))
    # The text of a headline is its title: it counts once.
    texts, offsets = take_rows(*corpus.prints.terms, rows)
    bodies = filter_rows(texts, offsets, np.repeat(~headline[rows], np.diff(offsets)))
    titles = without_terms(take_rows(*corpus.prints.title_terms, rows), term_hashes(deciding_words() & stop_words()))
    shingles, offsets = take_rows(*corpus.prints.title_shingles, rows)
    letters = filter_rows(shingles, offsets, np.repeat(headline[rows], np.diff(offsets)))
    vectors = vectorize(titles, bodies, letters, background(), config.stories)
    times = _seconds(corpus)[rows]
    labels = cluster(vectors.matrix, times, headline[rows], config.stories, threads=threads)
    return tell(corpus.documents, corpus.leads, vectors, rows, labels, copies.canonical)


def _seconds(corpus: Corpus) -> npt.NDArray[np.float64]:
    """Times of publication in seconds, NaN where unknown."""
    times: npt.NDArray[np.float64] = (
        corpus.documents.column("published").cast(pa.int64()).to_numpy(zero_copy_only=False).astype(float) / 1e6
    )
    return times


def _source_codes(corpus: Corpus) -> Ints:
    """A number for each outlet, -1 where it is unknown."""
    encoded = corpus.documents.column("source").combine_chunks().dictionary_encode()
    codes: Ints = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _manifest(config: Config, log: ReadLog, clock: Clock, corpus: Corpus, copies: Copies, documents: Any, stories: Any) -> dict[str, Any]:
    kinds = pc.value_counts(documents.column("kind").drop_null()).to_pylist()
    roles = {item["values"]: item["counts"] for item in pc.value_counts(documents.column("role")).to_pylist()}
    copies_by_kind = {kind: sum(item["counts"] for item in kinds if item["values"] == kind) for kind in KINDS[:-1]}
    pages = pc.count_distinct(documents.column("page_id")).as_py()
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "config": config.to_dict(),
        "config_digest": config.digest(),
        "inputs": log.inputs,
        "counts": {
            "pages": corpus.pages,
            "pages_with_documents": pages,
            "rejects": corpus.rejects.num_rows,
            "documents": documents.num_rows,
            "documents_by_role": dict(sorted(roles.items())),
            "copies": int(np.count_nonzero(copies.canonical != np.arange(documents.num_rows))),
            "copies_by_kind": copies_by_kind,
            "matches": len(copies.matches),
            "stories": stories.num_rows if stories is not None else None,
            **copies.counts,
        },
        "stages": clock.stages,
        "peak_memory_bytes": _peak_memory(),
        "warnings": log.warnings(),
    }


def _memory(config: Config) -> int:
    """Bytes that a run may take: as set, else half of what the machine has."""
    if config.run.memory:
        return config.run.memory << 20
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return 4 << 30


def _peak_memory() -> int | None:
    """The most memory that this process has held, in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

"""Reads files or data in memory into batches of pages and rejects, in bounded memory.

To add a format: write a function ``(Source, Config, FileLog) -> Iterator[Block]`` and register it
in ``READERS`` by suffix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..config import Config
from ..errors import InputError
from ..storage.remote import display_url
from .batches import Block, PageBatch, Reject, join_batches, reject_batch, to_batches
from .csv import read_csv, read_tsv
from .discovery import find_files
from .html.files import read_html
from .jsonl import read_json, read_jsonl
from .log import FileLog, ReadLog
from .memory import MEMORY, read_memory
from .parquet import read_parquet
from .source import BROKEN, BombError, Source
from .text import read_text
from .warc.reader import read_warc

__all__ = [
    "READERS",
    "PageBatch",
    "FileLog",
    "ReadLog",
    "Reader",
    "Source",
    "discover",
    "join_batches",
    "paths_of",
    "read_data",
    "read_files",
]

#: Reads one file. Yields the rows that it has read before it raises an error of ``source.BROKEN``:
#: that ends the file with one reject, and the run continues with the next file. Raises InputError
#: if the input as a whole is unusable.
Reader = Callable[[Source, Config, FileLog], Iterator[Block]]

_PLAIN_SUFFIXES: dict[str, Reader] = {".parquet": read_parquet, ".pq": read_parquet}
_STREAM_SUFFIXES: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".warc": read_warc,
    ".wet": read_warc,
}
#: Suffix, including that of the compression -> reader.
READERS: dict[str, Reader] = _PLAIN_SUFFIXES | {
    suffix + compression: reader for suffix, reader in _STREAM_SUFFIXES.items() for compression in ("", ".gz", ".zst")
}


def paths_of(inputs: Any) -> list[str | os.PathLike[str]]:
    """The inputs as a list of paths; empty if they are data in memory."""
    if isinstance(inputs, str | os.PathLike):
        return [inputs]
    if isinstance(inputs, Sequence) and inputs and all(isinstance(item, str | os.PathLike) for item in inputs):
        return list(inputs)
    return []


def discover(inputs: Sequence[str | os.PathLike[str]], *, log: ReadLog | None = None) -> list[Source]:
    """Find the files of some inputs, in the order in which they are read, without opening any.

    Parameters
    ----------
    inputs : files, folders (recursive) and globs (``**`` too)
    log : receives warnings about skipped files

    Raises
    ------
    InputError
        If an input is missing, has an unknown suffix or contains no readable file. One message
        lists all problems.
    """
    return find_files(inputs, suffixes=READERS, log=log if log is not None else ReadLog())


def read_files(
    inputs: Sequence[str | os.PathLike[str]],
    *,
    config: Config,
    log: ReadLog,
    first: int = 0,
    opened: Callable[[int], None] | None = None,
) -> Iterator[PageBatch]:
    """Read files, folders and globs.

    Parameters
    ----------
    inputs : files, folders (recursive) and globs (``**`` too)
    config : ``input.*`` names columns; ``run.batch_rows`` limits the rows of a batch and changes
        nothing else
    log : filled while reading
    first : number of the file to begin with; ``log`` must be in the state that it had when that
        file was reached
    opened : called with the number of each file before the file is read

    Returns
    -------
    batches in input order
        A file that cannot be read, or is damaged part way through, gives a row of ``rejects``.

    Raises
    ------
    InputError
        Immediately if an input is missing; while reading if a file has no usable column; at the end
        if there is neither a page nor a reject.
    """
    sources = discover(inputs, log=log)
    given = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    return _batches_of_files(sources, [display_url(item) for item in given], config, log, first, opened or (lambda number: None))


def read_data(data: Any, *, config: Config, log: ReadLog) -> Iterator[PageBatch]:
    """Read a table or rows in memory.

    Parameters
    ----------
    data : any object with ``__arrow_c_stream__`` or ``__arrow_c_array__`` (a table of pyarrow,
        polars, pandas or duckdb), or an iterable of mappings
    config : the settings ``input.*`` and ``run.batch_rows``
    log : filled while reading

    Returns
    -------
    batches in the order of the data; ``input_file`` is ``<memory>``

    Raises
    ------
    InputError
        Immediately if the data is of another type; while reading if it has no usable column; at the
        end if it has no row.
    """
    file_log = FileLog(log, MEMORY)
    return _batches_of_data(read_memory(data, config, file_log), config, file_log)


def _batches_of_files(
    sources: Sequence[Source], inputs: Sequence[str], config: Config, log: ReadLog, first: int, opened: Callable[[int], None]
) -> Iterator[PageBatch]:
    before = 0 if first else log.pages + log.rejects
    for number, source in enumerate(sources[first:], first):
        opened(number)
        file_log = FileLog(log, source.name)
        yield from _batches_of_file(source, config, file_log)
        if not file_log.pages and not file_log.rejects:
            file_log.warn("no page in it" if file_log.records else "no rows in it")
        file_log.close(size=source.size(), sha256=source.sha256(), etag=source.etag)
    if log.pages + log.rejects == before and log.skipped:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in log.skipped.most_common(10))
        raise InputError(f"no pages found: no record of the crawl is a page ({counts}), but at least one is needed. Check the inputs.")
    if log.pages + log.rejects == before:
        listed = ", ".join(inputs[:10]) + (", ..." if len(inputs) > 10 else "")
        raise InputError(f"no pages found in {listed}: all files are empty, but at least one row is needed. Check the inputs.")


def _batches_of_file(source: Source, config: Config, log: FileLog) -> Iterator[PageBatch]:
    reader = READERS[source.suffix + source.compression]
    blocks = reader(source, config, log)
    while True:
        # Only the reader's own work is in the try: an error of the consumer, or of this package,
        # must not become a reject.
        try:
            block = next(blocks, None)
        except BROKEN as error:
            started = log.pages + log.rejects > 0
            rows = f" after {log.pages + log.rejects:,} rows" if started else ""
            reason = "bomb" if isinstance(error, BombError) else "truncated_file" if started else "unreadable_file"
            reject = Reject(None, reason, source.explain(error) + rows)
            log.count_rows(0, 1)
            yield reject_batch(log.file, [reject])
            return
        if block is None:
            return
        yield from to_batches(block, config, log)


def _batches_of_data(blocks: Iterator[Block], config: Config, log: FileLog) -> Iterator[PageBatch]:
    for block in blocks:
        yield from to_batches(block, config, log)
    log.close(size=None, sha256=None)
    if not log.pages and not log.rejects:
        raise InputError("no pages found in the data: it has no rows, but at least one is needed. Check the query that made it.")

"""``dedup index check`` and ``ingest``: reads pages as they arrive and writes their verdicts."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..config import Config
from ..errors import InputError, OutputError
from ..storage.files import os_errors_as, written_aside
from ..storage.remote import is_url

if TYPE_CHECKING:
    from ..readers import PageBatch, ReadLog

logger = logging.getLogger(__name__)

#: The input that stands for JSON lines on stdin.
STDIN = "-"
#: Page column -> field of ``Index.check_batch``.
_FIELDS = {"page_id": "id", "title": "title", "text": "text", "published": "published", "source": "source", "url": "url"}
#: Rows collected before they are written to a Parquet file.
_BUFFER_ROWS = 1 << 14


class VerdictOutput(Protocol):
    """A destination of verdicts."""

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write rows of ``schema.VERDICTS`` plus ``input_file``, the rows of a page together."""

    def close(self) -> None:
        """Finish the output."""


class LinesOutput:
    """JSON lines, one per page or reject, in UTF-8 whatever the locale.

    Parameters
    ----------
    out : file name of ``stream``; None for stdout, which stays open
    """

    def __init__(self, stream: Any, out: str | None = None) -> None:
        self._stream, self._out = stream, out

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write and flush, so that the reader sees the verdicts at once."""
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in page_verdicts(rows))
        with _writing(self._out or "stdout"):
            self._stream.write(text.encode("utf-8", "replace"))
            self._stream.flush()

    def close(self) -> None:
        """Close the file, but not stdout."""
        if self._out is not None:
            with contextlib.suppress(OSError):  # all that was written was flushed, or its failure reported
                self._stream.close()


class ParquetOutput:
    """A Parquet file, which gets its name when it is closed."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from ..schema import VERDICTS

        self._path, self._schema = path, pa.schema([pa.field("input_file", pa.string()), *VERDICTS])
        with ExitStack() as stack:
            self._writer = pq.ParquetWriter(os.fspath(stack.enter_context(written_aside(path))), self._schema, compression="zstd")
            self._placing = stack.pop_all()
        self._buffer: list[dict[str, Any]] = []

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Collect rows, and write them when there are enough."""
        self._buffer += rows
        if len(self._buffer) >= _BUFFER_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the rest of the file and rename it."""
        with _writing(str(self._path)), self._placing:
            self._flush()
            self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        rows, self._buffer = self._buffer, []
        with _writing(str(self._path)):
            self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))


def _writing(name: str) -> AbstractContextManager[None]:
    """Wrap all writing; a broken pipe passes, because a reader that has enough is no failure."""
    message = "verdicts cannot be written ({}). Free some space, or choose another --out."
    return os_errors_as(OutputError, lambda why: f"{name}: {message.format(why)}", unless=BrokenPipeError)


def open_output(out: str | None, *, overwrite: bool) -> VerdictOutput:
    """Open stdout, or a file whose suffix decides the format.

    Raises
    ------
    OutputError
        If the file exists already, or cannot be created.
    """
    if out is None:
        if sys.stdout is None:
            raise OutputError("stdout is closed, so verdicts cannot be written. Open it, or add --out.")
        return LinesOutput(sys.stdout.buffer)
    path = Path(out)
    if is_url(out):
        raise OutputError(f"{out}: verdicts need a local file. Copy it to the object store afterwards.")
    if path.suffix not in (".parquet", ".jsonl"):
        raise OutputError(f"{out}: verdicts are written as .parquet or .jsonl. Use one of these suffixes.")
    if path.is_dir() or (path.exists() and not overwrite):
        problem = "is a folder. Name a file" if path.is_dir() else "exists. Choose another file, or add --overwrite to replace it"
        raise OutputError(f"{out}: {problem}.")
    with os_errors_as(OutputError, lambda why: f"{out}: cannot be written ({why}). Choose another file."):
        if path.suffix == ".parquet":
            return ParquetOutput(path.absolute())
        file = open(path, "wb")  # noqa: SIM115 - ``LinesOutput`` closes it
    return LinesOutput(file, out)


def read_batches(inputs: Sequence[str], config: Config, log: ReadLog) -> Iterator[PageBatch]:
    """Read pages from files, or from stdin as they arrive."""
    from ..readers import read_files
    from ..readers.streams import read_stream

    if STDIN in inputs:
        if sys.stdin is None:
            raise InputError("stdin is closed, but the input is -. Pipe documents into it, or name a file.")
        return read_stream(sys.stdin.buffer, config, log)
    return read_files(list(inputs), config=config, log=log)


def write_verdicts(
    batches: Iterator[PageBatch], ask: Callable[[Any], Any], output: VerdictOutput, progress: Callable[[int], None]
) -> Counter[str]:
    """Ask the index for verdicts and write them, batch by batch.

    Parameters
    ----------
    ask : ``Index.check_batch`` or ``Index.ingest_batch``

    Returns
    -------
    Documents per action, and the rejects under ``reject``.
    """
    counts: Counter[str] = Counter()
    for batch in batches:
        rows = verdicts_of(batch, ask)
        counts.update(row["action"] for row in rows)
        output.write(rows)
        progress(counts.total())
    return counts


def verdicts_of(batch: PageBatch, ask: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Rows of ``schema.VERDICTS`` plus ``input_file``, rejects included, in input order."""
    import pyarrow as pa

    from ..schema import VERDICTS

    pages, rows = batch.pages, []
    if pages.num_rows:
        places = pages.column("input_row").to_pylist()
        files = pages.column("input_file").to_pylist()
        rows = ask(pa.table({field: pages.column(name) for name, field in _FIELDS.items()})).to_pylist()
        for row in rows:
            at = row["input_row"]
            row["input_file"], row["input_row"] = files[at], places[at]
    empty = dict.fromkeys(VERDICTS.names) | {"action": "reject"}
    for reject in batch.rejects.to_pylist():
        place = {name: reject[name] for name in ("input_file", "input_row")}
        rows.append(empty | place | {"reason": f"{reject['reason']}: {reject['detail']}"})
    # A stable sort keeps the documents of a page together. Rejects of a whole file follow its rows.
    return sorted(rows, key=lambda row: (row["input_row"] is None, row["input_row"] or 0))


def page_verdicts(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Nest the verdicts of each page like ``Verdict.to_dict``, with input file and row."""
    from ..index.verdict import verdict_dict

    page: dict[str, Any] | None = None
    for row in rows:
        if page is not None and row["page_id"] is not None and _page_of(row) == _page_of(page):
            page["parts"].append(verdict_dict(row))
            continue
        if page is not None:
            yield page
        page = {"input_file": row["input_file"], "input_row": row["input_row"]} | verdict_dict(row)
    if page is not None:
        yield page


def _page_of(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["input_file"], row["input_row"], row["page_id"]


def log_counts(counts: Counter[str], *, ingested: bool) -> None:
    """Log the number of documents per action."""
    documents = counts.total() - counts["reject"]
    event = {"event": "verdicts_finished", "documents": documents, "rejects": counts["reject"]}
    event |= {action: counts[action] for action in ("index", "skip", "update")}
    logger.info("%d documents were %s", documents, "ingested" if ingested else "checked", extra=event)


def print_counts(counts: Counter[str], warnings: Sequence[str], *, ingested: bool) -> None:
    """Print the counts and warnings to stderr if it is a terminal, and the rejects in any case."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    documents = counts.total() - counts["reject"]
    if console.is_terminal:
        each = ", ".join(f"{counts[action]:,} {action}" for action in ("index", "skip", "update"))
        console.print(f"{documents:,} document{'' if documents == 1 else 's'} {'ingested' if ingested else 'checked'}: {each}.")
        for warning in warnings:
            console.print(f"Warning: {warning}", style="yellow", soft_wrap=True)
    if counts["reject"]:
        console.print(f"{rejects_text(counts['reject'])} rejected; see 'reason' in their verdicts.", soft_wrap=True)


def rejects_text(count: int) -> str:
    """The beginning of a sentence on rejects."""
    return f"{count:,} {'row or file was' if count == 1 else 'rows or files were'}"


@contextlib.contextmanager
def stop_at_closed_pipe() -> Iterator[list[bool]]:
    """End the block quietly when the reader of stdout closes the pipe; fills the list then."""
    from .terminal import discard_stdout

    closed: list[bool] = []
    try:
        yield closed
    except BrokenPipeError:
        closed.append(True)
        discard_stdout()

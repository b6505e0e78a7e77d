"""What ``dedup index check`` and ``ingest`` do: read documents while they come, ask the index, write verdicts while they are given."""

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

#: The input that is JSON lines on stdin.
STDIN = "-"
#: Columns of pages as ``Index.check_batch`` takes them.
_PARTS = {"page_id": "id", "title": "title", "text": "text", "published": "published", "source": "source", "url": "url"}
#: Rows that wait until they are written to a Parquet file.
_HELD = 1 << 14


class Written(Protocol):
    """Where verdicts go."""

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write rows of ``schema.VERDICTS`` with ``input_file``, those of a page together, its article first."""

    def close(self) -> None:
        """Put what was written in its place."""


class Lines:
    """A JSON object a line for each page and each reject, in UTF-8 whatever the locale says.

    Parameters
    ----------
    out : name of the file that ``stream`` is; None of stdout, which stays open
    """

    def __init__(self, stream: Any, out: str | None = None) -> None:
        self._stream, self._out = stream, out

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write and flush, so that whoever reads can go on."""
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines_of(rows))
        with _writing(self._out or "stdout"):
            self._stream.write(text.encode("utf-8", "replace"))
            self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            with contextlib.suppress(OSError):  # all that was written was flushed, or its failure reported
                self._stream.close()


class Table:
    """A Parquet file: written aside, and there under its name when it is closed."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from ..schema import VERDICTS

        self._path, self._schema = path, pa.schema([pa.field("input_file", pa.string()), *VERDICTS])
        with ExitStack() as stack:
            self._writer = pq.ParquetWriter(os.fspath(stack.enter_context(written_aside(path))), self._schema, compression="zstd")
            self._placing = stack.pop_all()
        self._held: list[dict[str, Any]] = []

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Hold rows until they are worth writing."""
        self._held += rows
        if len(self._held) >= _HELD:
            self._flush()

    def close(self) -> None:
        """Write the end of the file and give it its name."""
        with _writing(str(self._path)), self._placing:
            self._flush()
            self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        held, self._held = self._held, []
        with _writing(str(self._path)):
            self._writer.write_table(pa.Table.from_pylist(held, schema=self._schema))


def _writing(name: str) -> AbstractContextManager[None]:
    """Around all writing of verdicts; a broken pipe passes, for a reader that has enough is no failure."""
    message = "verdicts cannot be written ({}). Free some space, or choose another --out."
    return os_errors_as(OutputError, lambda why: f"{name}: {message.format(why)}", unless=BrokenPipeError)


def open_written(out: str | None, *, overwrite: bool) -> Written:
    """Where verdicts go: stdout, or a file by its suffix.

    Raises
    ------
    OutputError
        If the file is there already, or cannot be made.
    """
    if out is None:
        if sys.stdout is None:
            raise OutputError("stdout: is closed, and verdicts are written there. Open it, or give --out.")
        return Lines(sys.stdout.buffer)
    path = Path(out)
    if is_url(out):
        raise OutputError(f"{out}: verdicts are written to a file on this machine; copy it to an object store afterwards.")
    if path.suffix not in (".parquet", ".jsonl"):
        raise OutputError(f"{out}: verdicts are written as .parquet or .jsonl. Give the file one of these suffixes.")
    if path.is_dir() or (path.exists() and not overwrite):
        what = "is a folder. Name a file" if path.is_dir() else "is there already. Choose another file, or give --overwrite to replace it"
        raise OutputError(f"{out}: {what}.")
    with os_errors_as(OutputError, lambda why: f"{out}: cannot be written ({why}). Choose another file."):
        if path.suffix == ".parquet":
            return Table(path.absolute())
        file = open(path, "wb")  # noqa: SIM115 - ``Lines`` closes it
    return Lines(file, out)


def batches_of(inputs: Sequence[str], config: Config, log: ReadLog) -> Iterator[PageBatch]:
    """Pages of files, or of stdin while they come."""
    from ..readers import read_files
    from ..readers.stream import read_stream

    if STDIN in inputs:
        if sys.stdin is None:
            raise InputError("stdin: is closed, and - stands for it. Give it documents, or name a file.")
        return read_stream(sys.stdin.buffer, config, log)
    return read_files(list(inputs), config=config, log=log)


def judge(batches: Iterator[PageBatch], ask: Callable[[Any], Any], written: Written, progress: Callable[[int], None]) -> Counter[str]:
    """Ask for verdicts batch by batch and write them; how many documents there were of each action, and ``reject``.

    Parameters
    ----------
    ask : ``Index.check_batch`` or ``Index.ingest_batch``
    """
    counts: Counter[str] = Counter()
    for batch in batches:
        rows = verdicts_of(batch, ask)
        counts.update(row["action"] for row in rows)
        written.write(rows)
        progress(counts.total())
    return counts


def verdicts_of(batch: PageBatch, ask: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Rows of ``schema.VERDICTS`` with ``input_file``, in the order of the input; what was rejected stands behind."""
    import pyarrow as pa

    from ..schema import VERDICTS

    pages, rows = batch.pages, []
    if pages.num_rows:
        places = pages.column("input_row").to_pylist()
        files = pages.column("input_file").to_pylist()
        rows = ask(pa.table({part: pages.column(name) for name, part in _PARTS.items()})).to_pylist()
        for row in rows:
            at = row["input_row"]
            row["input_file"], row["input_row"] = files[at], places[at]
    empty = dict.fromkeys(VERDICTS.names) | {"action": "reject"}
    for reject in batch.rejects.to_pylist():
        place = {name: reject[name] for name in ("input_file", "input_row")}
        rows.append(empty | place | {"reason": f"{reject['reason']}: {reject['detail']}"})
    # Stable: the documents of a page stay together. What is wrong with a file as a whole comes behind its rows.
    return sorted(rows, key=lambda row: (row["input_row"] is None, row["input_row"] or 0))


def lines_of(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Verdicts as ``Verdict.to_dict`` gives them, those of a page in one, with the place that the page came from."""
    from ..index.verdict import verdict_dict

    page: dict[str, Any] | None = None
    for row in rows:
        if page is not None and row["page_id"] is not None and _place(row) == _place(page):
            page["parts"].append(verdict_dict(row))
            continue
        if page is not None:
            yield page
        page = {"input_file": row["input_file"], "input_row": row["input_row"]} | verdict_dict(row)
    if page is not None:
        yield page


def _place(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["input_file"], row["input_row"], row["page_id"]


def log_counts(counts: Counter[str], *, ingested: bool) -> None:
    """Log how many documents there were of each action."""
    documents = counts.total() - counts["reject"]
    told = {"event": "verdicts_finished", "documents": documents, "rejects": counts["reject"]}
    told |= {action: counts[action] for action in ("index", "skip", "update")}
    logger.info("%d documents were %s", documents, "ingested" if ingested else "checked", extra=told)


def tell(counts: Counter[str], warnings: Sequence[str], *, ingested: bool) -> None:
    """Say on stderr, if it is a terminal, what there was; what was rejected in any case."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    documents = counts.total() - counts["reject"]
    if console.is_terminal:
        each = ", ".join(f"{counts[action]:,} {action}" for action in ("index", "skip", "update"))
        console.print(f"{documents:,} document{'' if documents == 1 else 's'} {'ingested' if ingested else 'checked'}: {each}.")
        for warning in warnings:
            console.print(f"Warning: {warning}", style="yellow", soft_wrap=True)
    if counts["reject"]:
        console.print(f"{rejects_of(counts['reject'])} rejected; 'reason' in their verdicts says why.", soft_wrap=True)


def rejects_of(count: int) -> str:
    """So many rejects, as a sentence begins."""
    return f"{count:,} {'row or file was' if count == 1 else 'rows or files were'}"


@contextlib.contextmanager
def silent_pipe() -> Iterator[list[bool]]:
    """Let a reader of stdout that has gone away be the end of what is inside, and no error; the list tells whether it was."""
    from .terminal import discard_stdout

    gone: list[bool] = []
    try:
        yield gone
    except BrokenPipeError:
        gone.append(True)
        discard_stdout()

"""Reads JSON lines from a pipe; yields a batch as soon as the input pauses.

The columns of each row are chosen from that row alone, so that results do not depend on timing; a
row without a usable key is rejected.
"""

from __future__ import annotations

import io
import os
import select
from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import Any, BinaryIO

import pyarrow.compute as pc

from ..config import Config
from ..errors import InputError
from .batches import BlockBuilder, PageBatch, Reject, made_ids, to_batches
from .columns import choose_columns, kinds_of_rows
from .jsonl import rows_of_lines
from .log import FileLog, ReadLog
from .mappings import Row
from .source import LineSplitter

#: The name of the standard input, where a file has its own.
STDIN = "<stdin>"
#: Most rows of a batch, however fast they come.
_BATCH_ROWS = 512
#: Most sets of keys whose columns are cached.
_CACHED_KINDS = 1000
#: Bytes read at a time.
_PIECE = 1 << 16


def read_stream(stream: BinaryIO, config: Config, log: ReadLog) -> Iterator[PageBatch]:
    """Read JSON lines as they come in.

    Parameters
    ----------
    stream : of bytes; if it has a file descriptor, nothing else may read from it
    config : the settings ``input.*`` and ``run.batch_rows``
    log : filled while reading

    Yields
    ------
    batches
        ``input_row`` is the number of the line; ``page_id`` is empty if the page has no id. A batch
        ends where the next line is not available yet.
    """
    feed, file_log = _LineFeed(stream), FileLog(log, STDIN)
    columns = _ColumnsOfRow(config, file_log)
    waiting: list[Row] = []
    for row in rows_of_lines(feed.lines()):
        waiting.append(row)
        if len(waiting) >= min(_BATCH_ROWS, config.run.batch_rows) or not feed.is_ready():
            yield from _batches_of_rows(waiting, columns, config, file_log)
            waiting = []
    if waiting:
        yield from _batches_of_rows(waiting, columns, config, file_log)
    file_log.close(size=None, sha256=None)


def _batches_of_rows(rows: list[Row], columns: _ColumnsOfRow, config: Config, log: FileLog) -> Iterator[PageBatch]:
    for parts, run in groupby(map(columns.values_of, rows), lambda item: item[0]):
        builder = BlockBuilder(parts, max_rows=config.run.batch_rows, log=log)
        for _, position, values, size in run:
            if isinstance(values, Reject):
                builder.reject(values)
            else:
                builder.add(position, values, size)
        for block in builder.take():
            for batch in to_batches(block, config, log):
                yield batch._replace(pages=_without_made_ids(batch.pages))


class _ColumnsOfRow:
    """Chooses the columns of each row from its own keys, with a cache."""

    def __init__(self, config: Config, log: FileLog) -> None:
        self._config, self._log = config, log
        self._known: dict[tuple[tuple[str, str], ...], dict[str, str] | str] = {}

    def values_of(self, row: Row) -> tuple[tuple[str, ...], int, list[Any] | Reject, int]:
        """(parts, position, values of the parts or the reject, size in bytes) of a row."""
        position, value, size = row
        if isinstance(value, Reject):
            return (), position, value, size
        kinds = kinds_of_rows([value])
        columns = self._columns(tuple(kinds.items()))
        if isinstance(columns, str):
            return (), position, Reject(position, "no_column", columns), size
        return tuple(columns), position, [value[name] for name in columns.values()], size

    def _columns(self, kinds: tuple[tuple[str, str], ...]) -> dict[str, str] | str:
        if kinds not in self._known:
            if len(self._known) >= _CACHED_KINDS:
                self._known.clear()
            try:
                self._known[kinds] = choose_columns(dict(kinds), self._config.input, self._log)
            except InputError as error:
                self._known[kinds] = str(error).removeprefix(f"{STDIN}: ")
        return self._known[kinds]


def _without_made_ids(pages: Any) -> Any:
    """Clear ids made from line numbers: tomorrow another row of the stream has the same."""
    made = made_ids(pages.column("input_file"), pages.column("input_row"))
    ids = pc.if_else(pc.equal(pages.column("page_id"), made), "", pages.column("page_id"))
    return pages.set_column(pages.schema.get_field_index("page_id"), pages.schema.field("page_id"), ids)


class _LineFeed:
    """The lines of a stream, and whether the next one is available without waiting."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._descriptor = stream, _descriptor_of(stream)
        self._lines: deque[bytes | None] = deque()
        self._rows = 0  # number of these lines that are not blank
        self._splitter, self._ended = LineSplitter(), False

    def lines(self) -> Iterator[bytes | None]:
        """The lines, without newline; None for a line of more than ``MAX_UNIT_BYTES``."""
        while self._lines or not self._ended:
            if not self._lines:
                self._read_piece()
                continue
            line = self._lines.popleft()
            self._rows -= _is_row(line)
            yield line

    def is_ready(self) -> bool:
        """Whether the next row, or the end, is available; blank lines are no rows."""
        while not self._rows and not self._ended:
            if not self._is_readable():
                return False
            self._read_piece()
        return True

    def _is_readable(self) -> bool:
        if self._descriptor is None:
            return True
        try:
            return bool(select.select([self._descriptor], [], [], 0)[0])
        except (OSError, ValueError):  # a system where only sockets can be polled: treat each line as the last one for now
            return False

    def _read_piece(self) -> None:
        data = self._stream.read(_PIECE) if self._descriptor is None else os.read(self._descriptor, _PIECE)
        self._ended = not data
        for line in self._splitter.rest() if self._ended else self._splitter.split(data):
            self._lines.append(line)
            self._rows += _is_row(line)


def _descriptor_of(stream: BinaryIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, io.UnsupportedOperation):
        return None


def _is_row(line: bytes | None) -> bool:
    return line is None or bool(line.strip())

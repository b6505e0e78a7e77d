"""JSON lines that arrive bit by bit, from a pipe for instance -> batches as soon as the input pauses.

Every row stands for itself: which key plays which part does not depend on other rows, and one without a key that can be used is a
reject, for those behind it may have one.
"""

from __future__ import annotations

import io
import os
import select
from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from ..config import Config
from ..errors import InputError
from .batches import BlockBuilder, PageBatch, Reject, to_batches
from .columns import choose_columns, kinds_of_rows
from .jsonl import rows_of_lines
from .log import FileLog, ReadLog
from .mappings import Row
from .source import LineSplitter

#: What the standard input is called where a file has its name.
STDIN = "<stdin>"
#: Rows that wait for others at most, however fast they come.
_ROWS = 512
#: Different sets of keys that are remembered.
_KINDS = 1000
_PIECE = 1 << 16


def read_stream(stream: BinaryIO, config: Config, log: ReadLog) -> Iterator[PageBatch]:
    """Read JSON lines while they arrive.

    Parameters
    ----------
    stream : bytes; if it has a file descriptor nothing else may read from it
    config, log : as for ``read_files``

    Returns
    -------
    batches; ``input_row`` is the number of the line, and a page without an id of its own has the empty id
        A batch ends where there is no further line to read without waiting for it.
    """
    feed, file_log = _Feed(stream), FileLog(log, STDIN)
    chooser = _Chooser(config, file_log)
    waiting: list[Row] = []
    for row in rows_of_lines(feed.lines()):
        waiting.append(row)
        if len(waiting) >= min(_ROWS, config.run.batch_rows) or not feed.is_ready():
            yield from _batches(waiting, chooser, config, file_log)
            waiting = []
    if waiting:
        yield from _batches(waiting, chooser, config, file_log)
    file_log.close(size=None, sha256=None)


def _batches(rows: list[Row], chooser: _Chooser, config: Config, log: FileLog) -> Iterator[PageBatch]:
    for parts, run in groupby(map(chooser.values_of, rows), lambda item: item[0]):
        builder = BlockBuilder(parts, max_rows=config.run.batch_rows, log=log)
        for _, position, values, size in run:
            if isinstance(values, Reject):
                builder.reject(values)
            else:
                builder.add(position, values, size)
        for block in builder.take():
            for batch in to_batches(block, config, log):
                yield batch._replace(pages=_without_made_ids(batch.pages))


class _Chooser:
    """Which key of a row plays which part: told of each row by itself, or it would depend on which others came at the same moment."""

    def __init__(self, config: Config, log: FileLog) -> None:
        self._config, self._log = config, log
        self._known: dict[tuple[tuple[str, str], ...], dict[str, str] | str] = {}

    def values_of(self, row: Row) -> tuple[tuple[str, ...], int, list[Any] | Reject, int]:
        """(parts, position, values of the parts or why there are none, bytes) of a row."""
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
            if len(self._known) >= _KINDS:
                self._known.clear()
            try:
                self._known[kinds] = choose_columns(dict(kinds), self._config.input, self._log)
            except InputError as error:
                self._known[kinds] = str(error).removeprefix(f"{STDIN}: ")
        return self._known[kinds]


def _without_made_ids(pages: Any) -> Any:
    """A place in a stream is no name: tomorrow another row has it."""
    made = pc.binary_join_element_wise(STDIN, pages.column("input_row").cast(pa.string()), ":")
    ids = pc.if_else(pc.equal(pages.column("page_id"), made), "", pages.column("page_id"))
    return pages.set_column(pages.schema.get_field_index("page_id"), pages.schema.field("page_id"), ids)


class _Feed:
    """Lines of a stream, and whether there is one to read without waiting."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._number = stream, _number_of(stream)
        self._lines: deque[bytes | None] = deque()
        self._full = 0  # of these lines, those that are not blank
        self._splitter, self._ended = LineSplitter(), False

    def lines(self) -> Iterator[bytes | None]:
        """The lines, without their newline; None stands for one of more than ``MAX_UNIT_BYTES``."""
        while self._lines or not self._ended:
            if not self._lines:
                self._read()
                continue
            line = self._lines.popleft()
            self._full -= _is_full(line)
            yield line

    def is_ready(self) -> bool:
        """Whether the next row, or the end, is there; blank lines are no rows."""
        while not self._full and not self._ended:
            if not self._is_readable():
                return False
            self._read()
        return True

    def _is_readable(self) -> bool:
        if self._number is None:
            return True
        try:
            return bool(select.select([self._number], [], [], 0)[0])
        except (OSError, ValueError):  # a system that only knows this of sockets: as if each line were the last one for now
            return False

    def _read(self) -> None:
        data = self._stream.read(_PIECE) if self._number is None else os.read(self._number, _PIECE)
        self._ended = not data
        for line in self._splitter.rest() if self._ended else self._splitter.split(data):
            self._lines.append(line)
            self._full += _is_full(line)


def _number_of(stream: BinaryIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, io.UnsupportedOperation):
        return None


def _is_full(line: bytes | None) -> bool:
    return line is None or bool(line.strip())

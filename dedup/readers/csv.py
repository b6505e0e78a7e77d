"""Reads CSV and TSV files (RFC 4180); the first record names the columns.

A record that cannot be parsed or has the wrong number of fields is rejected, and reading continues
at the next line. Positions are record numbers from 0, without the header and blank lines.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from ..config import Config
from . import source as limits
from .batches import Block, BlockBuilder, Reject
from .columns import VALUES, choose_columns
from .log import FileLog
from .source import Source, UntilBroken
from .values import safe_text, utf8_problem

#: A broken record of more lines than this has an unclosed quote, which would swallow the rest of
#: the file: only its first line is rejected, and the other lines are read again. A shorter one is
#: rejected whole.
_SWALLOWED_LINES = 100

#: Most bytes of the lines of one record: an unclosed quote must not fill the memory.
MAX_RECORD_BYTES = 32 << 20
_TOO_LONG = "the record is too long"

#: The position of a record, its fields or the reject, and its size in bytes.
Record = tuple[int, Sequence[str] | Reject, int]


def read_csv(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file with commas, semicolons or tabs, whichever its header has most of."""
    return _read_delimited(source, None, config, log)


def read_tsv(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file separated by tabs."""
    return _read_delimited(source, "\t", config, log)


def _read_delimited(source: Source, delimiter: str | None, config: Config, log: FileLog) -> Iterator[Block]:
    # The limit of the csv module is global to the process, so it is only raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_UNIT_BYTES))
    lines = _Lines(source.lines())
    records: UntilBroken[Record] = UntilBroken(_records(lines, delimiter))
    _, header, _ = next(records, (0, [], 0))
    if isinstance(header, Reject):
        yield Block(np.zeros(0, dtype=np.int64), {}, [Reject(None, "unreadable_file", f"no header: {header.detail}")])
        return
    first = next(records, None)
    if first is not None:
        names = [name.strip() for name in header]
        columns = choose_columns(dict.fromkeys(names, VALUES), config.input, log)
        places = [names.index(name) for name in columns.values()]
        builder = BlockBuilder(list(columns), max_rows=config.run.batch_rows, log=log)
        for position, record, size in chain([first], records):
            if isinstance(record, Reject):
                builder.reject(record)
            else:
                builder.add(position, [record[place] for place in places], size)
            if builder.is_full:
                yield from builder.take()
        yield from builder.take()
    if records.error is not None:
        raise records.error


def _records(lines: _Lines, delimiter: str | None) -> Iterator[Record]:
    """The header (position -1) and the records."""
    is_tsv = delimiter == "\t"
    reader = csv.reader(lines, delimiter=delimiter or _guess_delimiter(lines.peek()), strict=True)
    width: int | None = None
    position = -1
    while True:
        lines.start_record()
        problem, fields = "", []
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = str(error)
        if not fields and not problem and not lines.flaw:
            continue  # a blank line
        if width is not None and not problem:
            problem = _width_problem(fields, width)
        size = lines.size()
        if problem and is_tsv and (plain := _without_quoting(lines, width)):
            lines.push_back()
            fields = plain
            yield position, fields, size
        elif problem or lines.flaw:
            yield position, _reject_record(position, problem, lines), 0
        else:
            yield position, fields, size
        width = width or len(fields)
        position += 1


def _without_quoting(lines: _Lines, width: int | None) -> list[str]:
    """The first line of a TSV record split without quoting; empty if that does not fit either.

    Many TSV files use no quoting, but have titles that begin with a quoted word.
    """
    line = lines.first_line()
    fields = [] if line is None else line.split("\t")
    return fields if width in (None, len(fields)) else []


def _width_problem(fields: Sequence[str], width: int) -> str:
    """What is wrong with the number of fields; surplus empty fields at the end are allowed."""
    if len(fields) < width or any(fields[width:]):
        return f"{len(fields)} field{'' if len(fields) == 1 else 's'} instead of {width}"
    return ""


def _reject_record(position: int, problem: str, lines: _Lines) -> Reject:
    start = safe_text((lines.first_line() or "")[:400])
    first, last = lines.span()
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    if problem and last - first >= _SWALLOWED_LINES:
        lines.push_back()
        return Reject(position, "bad_csv_row", f"line {first}: a quote is opened and never closed: {start}")
    if lines.flaw is not None:
        reason, detail = lines.flaw
        return Reject(position, reason, detail)
    reason = "too_large" if problem == _TOO_LONG or "field limit" in problem else "bad_csv_row"
    return Reject(position, reason, f"{where}: {problem}: {start}")


def _guess_delimiter(header: str) -> str:
    counts = Counter(re.sub(r'"[^"]*"', "", header))
    return max(",;\t", key=lambda delimiter: counts[delimiter])  # in a tie, the first


class _Lines(Iterator[str]):
    """Decoded lines for the csv module; those of the current record can be pushed back."""

    def __init__(self, lines: Iterable[bytes | None]) -> None:
        self._lines = iter(lines)
        self._waiting: deque[bytes | None] = deque()
        self._record: list[bytes | None] = []
        self._number = 0
        self._bytes = 0
        self.flaw: tuple[str, str] | None = None

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self._number += 1
        if self._number == 1 and line is not None:
            line = line.removeprefix(b"\xef\xbb\xbf")
        self._record.append(line)
        self._bytes += len(line or b"")
        if self._bytes > MAX_RECORD_BYTES and len(self._record) > 1:
            raise csv.Error(_TOO_LONG)
        if line is None:
            self._note_flaw("too_large", f"line {self._number}: more than {limits.MAX_UNIT_BYTES >> 20} MB")
            return "\n"
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            self._note_flaw("invalid_utf8", f"line {self._number}: {utf8_problem(error)}")
            return line.decode(errors="replace") + "\n"

    def _note_flaw(self, reason: str, detail: str) -> None:
        self.flaw = self.flaw or (reason, detail)

    def start_record(self) -> None:
        """Drop the lines of the previous record."""
        self._record = []
        self._bytes = 0
        self.flaw = None

    def peek(self) -> str:
        """The first line that is not blank."""
        for line in self._lines:
            self._waiting.append(line)
            if line is None or line.strip():
                return (line or b"").decode(errors="replace")
        return ""

    def first_line(self) -> str | None:
        """The first line of the record unparsed, or None if it is too long or no UTF-8."""
        try:
            line = self._record[0]
            return None if line is None else line.removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            return None

    def push_back(self) -> None:
        """Put all lines of the record but the first back, to be read again."""
        self._waiting.extendleft(reversed(self._record[1:]))
        self._number -= len(self._record) - 1
        self._record = self._record[:1]

    def span(self) -> tuple[int, int]:
        """Numbers of the first and the last line of the record, from 1."""
        return self._number - len(self._record) + 1, self._number

    def size(self) -> int:
        """Size of the record in bytes."""
        return self._bytes

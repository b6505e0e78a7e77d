"""CSV and TSV -> blocks. Quoting as in RFC 4180, newlines inside quotes included; the first record names the columns.

A record that cannot be read, or has too many or too few fields, is rejected, and reading goes on with the next
line. A quote that is opened and not closed would swallow the rest of the file: then only its first line is rejected
and the lines after it are read again. Titles that begin with a quoted word are common in TSV files that know no
quoting; a line of a TSV file that makes no sense with quoting is therefore read without. Positions are record numbers
from zero, without the header and blank lines.
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

#: A broken record of more lines than this is an unclosed quote; a shorter one is a record cut off.
_SWALLOWED_LINES = 100

#: Lines of one record are held up to so many bytes: an unclosed quote must not fill the memory.
MAX_RECORD_BYTES = 32 << 20
_TOO_LONG = "the record is too long"

#: A record (or why there is none), its position and its bytes.
Record = tuple[int, Sequence[str] | Reject, int]


def read_csv(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file separated by commas, semicolons or tabs, whichever its header has most of."""
    return _read(source, None, config, log)


def read_tsv(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file separated by tabs."""
    return _read(source, "\t", config, log)


def _read(source: Source, delimiter: str | None, config: Config, log: FileLog) -> Iterator[Block]:
    # The limit of the csv module is global to the process; it is only ever raised here.
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
    tabs = delimiter == "\t"
    reader = csv.reader(lines, delimiter=delimiter or _sniff(lines.peek()), strict=True)
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
        if problem and tabs and (plain := _without_quoting(lines, width)):
            lines.give_back()
            fields = plain
            yield position, fields, size
        elif problem or lines.flaw:
            yield position, _reject(position, problem, lines), 0
        else:
            yield position, fields, size
        width = width or len(fields)
        position += 1


def _without_quoting(lines: _Lines, width: int | None) -> list[str]:
    """The fields of the first line of a TSV record read without quoting; nothing if they do not fit either."""
    line = lines.first_line()
    fields = [] if line is None else line.split("\t")
    return fields if width in (None, len(fields)) else []


def _width_problem(fields: Sequence[str], width: int) -> str:
    """Empty if the fields fit the header; empty fields at the end may be too many."""
    if len(fields) < width or any(fields[width:]):
        return f"{len(fields)} field{'' if len(fields) == 1 else 's'} instead of {width}"
    return ""


def _reject(position: int, problem: str, lines: _Lines) -> Reject:
    start = safe_text((lines.first_line() or "")[:400])
    first, last = lines.span()
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    if problem and last - first >= _SWALLOWED_LINES:
        lines.give_back()
        return Reject(position, "bad_csv_row", f"line {first}: a quote is opened and never closed: {start}")
    if lines.flaw is not None:
        reason, detail = lines.flaw
        return Reject(position, reason, detail)
    reason = "too_large" if problem == _TOO_LONG or "field limit" in problem else "bad_csv_row"
    return Reject(position, reason, f"{where}: {problem}: {start}")


def _sniff(header: str) -> str:
    counts = Counter(re.sub(r'"[^"]*"', "", header))
    return max(",;\t", key=lambda delimiter: counts[delimiter])  # the first of equals


class _Lines(Iterator[str]):
    """Decoded lines for the csv module; those of the current record can be given back."""

    def __init__(self, lines: Iterable[bytes | None]) -> None:
        self._lines = iter(lines)
        self._waiting: deque[bytes | None] = deque()
        self._taken: list[bytes | None] = []
        self._number = 0
        self._held = 0
        self.flaw: tuple[str, str] | None = None

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self._number += 1
        if self._number == 1 and line is not None:
            line = line.removeprefix(b"\xef\xbb\xbf")
        self._taken.append(line)
        self._held += len(line or b"")
        if self._held > MAX_RECORD_BYTES and len(self._taken) > 1:
            raise csv.Error(_TOO_LONG)
        if line is None:
            self._blame("too_large", f"line {self._number}: more than {limits.MAX_UNIT_BYTES >> 20} MB")
            return "\n"
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            self._blame("invalid_utf8", f"line {self._number}: {utf8_problem(error)}")
            return line.decode(errors="replace") + "\n"

    def _blame(self, reason: str, detail: str) -> None:
        self.flaw = self.flaw or (reason, detail)

    def start_record(self) -> None:
        """Forget the lines of the record before."""
        self._taken = []
        self._held = 0
        self.flaw = None

    def peek(self) -> str:
        """The first line that is not blank."""
        for line in self._lines:
            self._waiting.append(line)
            if line is None or line.strip():
                return (line or b"").decode(errors="replace")
        return ""

    def first_line(self) -> str | None:
        """The first line of the record as it stands, None if it cannot be read."""
        try:
            line = self._taken[0]
            return None if line is None else line.removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            return None

    def give_back(self) -> None:
        """All lines of the record but the first are to be read again."""
        self._waiting.extendleft(reversed(self._taken[1:]))
        self._number -= len(self._taken) - 1
        self._taken = self._taken[:1]

    def span(self) -> tuple[int, int]:
        """Numbers of the first and the last line of the record, from one."""
        return self._number - len(self._taken) + 1, self._number

    def size(self) -> int:
        """Bytes of the record."""
        return self._held

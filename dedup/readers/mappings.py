"""Turns rows that are mappings (JSON objects, dictionaries) into blocks.

The columns are chosen from the first ``PROBE_ROWS`` rows; a part without a column gets one from the
first later row that has a key with a usual name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..config import Config
from .batches import Block, BlockBuilder, Reject
from .columns import USUAL_NAMES, choose_columns, find_column, kinds_of_rows, warn_guessed_columns
from .log import FileLog
from .source import UntilBroken

#: Most rows and bytes from which the columns are chosen; fixed, so that the choice does not depend
#: on the size of batches.
PROBE_ROWS = 1000
PROBE_BYTES = 16 << 20

#: The position of a row, the row or the reject, and its size in bytes, about.
Row = tuple[int, Mapping[str, Any] | Reject, int]


def blocks_of_mappings(rows: Iterable[Row], config: Config, log: FileLog) -> Iterator[Block]:
    """Collect rows into blocks; the rows before an error of the file are still yielded."""
    columns = _SharedColumns(config, log)
    rest: UntilBroken[Row] = UntilBroken(rows)
    probe: list[Row] = []
    size = 0
    for item in rest:
        probe.append(item)
        size += item[2]
        if len(probe) >= PROBE_ROWS or size >= PROBE_BYTES:
            break
    columns.probe([row for _, row, _ in probe if not isinstance(row, Reject)])
    builder = columns.builder()
    for stretch in (iter(probe), rest):
        for position, row, size in stretch:
            if isinstance(row, Reject):
                builder.reject(row)
            else:
                if not columns.known.issuperset(row) and columns.add_columns_from(row):
                    yield from builder.take()
                    builder = columns.builder()
                get = row.get
                builder.add(position, [get(key) for key in columns.keys], size)
            if builder.is_full:
                yield from builder.take()
        probe.clear()
    yield from builder.take()
    if rest.error is not None:
        raise rest.error


class _SharedColumns:
    """The columns of all rows of an input, as far as its rows are known."""

    def __init__(self, config: Config, log: FileLog) -> None:
        self._config = config
        self._log = log
        self._chosen = False
        self.columns: dict[str, str] = {}
        self.keys: list[str] = []
        self.known: set[Any] = set()

    def probe(self, rows: list[Mapping[str, Any]]) -> None:
        """Choose columns from the first rows."""
        if rows:
            kinds = kinds_of_rows(rows)
            self.known.update(*rows)
            self.columns = choose_columns(kinds, self._config.input, self._log)
            self._chosen = True

    def add_columns_from(self, row: Mapping[str, Any]) -> bool:
        """Choose columns among new keys for parts without one; True if there was one."""
        # A key that is null here counts as new again where it has a value.
        fresh = {key: row[key] for key in row if key not in self.known and row[key] is not None}
        if not self._chosen:
            self.probe([row])
            return True
        kinds = kinds_of_rows([fresh])
        self.known.update(fresh)
        found = {}
        for part in USUAL_NAMES:
            if part == "html" and "text" in self.columns:
                continue
            if part not in self.columns and getattr(self._config.input, part) is None:
                name = find_column(part, kinds, self._log)
                if name is not None:
                    found[part] = name
        warn_guessed_columns(found, self._log)
        self.columns.update(found)
        return bool(found)

    def builder(self) -> BlockBuilder:
        """A block builder for the columns chosen so far."""
        self.keys = list(self.columns.values())
        return BlockBuilder(list(self.columns), max_rows=self._config.run.batch_rows, log=self._log)

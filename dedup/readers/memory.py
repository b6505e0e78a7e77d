"""Reads data in memory: Arrow streams and arrays of any library, or an iterable of mappings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from ..config import Config
from ..errors import InputError
from .batches import Block, Reject
from .columns import choose_columns, kinds_of_schema
from .log import FileLog
from .mappings import Row, blocks_of_mappings
from .values import safe_text

#: The name of data in memory, where a file has its own.
MEMORY = "<memory>"
_NEED = "need a table (anything with the Arrow PyCapsule interface: pyarrow, polars, pandas, duckdb) or an iterable of mappings"


def read_memory(data: Any, config: Config, log: FileLog) -> Iterator[Block]:
    """Read any object with an Arrow C stream or array, or an iterable of mappings.

    Raises
    ------
    InputError
        If it is of another type; immediately, not at the first row.
    """
    if hasattr(data, "__arrow_c_stream__"):
        return _blocks_of_batches(_open_stream(data), config, log)
    if hasattr(data, "__arrow_c_array__"):
        return _blocks_of_batches(iter([_single_batch(data)]), config, log)
    if isinstance(data, (str, bytes)) or hasattr(data, "__fspath__"):
        raise InputError(f"got {safe_text(repr(data))}, {_NEED}. Read files with read_files.")
    if isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise InputError(f"got a {type(data).__name__}, {_NEED}. Wrap a single row in a list.")
    return blocks_of_mappings(_rows_of_mappings(data), config, log)


def _open_stream(data: Any) -> Any:
    try:
        return pa.RecordBatchReader.from_stream(data)
    except (pa.ArrowException, TypeError) as error:
        raise InputError(f"got a {type(data).__name__} that is not a table ({error}), {_NEED}. Give a table, not a column.") from error


def _single_batch(data: Any) -> Any:
    try:
        return pa.record_batch(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"got a {type(data).__name__} that is not a table ({error}), {_NEED}. Give a table, not a column.") from error


def _blocks_of_batches(batches: Iterable[Any], config: Config, log: FileLog) -> Iterator[Block]:
    columns: dict[str, str] = {}
    first = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        names = batch.schema.names
        if not columns:
            columns = choose_columns(kinds_of_schema(batch.schema), config.input, log)
        parts = {part: batch.column(names.index(name)) for part, name in columns.items()}
        yield Block(np.arange(first, first + batch.num_rows, dtype=np.int64), parts, [])
        first += batch.num_rows


def _rows_of_mappings(data: Iterable[Any]) -> Iterator[Row]:
    for position, row in enumerate(data):
        if isinstance(row, Mapping):
            text = next((value for value in row.values() if isinstance(value, str)), "")
            yield position, row, len(text)
        else:
            detail = f"row {position} is a {type(row).__name__}, but must be a mapping: {safe_text(repr(row))}"
            yield position, Reject(position, "bad_value", detail), 0

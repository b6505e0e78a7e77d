"""Reads Parquet files, only the columns that are needed. Positions are row numbers.

The number of rows at a time depends on the file alone, so that damage ends the reading at the same
row under any settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ..config import Config
from .batches import BATCH_BYTES, Block
from .columns import choose_columns, kinds_of_schema
from .log import FileLog
from .source import Source

_READ_ROWS = 2048


def read_parquet(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read the rows of a Parquet file."""
    if source.size() == 0:
        return
    with pq.ParquetFile(source.random_access(), pre_buffer=False, page_checksum_verification=True) as file:
        if file.metadata.num_rows == 0:
            return
        schema = file.schema_arrow
        columns = choose_columns(kinds_of_schema(schema), config.input, log)
        names = list(dict.fromkeys(columns.values()))
        first = 0
        # Not threaded: measured slower and with a higher peak for these few wide columns.
        for batch in file.iter_batches(batch_size=_rows_at_a_time(file, names), columns=names, use_threads=False):
            found = batch.schema.names
            parts = {part: batch.column(found.index(name)) for part, name in columns.items()}
            yield Block(np.arange(first, first + batch.num_rows, dtype=np.int64), parts, [])
            first += batch.num_rows


def _rows_at_a_time(file: Any, names: list[str]) -> int:
    """Rows for which even the widest row group yields batches of bounded size."""
    widest = 1.0
    for group in range(file.metadata.num_row_groups):
        metadata = file.metadata.row_group(group)
        chunks = [metadata.column(i) for i in range(metadata.num_columns)]
        size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in names)
        widest = max(widest, size / max(1, metadata.num_rows))
    return int(max(1, min(_READ_ROWS, BATCH_BYTES // widest)))

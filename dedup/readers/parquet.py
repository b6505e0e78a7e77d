"""Parquet files -> blocks. Only the columns that play a part are read, a few thousand rows at a time.

How many rows are read at a time depends on the file alone, so that a damaged page ends the reading at the
same row whatever the settings. The positions are row numbers of the file.
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
    with pq.ParquetFile(source.opened(), pre_buffer=False, page_checksum_verification=True) as file:
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
    """So few that even the largest row group gives batches of bounded size."""
    widest = 1.0
    for group in range(file.metadata.num_row_groups):
        facts = file.metadata.row_group(group)
        chunks = [facts.column(i) for i in range(facts.num_columns)]
        size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in names)
        widest = max(widest, size / max(1, facts.num_rows))
    return int(max(1, min(_READ_ROWS, BATCH_BYTES // widest)))

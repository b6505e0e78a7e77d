"""What any program must pay that reads this file and writes one like it: pyarrow, zstd, nothing in between."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from . import Answer, Clock


def run(path: str, clock: Clock, threads: int) -> Answer:
    """See ``Peer``; it says nothing about duplicates."""
    pa.set_cpu_count(threads)
    with tempfile.TemporaryDirectory() as folder:
        with clock.stage("read"):
            table = pq.read_table(path)
        with clock.stage("write"):
            pq.write_table(table, Path(folder) / "again.parquet", compression="zstd")
    return Answer(table.num_rows)

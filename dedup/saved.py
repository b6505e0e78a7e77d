"""Tables in a file of the workspace, and back.

A file holds one Arrow stream after the other; arrays come back writable, for kernels would be compiled anew for others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .durable import WorkFile
from .workspace import Workspace

Tables = dict[str, Any]


def save(work: Workspace, step: str, tables: Mapping[str, Any], facts: Mapping[str, Any], *, besides: Sequence[WorkFile] = ()) -> None:
    """Finish a step with some tables and facts; ``besides`` are further files of it."""
    files = list(besides)
    if tables:
        file = work.create(f"{step}.arrow")
        for table in tables.values():
            with pa.ipc.new_stream(pa.PythonFile(file, "w"), table.schema) as writer:
                writer.write_table(table)
        files.append(file)
    work.finish(step, files, {**facts, "tables": list(tables)})


def load(work: Workspace, step: str, *, gone: Sequence[str] = ()) -> tuple[Tables, dict[str, Any]] | None:
    """The tables and facts of a step, None if it is not done (any more)."""
    facts = work.taken(step, gone=gone)
    if facts is None:
        return None
    tables: Tables = {}
    if facts["tables"]:
        with pa.OSFile(str(work.path(f"{step}.arrow"))) as file:
            for name in facts["tables"]:
                tables[name] = pa.ipc.open_stream(file).read_all().combine_chunks()
    return tables, facts


def array_of(column: Any) -> npt.NDArray[Any]:
    """A column of numbers as an array of its own."""
    array: npt.NDArray[Any] = np.array(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())
    return array

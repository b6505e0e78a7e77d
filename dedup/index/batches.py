"""Tables and files to blocks of arrivals, with the row of each page and what could not be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sized
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ..config import Config
from ..readers import Batch, ReadLog, paths_of, read_data, read_files
from ..readers.memory import MEMORY
from ..threads import map_batches, thread_count
from .document import Document
from .reading import Arrivals, read_pages

_NO_ID = "it has neither an id nor a URL: an index must know a document again. Give an id, or name its column with input.id"


class Taken(NamedTuple):
    """``arrivals`` None where no page could be read; ``rows`` the input row of each page; ``rejects`` row and reason of each."""

    arrivals: Arrivals | None
    rows: list[int]
    rejects: list[tuple[int | None, str]]


def blocks(data: Any, config: Config, log: ReadLog) -> Iterator[Taken]:
    """Read and fingerprint data in memory, or files if it is a path or a list of paths, block by block."""

    def read(batch: Batch) -> Taken:
        pages, nameless = _named(batch.pages)
        rejects = list(zip(batch.rejects.column("input_row").to_pylist(), _reasons(batch.rejects), strict=True))
        rejects += [(row, _NO_ID) for row in nameless]
        rows = pages.column("input_row").to_pylist()
        return Taken(read_pages(pages, config) if rows else None, rows, rejects)

    paths = paths_of(data)
    if isinstance(data, Sized) and not len(data):
        return iter(())
    batches = read_files(paths, config=config, log=log) if paths else read_data(_mapped(data), config=config, log=log)
    return map_batches(read, batches, thread_count(config.run.threads))


def _mapped(data: Any) -> Any:
    """The same data, with documents as the mappings that they stand for."""
    if isinstance(data, list | tuple):
        return [_mapping(item) for item in data] if any(isinstance(item, Document) for item in data) else data
    return map(_mapping, data) if isinstance(data, Iterator) else data


def _mapping(item: Any) -> Any:
    return dataclasses.asdict(item) if isinstance(item, Document) else item


def _reasons(rejects: Any) -> list[str]:
    return [f"{row['reason']}: {row['detail']}" for row in rejects.select(["reason", "detail"]).to_pylist()]


def _named(pages: Any) -> tuple[Any, list[int]]:
    """Pages of data in memory that have no id are known by their URL; those that have none either are turned back.

    A row of a file is known by its place in the file, as in a batch run.
    """
    made = pc.equal(pages.column("page_id"), pc.binary_join_element_wise(MEMORY, pages.column("input_row").cast(pa.string()), ":"))
    if not pc.any(made).as_py():
        return pages, []
    ids = pc.if_else(made, pages.column("url"), pages.column("page_id"))
    known = pc.is_valid(ids)
    nameless = pages.column("input_row").filter(pc.invert(known)).to_pylist()
    named = pages.set_column(pages.schema.get_field_index("page_id"), pages.schema.field("page_id").with_nullable(True), ids)
    return named.filter(known).cast(pages.schema), nameless

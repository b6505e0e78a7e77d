"""Small batches made into larger ones: a folder of a hundred thousand tiny files costs no more than a table of as many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import pyarrow as pa

from ..schema import PAGES, REJECTS
from .rows import BATCH_BYTES, Batch

Place = TypeVar("Place")


def joined(batches: Iterable[tuple[Batch, Place]], rows: int) -> Iterator[tuple[Batch, Place]]:
    """Join batches that follow each other while they hold no more than ``rows`` pages and rejects, nor too many bytes.

    Parameters
    ----------
    batches : each with the place behind it

    Returns
    -------
    the same pages and rejects in the same order, each batch with the place behind the last one in it
    """
    waiting: list[tuple[Batch, Place]] = []
    held = size = 0
    for batch, place in batches:
        own, own_size = batch.pages.num_rows + batch.rejects.num_rows, batch.pages.nbytes
        if waiting and (held + own > rows or size + own_size > BATCH_BYTES):
            yield _one(waiting)
            waiting, held, size = [], 0, 0
        waiting.append((batch, place))
        held, size = held + own, size + own_size
    if waiting:
        yield _one(waiting)


def _one(waiting: list[tuple[Batch, Place]]) -> tuple[Batch, Place]:
    if len(waiting) == 1:
        return waiting[0]
    parts = [batch for batch, _ in waiting]
    return Batch(_together([part.pages for part in parts], PAGES), _together([part.rejects for part in parts], REJECTS)), waiting[-1][1]


def _together(parts: list[Any], schema: Any) -> Any:
    table = pa.Table.from_batches([part for part in parts if part.num_rows], schema=schema).combine_chunks()
    return table.to_batches()[0] if table.num_rows else parts[0].slice(0, 0)

"""Arrow columns to rows of values and back, without a copy where possible.

Row i is ``values[offsets[i]:offsets[i + 1]]``. A null text is an empty row; offsets of a slice do
not begin at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import SchemaError
from ..kernels.rows import gather_rows

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.int64]
#: Rows of hashes: ``values[offsets[i]:offsets[i + 1]]`` is row i.
Rows = tuple[npt.NDArray[np.uint64], Offsets]


def text_rows(column: Any) -> tuple[Bytes, Offsets]:
    """The bytes and offsets of a text column.

    Parameters
    ----------
    column : Arrow array or chunked array of ``string``, ``large_string``, ``string_view`` or a
        dictionary of these

    Returns
    -------
    (data uint8[n_bytes], offsets int64[n_rows + 1])
        ``data[offsets[i]:offsets[i + 1]]`` is the UTF-8 of row i; a null is an empty row. The
        offsets of a slice do not begin at 0.

    Raises
    ------
    SchemaError
        If the column is not of text.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaError(f"a text column is needed, got {column.type}. Cast it to string first.") from error
    if column.null_count:
        column = column.fill_null("")
    if len(column) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64, len(column) + 1, column.offset * 8)
    data = np.empty(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, np.uint8)
    return data, offsets


def text_array(data: Bytes, offsets: Offsets) -> Any:
    """Rows of UTF-8 as a ``large_string`` array, without a copy."""
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def row_offsets(counts: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Offsets:
    """The offsets of rows with these numbers of values."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def run_starts(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """bool[n]: where a run of equal values begins; of several columns, a run of equal rows."""
    starts = np.ones(len(columns[0]), bool)
    starts[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        starts[1:] |= column[1:] != column[:-1]
    return starts


def take_rows(
    values: npt.NDArray[Any], offsets: Offsets, rows: npt.NDArray[np.int64], most: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[Any], Offsets]:
    """Gather rows in the given order; of each at most ``most`` values, int64[len(rows)]."""
    lengths = offsets[rows + 1] - offsets[rows]
    taken = row_offsets(lengths if most is None else np.minimum(lengths, most))
    return gather_rows(values, offsets, rows, taken), taken


def filter_rows(values: npt.NDArray[Any], offsets: Offsets, kept: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], Offsets]:
    """The same rows with only the values for which ``kept``, bool[n_values], is true."""
    return values[kept], row_offsets(kept)[offsets]


def mask_rows(values: npt.NDArray[Any], offsets: Offsets, kept: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], Offsets]:
    """The same rows, but empty where ``kept``, bool[n_rows], is false."""
    if kept.all():
        return values, offsets
    if not kept.any():
        return values[:0], np.zeros(len(offsets), np.int64)
    sizes = np.where(kept, np.diff(offsets), 0)
    return take_rows(values, offsets, np.arange(len(sizes)), sizes)


def empty_rows(count: int) -> Rows:
    """``count`` rows without values."""
    return np.empty(0, np.uint64), np.zeros(count + 1, np.int64)


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """The rows of several arrays, one array after the other. Offsets must begin at 0."""
    sizes = np.concatenate([np.diff(offsets) for _, offsets in parts])
    return np.concatenate([values for values, _ in parts]), row_offsets(sizes)

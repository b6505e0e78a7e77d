"""Times of any usual type to seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt


def seconds(times: Any, n: int) -> npt.NDArray[np.float64]:
    """float64[n]: seconds, NaN where a time is unknown.

    Parameters
    ----------
    times : numbers, ``datetime64``, or objects that are numbers, ``datetime`` or None; or None, if no time is known
    n : how many there must be

    Raises
    ------
    ValueError
        If there are more or fewer, one is infinite, or they are of another type.
    """
    if times is None:
        return np.full(n, np.nan)
    array = np.asarray(times)
    if array.shape != (n,):
        raise ValueError(f"times have the shape {array.shape}, but X has {n} rows: give one time for each, None where it is unknown.")
    if array.dtype.kind == "M":
        known = ~np.isnat(array)
        answer = np.full(n, np.nan)
        answer[known] = array[known].astype("datetime64[us]").astype(np.int64) / 1e6
        return answer
    if array.dtype.kind == "O":
        array = np.array([_number(item) for item in array.tolist()], np.float64)
    if array.dtype.kind not in "iufb":
        raise ValueError(f"times must be seconds or datetime64, got {array.dtype}: parse them first.")
    answer = array.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(answer))
    if len(infinite):
        raise ValueError(f"times hold an infinite value in row {infinite[0]}: use NaN where a time is unknown.")
    return answer


def _number(item: Any) -> float:
    if item is None or type(item).__name__ in ("NAType", "NaTType") or item != item:  # pandas' missing values, then NaN
        return np.nan
    if isinstance(item, datetime):
        return (item if item.tzinfo else item.replace(tzinfo=UTC)).timestamp()
    if isinstance(item, np.datetime64):
        return float(item.astype("datetime64[us]").astype(np.int64)) / 1e6
    if isinstance(item, int | float | np.number):
        return float(item)
    raise ValueError(f"times must be seconds or datetime64, got {item!r}: parse them first.")

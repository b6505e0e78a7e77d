"""Values -> JSON answers, in UTF-8 with Arabic as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from starlette.responses import Response

JSON, JSON_LINES = "application/json", "application/x-ndjson"
#: Answers are of one moment, and what is in them is never a page, whatever a browser makes of it.
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def encoded(value: Any) -> bytes:
    """One value as compact JSON; half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain).encode(errors="replace")


def plain(value: Any) -> Any:
    """What JSON has no form for: times as ISO 8601 in UTC, bytes as hexadecimal digits.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"JSON has no form for a {type(value).__name__}")


def answer(value: Any, status: int = 200, media_type: str = JSON, headers: Mapping[str, str] | None = None) -> Response:
    """One JSON value."""
    return Response(encoded(value), status, {**_HEADERS, **(headers or {})}, media_type)


def answer_rows(rows: Iterable[bytes], media_type: str) -> Response:
    """Rows that are encoded already, as one array or as a line each."""
    body = b"".join(row + b"\n" for row in rows) if media_type == JSON_LINES else b"[" + b",".join(rows) + b"]"
    return Response(body, 200, _HEADERS, media_type)

"""Turns values into JSON responses: UTF-8, Arabic not escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from starlette.responses import Response

JSON, JSON_LINES = "application/json", "application/x-ndjson"
#: Responses go stale at once, and a browser must never take one for a web page.
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def encoded(value: Any) -> bytes:
    """Encode a value as compact JSON; lone surrogates become question marks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain).encode(errors="replace")


def plain(value: Any) -> Any:
    """Convert values that JSON lacks: times to ISO 8601 in UTC, bytes to hexadecimal digits.

    Raises
    ------
    TypeError
        If the type is unknown.
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
    raise TypeError(f"cannot encode a {type(value).__name__} as JSON")


def answer(value: Any, status: int = 200, media_type: str = JSON, headers: Mapping[str, str] | None = None) -> Response:
    """Make a response of one JSON value."""
    return Response(encoded(value), status, {**_HEADERS, **(headers or {})}, media_type)


def answer_rows(rows: Iterable[bytes], media_type: str) -> Response:
    """Make a response of encoded rows: a JSON array, or one row a line."""
    body = b"".join(row + b"\n" for row in rows) if media_type == JSON_LINES else b"[" + b",".join(rows) + b"]"
    return Response(body, 200, _HEADERS, media_type)

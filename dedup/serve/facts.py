"""What an index knows of documents and stories -> JSON: times as texts, and nothing of how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .schemas import SCHEMAS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = frozenset({"published", "arrived", "at", "recorded"})


def entry_facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of an index, those fields that users know."""
    return _facts(entry, "Entry")


def event_facts(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of an index."""
    return _facts(event, "Event")


def _facts(values: Mapping[str, Any], schema: str) -> dict[str, Any]:
    return {name: _time(values[name]) if name in _TIMES else values[name] for name in SCHEMAS[schema]["properties"]}


def _time(value: Any) -> Any:
    """Microseconds since 1970 as a time; a time and None as they are."""
    return _EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value

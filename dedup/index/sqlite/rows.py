"""Converts entries to rows of the table ``documents``, events to JSON, and both back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..store import Entry

_COLUMNS = (
    "number", "labels", "canonical", "extends", "arrived", "published", "story", "source", "length", "parts", "jaccard", "share",
    "containment", "covered", "digest", "doc_id", "page_id", "url", "title",
)  # fmt: skip
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM documents"
_INSERT = f"INSERT INTO documents({', '.join(_COLUMNS)}, words) VALUES ({', '.join('?' * (len(_COLUMNS) + 1))})"
#: Insert a row, or replace the one with the same number.
PUT = f"{_INSERT} ON CONFLICT(number) DO UPDATE SET {', '.join(f'{name}=excluded.{name}' for name in (*_COLUMNS[1:], 'words'))}"
#: The same, but an existing row keeps its words.
PUT_KEPT = f"{_INSERT} ON CONFLICT(number) DO UPDATE SET {', '.join(f'{name}=excluded.{name}' for name in _COLUMNS[1:])}"


class Codes:
    """Dictionary encoding of frequent JSON values, stored in a table of codes and labels."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._connection, self._table = connection, table
        self._codes: dict[str, int] = {}
        self.labels: list[Any] = []
        self._kept = 0

    def load(self) -> None:
        """Read codes that other processes have added."""
        rows = self._connection.execute(f"SELECT code, label FROM {self._table} WHERE code >= ? ORDER BY code", (len(self.labels),))
        for code, label in rows:
            self._codes[label] = code
            self.labels.append(json.loads(label))
        self._kept = len(self.labels)

    def code_of(self, value: Any) -> int:
        """Return the code of a value, assigning a new one if needed."""
        label = json.dumps(value)
        code = self._codes.get(label)
        if code is None:
            code = self._codes[label] = len(self.labels)
            self.labels.append(json.loads(label))
        return code

    def write(self) -> None:
        """Write new codes in this transaction, and again in later ones until ``keep`` is called."""
        if self._kept < len(self.labels):
            rows = [(code, json.dumps(self.labels[code])) for code in range(self._kept, len(self.labels))]
            self._connection.executemany(f"INSERT INTO {self._table} VALUES (?, ?)", rows)

    def keep(self) -> None:
        """Mark the codes as stored: the transaction was committed."""
        self._kept = len(self.labels)


class EntryRows:
    """Converts entries to rows and back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._labels, self._sources = Codes(connection, "labels"), Codes(connection, "sources")
        #: Caches of label and source codes, which save encoding JSON.
        self._known: dict[tuple[Any, ...], int] = {}
        self._known_sources: dict[str, int] = {}

    def load(self) -> None:
        """Read codes that other processes have added."""
        for codes in (self._labels, self._sources):
            codes.load()

    def write(self) -> None:
        """Write new codes; see ``Codes.write``."""
        self._labels.write()
        self._sources.write()

    def keep(self) -> None:
        """Mark the codes as stored."""
        self._labels.keep()
        self._sources.keep()

    def row(self, entry: Entry, words: bytes | None) -> tuple[Any, ...]:
        """Make the row of an entry, for ``PUT`` and ``PUT_KEPT``."""
        texts: tuple[str | bytes | None, ...] = (
            entry.doc_id, None if entry.page_id == entry.doc_id else entry.page_id, entry.url, entry.title
        )  # fmt: skip
        odd = not _can_be_text(texts)
        if odd:
            texts = tuple(text if text is None else text.encode("utf-8", "surrogatepass") for text in texts if not isinstance(text, bytes))
        label = (entry.role, entry.status, entry.kind, odd)
        code = self._known.get(label)
        if code is None:
            code = self._known[label] = self._labels.code_of(label)
        return (
            int(entry.number), code, int(entry.canonical), _int(entry.extends), int(entry.arrived), _int(entry.published),
            _int(entry.story), self._source_code(entry.source), int(entry.words), int(entry.parts), _float(entry.jaccard),
            _float(entry.share), _float(entry.containment), _float(entry.covered), entry.digest, *texts, words,
        )  # fmt: skip

    def _source_code(self, source: str | None) -> int | None:
        if source is None:
            return None
        code = self._known_sources.get(source)
        if code is None:
            code = self._known_sources[source] = self._sources.code_of(source)
        return code

    def entry(self, row: Sequence[Any]) -> Entry:
        """Make the entry of a row of ``SELECT``."""
        (number, code, canonical, extends, arrived, published, story, source, words, parts, jaccard, share, containment, covered,
         digest, doc_id, page_id, url, title) = row  # fmt: skip
        if code >= len(self._labels.labels) or (source is not None and source >= len(self._sources.labels)):
            self.load()
        role, status, kind, odd = self._labels.labels[code]
        if odd:
            doc_id, page_id, url, title = (text and text.decode("utf-8", "surrogatepass") for text in (doc_id, page_id, url, title))
        return Entry(
            number, doc_id, doc_id if page_id is None else page_id, role, status, canonical, kind, jaccard, share, containment, extends,
            covered, story, published, arrived, None if source is None else self._sources.labels[source], url, title, words, digest, parts,
        )  # fmt: skip

    def is_copy(self, code: int) -> bool:
        """Return whether a label code is that of copies."""
        if code >= len(self._labels.labels):
            self.load()
        return bool(self._labels.labels[code][1] == "copy")


# SQLite would store NumPy numbers as blobs.
def _int(value: int | None) -> int | None:
    return None if value is None else int(value)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _can_be_text(texts: Sequence[str | bytes | None]) -> bool:
    """Whether strings can be stored as text: lone surrogates, which JSON allows, cannot."""
    try:
        for text in texts:
            if text:
                text.encode()  # type: ignore[union-attr]
    except UnicodeEncodeError:
        return False
    return True


def pack_event(event: Mapping[str, Any]) -> str:
    """Encode a row of ``schema.EVENTS`` as JSON."""
    return json.dumps({name: value.isoformat() if isinstance(value, datetime) else value for name, value in event.items()})


def unpack_event(packed: str) -> dict[str, Any]:
    """Decode a row encoded by ``pack_event``."""
    event: dict[str, Any] = json.loads(packed)
    if isinstance(event.get("at"), str):
        event["at"] = datetime.fromisoformat(event["at"])
    return event

"""A document as a user gives it to an index: checked, and with the small repairs that readers of files make."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..errors import InputError
from ..readers.dates import parse_dates, parse_text
from ..readers.encodings import mojibake
from ..readers.values import safe_text, without_surrogates
from ..schema import EPOCH

_SPACES = re.compile(r"\s+")
_MICROSECOND = timedelta(microseconds=1)
#: Dates from 1970 to 2069 are plain.
_PLAIN = 100 * 365 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A text to look up or to add.

    Parameters
    ----------
    id : names it in the index; a document of the same id and another text is an update
    text : the article, or the whole page as it was flattened; without it the title is a headline
    title, source, url : as they are known
    published : a ``datetime`` (in UTC if it has no zone), a ``date`` or a text in any usual form
    """

    id: str
    text: str | None = None
    title: str | None = None
    published: datetime | date | str | int | float | None = None
    source: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, value: Document | Mapping[str, Any]) -> Document:
        """A document, or a mapping with its fields, as a document.

        Raises
        ------
        InputError
            If a field is unknown or ``id`` is missing.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise InputError(f"a document is needed, got a {type(value).__name__}. Give a dedup.Document or a mapping with its fields.")
        if unknown := [name for name in value if name not in FIELDS]:
            raise InputError(f"a document has no field {safe_text(repr(unknown[0]))}. Fields: {', '.join(FIELDS)}.")
        if "id" not in value:
            raise InputError("a document needs an id: it is what the index knows it by, and how an update is told from a copy.")
        return cls(**value)


FIELDS = tuple(field.name for field in dataclasses.fields(Document))


@dataclass(frozen=True, slots=True)
class Checked:
    """A document of which every field has its type; ``published`` in microseconds since 1970, UTC."""

    id: str
    text: str | None
    title: str | None
    published: int | None
    source: str | None
    url: str | None


def checked(document: Document) -> Checked:
    """Check a document.

    Raises
    ------
    InputError
        If a field is of the wrong type, there is neither text nor title, or the text is mojibake.
    """
    name = document.id
    if not isinstance(name, str) or not name:
        raise InputError(f"the id of a document must be a text that is not empty, got {safe_text(repr(name))}.")
    fields = {field: _text(document, field) for field in ("text", "title", "source", "url")}
    text = fields["text"] if fields["text"] and not fields["text"].isspace() else None
    title = _SPACES.sub(" ", fields["title"]).strip() if fields["title"] else ""
    if text is None and not title:
        raise InputError(f"document {safe_text(name)!r} has neither text nor title: there is nothing to compare.")
    if wrong := mojibake(text if text is not None else title):
        raise InputError(f"document {safe_text(name)!r} is mojibake: {wrong}. Decode the page with its own encoding.")
    published = _published(document)
    source, url = ((fields[field] or "").strip() or None for field in ("source", "url"))
    return Checked(_whole(name), text, title or None, published, source, url)


def _text(document: Document, field: str) -> str | None:
    value = getattr(document, field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"document {safe_text(document.id)!r}: its {field} must be a text, got a {type(value).__name__}.")
    return _whole(value)


def _whole(text: str) -> str:
    """A text without halves of surrogate pairs, which no UTF-8 can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return without_surrogates(text)
    return text


def _published(document: Document) -> int | None:
    value = document.published
    micros: int | None = None
    if value is None:
        return None
    if isinstance(value, str):
        micros = parse_text(value)
    elif type(value) is datetime:
        micros = ((value.replace(tzinfo=UTC) if value.tzinfo is None else value) - EPOCH) // _MICROSECOND
    if micros is None or not 0 <= micros < _PLAIN:  # what is unusual is for the reader of columns, which takes longer
        dates, bad = parse_dates([value])
        micros = dates[0].value
        if micros is None and not bad.any():
            return None
    if micros is None:
        raise InputError(
            f"document {safe_text(document.id)!r}: its date of publication cannot be read: {safe_text(repr(value), 40)}. "
            "Give a datetime, a text such as 2015-07-31T16:45:00Z, or None."
        )
    return micros

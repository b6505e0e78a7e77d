"""Documents as users pass them to an index, checked, and repaired as readers of files do."""

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
#: Microseconds: dates from 1970 to 2069 need no closer look.
_USUAL_DATES = 100 * 365 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A text to check or to add.

    Parameters
    ----------
    id : str
        Identifies it in the index. A document with the same id and another text is an update.
    text : str, optional
        The article, or the whole flattened page. Without it the title is a headline.
    title, source, url : str, optional
    published : datetime, date or str, optional
        A ``datetime`` without a time zone is in UTC. Strings may have any usual form.
    """

    id: str
    text: str | None = None
    title: str | None = None
    published: datetime | date | str | int | float | None = None
    source: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, value: Document | Mapping[str, Any]) -> Document:
        """Convert a mapping with the fields of a document; a document is returned as it is.

        Raises
        ------
        InputError
            If a field is unknown or ``id`` is missing.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise InputError(f"expected a dedup.Document or a mapping with its fields, got {type(value).__name__}.")
        if unknown := [name for name in value if name not in FIELDS]:
            raise InputError(f"a document has no field {safe_text(repr(unknown[0]))}. Fields: {', '.join(FIELDS)}.")
        if "id" not in value:
            raise InputError("a document needs an id: it identifies the document in the index and distinguishes an update from a copy.")
        return cls(**value)


FIELDS = tuple(field.name for field in dataclasses.fields(Document))


@dataclass(frozen=True, slots=True)
class Checked:
    """A document whose fields have been checked; ``published`` in microseconds since 1970, UTC."""

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
        If a field has the wrong type, there is neither text nor title, or the text is mojibake.
    """
    name = document.id
    if not isinstance(name, str) or not name:
        raise InputError(f"the id of a document must be a non-empty string, got {safe_text(repr(name))}.")
    fields = {field: _text_field(document, field) for field in ("text", "title", "source", "url")}
    text = fields["text"] if fields["text"] and not fields["text"].isspace() else None
    title = _SPACES.sub(" ", fields["title"]).strip() if fields["title"] else ""
    if text is None and not title:
        raise InputError(f"document {safe_text(name)!r} has neither text nor title: there is nothing to compare.")
    if wrong := mojibake(text if text is not None else title):
        raise InputError(f"document {safe_text(name)!r} is mojibake: {wrong}. Decode the page with its own encoding.")
    published = _publication_micros(document)
    source, url = ((fields[field] or "").strip() or None for field in ("source", "url"))
    return Checked(_without_surrogates(name), text, title or None, published, source, url)


def _text_field(document: Document, field: str) -> str | None:
    value = getattr(document, field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"document {safe_text(document.id)!r}: its {field} must be a string, got {type(value).__name__}.")
    return _without_surrogates(value)


def _without_surrogates(text: str) -> str:
    """The text without halves of surrogate pairs, which UTF-8 cannot represent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return without_surrogates(text)
    return text


def _publication_micros(document: Document) -> int | None:
    value = document.published
    micros: int | None = None
    if value is None:
        return None
    if isinstance(value, str):
        micros = parse_text(value)
    elif type(value) is datetime:
        micros = ((value.replace(tzinfo=UTC) if value.tzinfo is None else value) - EPOCH) // _MICROSECOND
    if micros is None or not 0 <= micros < _USUAL_DATES:  # the slower parser of columns knows more forms
        dates, bad = parse_dates([value])
        micros = dates[0].value
        if micros is None and not bad.any():
            return None
    if micros is None:
        raise InputError(
            f"document {safe_text(document.id)!r}: its date of publication cannot be parsed: {safe_text(repr(value), 40)}. "
            "Give a datetime, a string such as 2015-07-31T16:45:00Z, or None."
        )
    return micros

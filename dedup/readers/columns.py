"""Chooses the column of an input for each part of a page: text, title, date and so on.

A setting ``input.<part>`` alone decides; else the usual names are tried in order, ignoring case. A
column of nulls is chosen only if there is no better one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ..config import InputConfig
from ..errors import InputError
from .log import FileLog
from .values import is_string_type

#: The usual names of each part, best first. ``date_extracted`` is the time of the crawl, hence
#: last.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "body", "article", "maintext", "full_text", "article_text"),
    "title": ("title", "headline"),
    "published": (
        *("published", "date", "date_published", "published_at", "publish_date", "pubdate", "pub_date"),
        *("datetime", "timestamp", "created_at", "date_extracted"),
    ),
    "source": ("source", "site", "publisher", "domain", "outlet"),
    "url": ("url", "link", "permalink"),
    "id": ("id", "doc_id", "guid", "page_id", "article_id", "uuid"),
    "author": ("author", "byline", "creator"),
    "html": ("html", "raw_html", "content_html", "html_content", "page_html"),
}
#: Names that leave no doubt. Of a part that is not listed here, all usual names are unambiguous.
_CLEAR_NAMES = {
    "text": ("text",),
    "title": ("title", "headline"),
    "published": ("published", "date", "date_published", "published_at", "publish_date", "pubdate", "pub_date"),
}
#: Value of a setting that leaves the part out.
NONE = "none"
#: Kinds of columns. Any other string is the name of a type that cannot be used.
VALUES, EMPTY, LIST = "values", "empty", "list"
#: Further kinds that a part accepts.
_ACCEPTED = {"author": (LIST,), "html": ("binary", "large_binary")}
_MOST_SHOWN = 40


def choose_columns(available: Mapping[str, str], wanted: InputConfig, log: FileLog) -> dict[str, str]:
    """Choose the column of each part.

    Parameters
    ----------
    available : column -> kind (``VALUES``, ``EMPTY``, ``LIST`` or the name of a type that cannot be
        used)
    wanted : the settings ``input.*``
    log : receives a warning for each unusable column with a usual name, and one for names that
        leave a doubt

    Returns
    -------
    part -> column, only for parts that have one

    Raises
    ------
    InputError
        If a column named in the settings is missing or of an unusable type, or if there is neither
        text, HTML nor title.
    """
    columns: dict[str, str] = {}
    is_html = wanted.html is not None and wanted.html.lower() != NONE
    for part in USUAL_NAMES:
        if is_html and part == "text":
            continue  # it is in the HTML
        if not is_html and part == "html" and available.get(columns.get("text", ""), EMPTY) != EMPTY:
            continue
        named = getattr(wanted, part)
        name = _column_of_setting(part, named, available, log.file) if named else find_column(part, available, log)
        if name is not None:
            columns[part] = name
    if not {"text", "html", "title"} & columns.keys():
        # These messages are also the details of rejects (``no_column``), which stand in results and
        # must not change.
        raise InputError(
            f"{log.file}: found columns {_list_names(available)}, but none that holds the text or the title. "
            "Name one with --input.text NAME (or input.text in the configuration), a column of HTML with --input.html NAME."
        )
    if not {"text", "html"} & columns.keys():
        log.warn("no column with the text: each page is only a headline")
    warn_guessed_columns({part: name for part, name in columns.items() if getattr(wanted, part) is None}, log)
    log.columns = columns
    return columns


def find_column(part: str, available: Mapping[str, str], log: FileLog) -> str | None:
    """The usable column with the best usual name for this part, or None."""
    empty = None
    for usual in USUAL_NAMES[part]:
        for name in _columns_named(usual, available):
            kind = available[name]
            if kind == VALUES or kind in _ACCEPTED.get(part, ()):
                return name
            if kind == EMPTY:
                empty = empty or name
            else:
                log.warn(f'column "{name}" contains {kind} and is not used for {part}')
    return empty


def warn_guessed_columns(columns: Mapping[str, str], log: FileLog) -> None:
    """Warn of chosen columns whose name leaves a doubt."""
    doubtful = [(part, name) for part, name in columns.items() if name.lower() not in _CLEAR_NAMES.get(part, (name.lower(),))]
    if doubtful:
        log.warn("column " + ", ".join(f'"{name}" taken for {part}' for part, name in doubtful))


def kinds_of_schema(schema: Any) -> dict[str, str]:
    """The kind of each column of an Arrow schema; the first counts if names are equal."""
    kinds: dict[str, str] = {}
    for field in schema:
        kinds.setdefault(field.name, kind_of_type(field.type))
    return kinds


def kind_of_type(kind: Any) -> str:
    """The kind of a column of an Arrow type."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_null(kind):
        return EMPTY
    if is_string_type(kind) or pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind) or pt.is_decimal(kind):
        return VALUES
    if pt.is_timestamp(kind) or pt.is_date(kind):
        return VALUES
    return str(kind).split("<")[0].split("[")[0]


def kinds_of_rows(rows: Iterable[Mapping[Any, Any]]) -> dict[str, str]:
    """The kind of each key of some rows; one usable value makes the key usable."""
    kinds: dict[str, str] = {}
    for row in rows:
        for key, value in row.items():
            if not isinstance(key, str) or kinds.get(key) == VALUES:
                continue
            kind = kind_of_value(value)
            if kinds.get(key, EMPTY) == EMPTY or kind == VALUES:
                kinds[key] = kind
    return kinds


def kind_of_value(value: Any) -> str:
    """The kind of one Python value."""
    if value is None:
        return EMPTY
    if isinstance(value, Mapping):
        return "objects"
    if isinstance(value, (list, tuple)):
        return LIST
    return "bytes" if isinstance(value, (bytes, bytearray)) else VALUES


def _column_of_setting(part: str, named: str, available: Mapping[str, str], file: str) -> str | None:
    """The column that a setting names, or None if the setting leaves the part out."""
    names = _columns_named(named, available)
    if not names:
        if named.lower() == NONE:
            return None
        raise InputError(
            f"{file}: there is no column '{named}' (input.{part}), found columns {_list_names(available)}. "
            f"Name one of these with --input.{part} NAME, or leave the setting out."
        )
    kind = available[names[0]]
    if kind not in (VALUES, EMPTY, *_ACCEPTED.get(part, ())):
        raise InputError(
            f"{file}: column '{names[0]}' (input.{part}) holds {kind}, but {part} needs plain values. "
            f"Name another column with --input.{part} NAME, or convert this one."
        )
    return names[0]


def _columns_named(name: str, available: Mapping[str, str]) -> list[str]:
    """Columns of this name: the exact one first, then those that differ in case, in input order."""
    exact = [name] if name in available else []
    return exact + [column for column in available if column != name and column.lower() == name.lower()]


def _list_names(available: Mapping[str, str]) -> str:
    names = [f"'{name}'" for name in list(available)[:_MOST_SHOWN]]
    more = f" and {len(available) - _MOST_SHOWN} more" if len(available) > _MOST_SHOWN else ""
    return (", ".join(names) or "none at all") + more

"""Which column of an input plays which part.

The names of the columns and what kind of values they hold come in; a mapping from part to column goes out.
A setting ``input.<part>`` decides alone; otherwise the usual names are tried in their order, without regard
to case. A column that holds only nulls is taken only when there is no better one.
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

#: The usual names of each part, best first. ``date_extracted`` is the time of the crawl, hence last.
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
#: Names that say by themselves what the column is; all names of the parts that are not here do.
_PLAIN_NAMES = {
    "text": ("text",),
    "title": ("title", "headline"),
    "published": ("published", "date", "date_published", "published_at", "publish_date", "pubdate", "pub_date"),
}
#: In a setting: leave this part out.
NONE = "none"
#: Kinds of columns. Any other word is the name of a type that cannot be used.
VALUES, EMPTY, LIST = "values", "empty", "list"
#: Besides plain values, what a part can be made of.
_ALSO = {"author": (LIST,), "html": ("binary", "large_binary")}
_MOST_SHOWN = 40


def choose_columns(available: Mapping[str, str], wanted: InputConfig, log: FileLog) -> dict[str, str]:
    """Decide which column plays which part.

    Parameters
    ----------
    available : column -> kind (``VALUES``, ``EMPTY`` or the name of a type that cannot be used)
    wanted : the settings ``input.*``
    log : gets a warning for each column that is passed over, and one for names that differ from the part's

    Raises
    ------
    InputError
        If a column named in the settings is missing or of an unusable type, or if there is neither text, HTML nor title.
    """
    columns: dict[str, str] = {}
    is_html = wanted.html is not None and wanted.html.lower() != NONE
    for part in USUAL_NAMES:
        if is_html and part == "text":
            continue  # it is in the HTML
        if not is_html and part == "html" and available.get(columns.get("text", ""), EMPTY) != EMPTY:
            continue
        named = getattr(wanted, part)
        name = _named(part, named, available, log.file) if named else find_column(part, available, log)
        if name is not None:
            columns[part] = name
    if not {"text", "html", "title"} & columns.keys():
        raise InputError(
            f"{log.file}: found columns {_listed(available)}, but none that holds the text or the title. "
            "Name one with --input.text NAME (or input.text in the configuration), a column of HTML with --input.html NAME."
        )
    if not {"text", "html"} & columns.keys():
        log.note("no column with the text: each page is only a headline")
    warn_guessed_columns({part: name for part, name in columns.items() if getattr(wanted, part) is None}, log)
    log.columns = columns
    return columns


def find_column(part: str, available: Mapping[str, str], log: FileLog) -> str | None:
    """The column with the best usual name for this part, or None."""
    empty = None
    for usual in USUAL_NAMES[part]:
        for name in _same(usual, available):
            kind = available[name]
            if kind == VALUES or kind in _ALSO.get(part, ()):
                return name
            if kind == EMPTY:
                empty = empty or name
            else:
                log.note(f'column "{name}" holds {kind} and is not taken for {part}')
    return empty


def warn_guessed_columns(columns: Mapping[str, str], log: FileLog) -> None:
    """Warn of columns whose name leaves a doubt about the part they play."""
    told = [f'"{name}" taken for {part}' for part, name in columns.items() if name.lower() not in _PLAIN_NAMES.get(part, (name.lower(),))]
    if told:
        log.note("column " + ", ".join(told))


def kinds_of_schema(schema: Any) -> dict[str, str]:
    """The kind of each column of an Arrow schema; of two columns with one name the first counts."""
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
    """The kind of each key over some rows: one usable value makes it usable."""
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
    """The kind of one value of a row."""
    if value is None:
        return EMPTY
    if isinstance(value, Mapping):
        return "objects"
    if isinstance(value, (list, tuple)):
        return LIST
    return "bytes" if isinstance(value, (bytes, bytearray)) else VALUES


def _named(part: str, named: str, available: Mapping[str, str], file: str) -> str | None:
    names = _same(named, available)
    if not names:
        if named.lower() == NONE:
            return None
        raise InputError(
            f"{file}: there is no column '{named}' (input.{part}), found columns {_listed(available)}. "
            f"Name one of these with --input.{part} NAME, or leave the setting out."
        )
    kind = available[names[0]]
    if kind not in (VALUES, EMPTY, *_ALSO.get(part, ())):
        raise InputError(
            f"{file}: column '{names[0]}' (input.{part}) holds {kind}, but {part} needs plain values. "
            f"Name another column with --input.{part} NAME, or convert this one."
        )
    return names[0]


def _same(name: str, available: Mapping[str, str]) -> list[str]:
    """Columns of this name: the exact one first, then those that differ by case, in the order of the input."""
    exact = [name] if name in available else []
    return exact + [column for column in available if column != name and column.lower() == name.lower()]


def _listed(available: Mapping[str, str]) -> str:
    names = [f"'{name}'" for name in list(available)[:_MOST_SHOWN]]
    more = f" and {len(available) - _MOST_SHOWN} more" if len(available) > _MOST_SHOWN else ""
    return (", ".join(names) or "none at all") + more

"""Converts values and columns of any type to text; makes text safe to show.

JSON, mappings in memory and Arrow columns follow the same rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

_SURROGATE = re.compile("[\ud800-\udfff]")


def is_missing(value: Any) -> bool:
    """True of None, NaN, NaT and pandas.NA."""
    if value is None:
        return True
    if isinstance(value, str):
        return False
    if type(value).__name__ in ("NAType", "NaTType"):  # by name, for pandas is no dependency
        return True
    return isinstance(value, (float, Decimal)) and math.isnan(value)


def as_text(value: Any) -> str | None:
    """One value as text; None if it is missing or not plain.

    Whole floats lose their ``.0``: pandas turns integers into floats when one is missing.
    """
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "dtype") and hasattr(value, "item") and not getattr(value, "shape", ()):  # a NumPy scalar
        value = value.item()
    if not is_plain(value) or is_missing(value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    try:
        return str(value)
    except ValueError:  # a number of more than 4,300 digits
        return None


def is_plain(value: Any) -> bool:
    """False of lists, mappings, bytes and arrays, which cannot become one text."""
    if isinstance(value, (Mapping, list, tuple, set, frozenset, bytes, bytearray, memoryview)):
        return False
    return not getattr(value, "shape", ())


def is_string_type(kind: Any) -> bool:
    """True of the three string types of Arrow."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def plain_column(column: Any) -> Any:
    """An Arrow array without extension type and dictionary encoding."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pt.is_dictionary(column.type):
        words = column.dictionary
        if pt.is_string_view(words.type):  # Arrow has no take for string views, and polars makes dictionaries of them
            words = words.cast(pa.large_string())
        column = pa.DictionaryArray.from_arrays(column.indices, words).dictionary_decode()
    return column


def text_column(column: Any) -> Any:
    """An Arrow array of any type as large_string, each value by the rule of ``as_text``."""
    column = plain_column(column)
    if is_string_type(column.type) or pt.is_integer(column.type) or pt.is_null(column.type):
        return column.cast(pa.large_string())
    return pa.array([as_text(value) for value in column.to_pylist()], pa.large_string())


def names_text(value: Any) -> str | None:
    """Like ``as_text``, but a list of names becomes one text: ``["A", "B"]`` -> ``"A, B"``."""
    if isinstance(value, (list, tuple)):
        return ", ".join(text for text in map(as_text, value) if text) or None
    return as_text(value)


def without_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone halves, which have no UTF-8, by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def has_surrogates(texts: Sequence[str | None]) -> bool:
    """True if any of the texts cannot be written as UTF-8."""
    return any(text is not None and _SURROGATE.search(text) for text in texts)


def utf8_problem(error: UnicodeDecodeError) -> str:
    """Which byte is not UTF-8, in words."""
    return f"byte {error.start} is not UTF-8 (0x{error.object[error.start]:02x})"


def safe_name(name: str) -> str:
    """The name of a file for results and messages, with escapes for unprintable characters.

    Different names stay different: a backslash is doubled.
    """
    if name.isprintable() and "\\" not in name:
        return name

    def is_kept(c: str) -> bool:
        # The zero-width signs that join or separate Arabic letters are harmless.
        return c in "\u200c\u200d" or (c.isprintable() and c != "\\")

    return "".join(c if is_kept(c) else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in name)


def safe_text(text: str, limit: int = 80) -> str:
    """The start of a text for a terminal or a log: no invisible characters, no line breaks."""
    cut = text[:limit]
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in cut)
    return safe + ("..." if len(text) > limit else "")

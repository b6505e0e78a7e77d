"""Reads JSON lines, and ``.json`` files with one array or object.

A broken line is rejected and the rest is read. Positions are line numbers from 0, with blank lines;
in an array, numbers of elements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from ..config import Config
from . import source as limits
from .batches import Block, Reject
from .log import FileLog
from .mappings import Row, blocks_of_mappings
from .source import Source, read_whole
from .values import safe_text, utf8_problem

_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")
_NO_OBJECT = "the line is a {kind}, but must be an object"


def read_jsonl(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a file with a JSON object in each line."""
    return blocks_of_mappings(rows_of_lines(source.lines()), config, log)


def read_json(source: Source, config: Config, log: FileLog) -> Iterator[Block]:
    """Read a ``.json`` file: JSON lines, or one array of objects, or one object."""
    return blocks_of_mappings(_rows_of_json(source), config, log)


def _rows_of_json(source: Source) -> Iterator[Row]:
    lines = source.lines()
    start: list[bytes | None] = []
    for line in lines:
        start.append(line)
        if line is None or line.strip(b" \t\r\n" + _BOM):
            break
    first = start[-1].removeprefix(_BOM).strip() if start and start[-1] is not None else b""
    if first.startswith(b"[") or (first.startswith(b"{") and not _is_json(first)):
        whole = read_whole(source, limits.MAX_UNIT_BYTES)
        if first.startswith(b"["):
            yield from _rows_of_array(whole)
            return
        if whole is not None and isinstance(value := _parse_or_none(whole.removeprefix(_BOM)), dict):
            yield 0, value, len(whole)
            return
    yield from rows_of_lines(chain(start, lines))


def rows_of_lines(lines: Iterable[bytes | None]) -> Iterator[Row]:
    """The object in each line of JSON, or a reject; blank lines are skipped.

    Parameters
    ----------
    lines : without newline, None for a line that is too long, as of ``source.LineSplitter``
    """
    loads = json.loads
    for position, line in enumerate(lines):
        if line is None:
            limit = f"{limits.MAX_UNIT_BYTES >> 20} MB" if limits.MAX_UNIT_BYTES >> 20 else f"{limits.MAX_UNIT_BYTES} bytes"
            yield position, Reject(position, "too_large", f"line {position + 1}: more than {limit}"), 0
            continue
        if position == 0:
            line = line.removeprefix(_BOM)
        if not line or line.isspace():
            continue
        try:
            value = loads(line.decode())
        except (ValueError, RecursionError) as error:
            yield position, _reject_line(position, line, error), 0
            continue
        if value.__class__ is dict:
            yield position, value, len(line)
        else:
            detail = f"line {position + 1}: {_NO_OBJECT.format(kind=_json_kind(value))}: {safe_text(line.decode())}"
            yield position, Reject(position, "bad_json", detail), 0


def _reject_line(position: int, line: bytes, error: Exception) -> Reject:
    where = f"line {position + 1}: "
    if isinstance(error, UnicodeDecodeError):
        return Reject(position, "invalid_utf8", f"{where}{utf8_problem(error)}")
    return Reject(position, "bad_json", f"{where}{_json_error(error)}: {safe_text(line[:400].decode(errors='replace'))}")


def _json_error(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _json_kind(value: Any) -> str:
    kinds = {list: "list", str: "string", int: "number", float: "number", bool: "boolean"}
    return kinds.get(type(value), "null")


def _rows_of_array(data: bytes | None) -> Iterator[Row]:
    """The elements of one array; those before a syntax error are kept, those after it are lost."""
    if data is None:
        detail = f"a JSON array of more than {limits.MAX_UNIT_BYTES >> 20} MB. Convert it to JSON lines (one object a line)"
        yield 0, Reject(None, "too_large", detail), 0
        return
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        yield 0, Reject(None, "invalid_utf8", utf8_problem(error)), 0
        return
    decode, skip = json.JSONDecoder().raw_decode, _SPACE.match
    at = _skip_space(skip, text, text.index("[") + 1)
    position = 0
    while at < len(text) and text[at] != "]":
        try:
            value, end = decode(text, at)
        except (ValueError, RecursionError) as error:
            message = f"{error.msg} at line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            yield position, Reject(position, "bad_json", f"element {position}: {message}; the file is not read beyond it"), 0
            return
        if isinstance(value, dict):
            yield position, value, end - at
        else:
            yield position, Reject(position, "bad_json", f"element {position} is a {_json_kind(value)}, but must be an object"), 0
        position += 1
        at = _skip_space(skip, text, end)
        if at < len(text) and text[at] == ",":
            at = _skip_space(skip, text, at + 1)
        elif at < len(text) and text[at] != "]":
            break
    if at >= len(text) or text[at] != "]" or _skip_space(skip, text, at + 1) < len(text):
        yield (
            position,
            Reject(None, "truncated_file", f"the JSON array is broken after {position} elements; the file is not read beyond it"),
            0,
        )


def _skip_space(skip: Any, text: str, at: int) -> int:
    return int(skip(text, at).end())


def _parse_or_none(data: bytes) -> Any:
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError):
        return None


def _is_json(data: bytes) -> bool:
    return _parse_or_none(data) is not None

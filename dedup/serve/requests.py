"""Bytes of a request -> documents. JSON is read strictly: what ``json`` lets pass beyond RFC 8259 is refused here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from ..errors import DedupError, InputError
from ..index.document import FIELDS, Checked, Document, checked
from ..readers.values import safe_text
from .problems import Problem, busy
from .responses import JSON_LINES

_BOM = b"\xef\xbb\xbf"
_KINDS = {list: "an array", str: "a text", int: "a number", float: "a number", bool: "true or false", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a batch that is no document, and why."""

    doc_id: str | None
    reason: str


def read_json(data: bytes) -> Any:
    """One JSON value.

    Raises
    ------
    ValueError
        If it is none; the message says where.
    """
    try:
        return json.loads(data.removeprefix(_BOM).decode(), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 (0x{data.removeprefix(_BOM)[error.start]:02x})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply. A document is an object without further objects") from None
    except ValueError as error:
        # Python refuses whole numbers of more than some thousands of digits.
        raise ValueError("a number is too long" if "digits" in str(error) else str(error)) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON. Leave the field out, or give null")


def read_document(data: bytes) -> Document:
    """The document that a body holds.

    Raises
    ------
    Problem
        If it is not JSON.
    InputError
        If it is no document.
    """
    try:
        value = read_json(data)
    except ValueError as error:
        raise Problem("bad_json", f"the body cannot be read: {error}.") from None
    document = document_of(value)
    # The index looks at it again; but what the index raises must not be taken for a mistake of the one who asks.
    checked(document)
    return document


def read_rows(data: bytes, media_type: str, most: int) -> list[Checked | Refused]:
    """The rows of a batch in their order, each a document or the reason why it is none; blank lines are no rows.

    Raises
    ------
    Problem
        If the batch as a whole cannot be read, or has more than ``most`` rows.
    """
    if media_type == JSON_LINES:
        lines = [line for line in data.removeprefix(_BOM).split(b"\n") if line and not line.isspace()]
        _check_number(len(lines), most)
        return [_row_of_line(line) for line in lines]
    try:
        values = read_json(data)
    except ValueError as error:
        raise Problem(
            "bad_json", f"the batch cannot be read: {error}. Send JSON lines to lose no more than one row to such a mistake."
        ) from None
    if not isinstance(values, list):
        raise Problem("bad_document", f"a batch must be an array of documents, got {_kind(values)}.")
    _check_number(len(values), most)
    return [_row(value) for value in values]


def _check_number(rows: int, most: int) -> None:
    if rows > most:
        raise Problem("too_large", f"the batch has {rows:,} documents, more than {most:,}. Send them in several batches.")


def _row_of_line(line: bytes) -> Checked | Refused:
    try:
        return _row(read_json(line))
    except ValueError as error:
        return Refused(None, f"the line cannot be read: {error}.")


def _row(value: Any) -> Checked | Refused:
    try:
        return checked(document_of(value))
    except DedupError as error:
        name = value.get("id") if isinstance(value, dict) else None
        return Refused(name if isinstance(name, str) and not _has_surrogates(name) else None, str(error))


def document_of(value: Any) -> Document:
    """A JSON value as a document, as far as ``dedup.index.document.checked`` does not look at it.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, dict):
        raise InputError(f"a document must be an object with the fields {', '.join(FIELDS)}, got {_kind(value)}.")
    document = Document.of(value)
    if isinstance(document.id, str) and _has_surrogates(document.id):
        raise InputError(f"the id {safe_text(ascii(document.id))} holds half of a surrogate pair: no answer in UTF-8 could name it.")
    if isinstance(document.published, (bool, dict, list)):
        raise InputError(
            f"document {safe_text(repr(document.id))}: its published must be a text or a number, got {_kind(document.published)}."
        )
    return document


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "an object")


class MemoryBudget:
    """The memory that bodies may take, all together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Reservation]:
        """What one request holds, until it is answered."""
        share = Reservation(self)
        try:
            yield share
        finally:
            self.held -= share.size

    def take(self, size: int) -> None:
        """Take so many bytes more.

        Raises
        ------
        Problem
            If there is no room for them now.
        """
        if self.held + size > self._most:
            raise busy("the service holds as many bytes of requests as it may. Try again, with smaller batches.")
        self.held += size


class Reservation:
    """The bytes that one request holds of a ``MemoryBudget``."""

    def __init__(self, room: MemoryBudget) -> None:
        self._room = room
        self.size = 0

    def add(self, size: int) -> None:
        """Take so many bytes more, or tell that there is no room."""
        self._room.take(size)
        self.size += size


def media_type(request: Request, accepted: Sequence[str]) -> str:
    """The type of a body that this service reads.

    Raises
    ------
    Problem
        If it is of another type, in another encoding than UTF-8, or compressed.
    """
    given = request.headers.get("content-type", "")
    name, *parameters = (part.strip().lower() for part in given.split(";"))
    if name not in accepted:
        raise Problem("media_type", f"the content type is {given[:100] or 'missing'!r}. Send {' or '.join(accepted)}.")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem("media_type", f"the charset is {value[:40]!r}. Send UTF-8.")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Problem(
            "media_type", f"the content coding is {coding[:40]!r}. Send the body as it is.", headers={"Accept-Encoding": "identity"}
        )
    return name


async def read_body(request: Request, share: Reservation, *, most: int, timeout: float) -> bytes:
    """The whole body.

    Raises
    ------
    Problem
        If it is larger than ``most`` bytes, as its header says or as it turns out, did not come within ``timeout`` seconds, or broke off.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 18 or int(told) > most):
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                share.add(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise Problem("slow_body", f"the body did not come within {timeout:g} seconds.", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem("bad_json", "the body broke off.") from None
    return b"".join(chunks)


def _too_large(most: int) -> Problem:
    # What is left of the body is not read: the connection can serve nothing else.
    return Problem("too_large", f"the body is larger than {most:,} bytes. Send less at a time.", headers={"Connection": "close"})

"""Reads request bodies into documents, within limits; JSON is strict (RFC 8259)."""

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
    """A row of a batch that is not a valid document, and the reason."""

    doc_id: str | None
    reason: str


def read_json(data: bytes) -> Any:
    """Parse one JSON value.

    Raises
    ------
    ValueError
        If it is invalid; the message says where.
    """
    try:
        return json.loads(data.removeprefix(_BOM).decode(), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 (0x{data.removeprefix(_BOM)[error.start]:02x})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply. A document is a flat object") from None
    except ValueError as error:
        # Python refuses integers of more than a few thousand digits.
        raise ValueError("a number is too long" if "digits" in str(error) else str(error)) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON. Omit the field, or use null")


def read_document(data: bytes) -> Document:
    """Parse and validate the document in a body.

    Raises
    ------
    Problem
        If it is not JSON.
    InputError
        If it is not a valid document.
    """
    try:
        value = read_json(data)
    except ValueError as error:
        raise Problem("bad_json", f"the body cannot be read: {error}.") from None
    document = document_of(value)
    # The index validates it again, but an error raised there must not be blamed on the client.
    checked(document)
    return document


def read_rows(data: bytes, media_type: str, most: int) -> list[Checked | Refused]:
    """Parse the rows of a batch in order: each a document or the reason for its refusal.

    Blank lines are not rows.

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
        raise Problem("bad_json", f"the batch cannot be read: {error}. With JSON lines, such an error costs one row only.") from None
    if not isinstance(values, list):
        raise Problem("bad_document", f"a batch must be an array of documents, got {_kind(values)}.")
    _check_number(len(values), most)
    return [_row(value) for value in values]


def _check_number(rows: int, most: int) -> None:
    if rows > most:
        raise Problem("too_large", f"the batch has {rows:,} documents, more than {most:,}. Split it into several batches.")


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
    """Make a document of a JSON value; checks only what ``dedup.index.document.checked`` does not.

    Raises
    ------
    InputError
        If it is not an object, or a field has a type that only JSON can give it.
    """
    if not isinstance(value, dict):
        raise InputError(f"a document must be an object with the fields {', '.join(FIELDS)}, got {_kind(value)}.")
    document = Document.of(value)
    if isinstance(document.id, str) and _has_surrogates(document.id):
        raise InputError(f"the id {safe_text(ascii(document.id))} contains a lone surrogate, which no response in UTF-8 can contain.")
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
    """Limits the memory of all request bodies together, in bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.reserved = 0

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Give a request a reservation that grows with its body and ends with the block."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.reserved -= reservation.size

    def take(self, size: int) -> None:
        """Reserve more bytes.

        Raises
        ------
        Problem
            If they exceed the budget at present.
        """
        if self.reserved + size > self._most:
            raise busy("request bodies fill the memory of the service. Try again, with smaller batches.")
        self.reserved += size


class Reservation:
    """The bytes of a ``MemoryBudget`` that one request has reserved."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.size = 0

    def grow(self, size: int) -> None:
        """Reserve more bytes; see ``MemoryBudget.take``."""
        self._budget.take(size)
        self.size += size


def media_type(request: Request, accepted: Sequence[str]) -> str:
    """Return the media type of a body.

    Raises
    ------
    Problem
        If the type is not accepted, the charset is not UTF-8, or the body is compressed.
    """
    header = request.headers.get("content-type", "")
    name, *parameters = (part.strip().lower() for part in header.split(";"))
    if name not in accepted:
        raise Problem("media_type", f"the content type is {header[:100] or 'missing'!r}. Send {' or '.join(accepted)}.")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem("media_type", f"the charset is {value[:40]!r}. Send UTF-8.")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Problem(
            "media_type", f"the content encoding is {coding[:40]!r}. Send the body uncompressed.", headers={"Accept-Encoding": "identity"}
        )
    return name


async def read_body(request: Request, reservation: Reservation, *, most: int, timeout: float) -> bytes:
    """Receive the whole body.

    Raises
    ------
    Problem
        If the header announces more than ``most`` bytes or more arrive, the body is not complete
        after ``timeout`` seconds, or the client disconnects.
    """
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                reservation.grow(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise Problem("slow_body", f"the body was not received within {timeout:g} seconds.", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem("bad_json", "the body is incomplete.") from None
    return b"".join(chunks)


def _too_large(most: int) -> Problem:
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem("too_large", f"the body is larger than {most:,} bytes. Send less at a time.", headers={"Connection": "close"})

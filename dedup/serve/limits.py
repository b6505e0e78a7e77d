"""Request bodies, as far as they are let in: of a known type, not too large, not too slow, not too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from .problems import Problem, busy


class Room:
    """The memory that bodies may take, all together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """What one request holds, until it is answered."""
        share = Share(self)
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


class Share:
    """The bytes that one request holds of a ``Room``."""

    def __init__(self, room: Room) -> None:
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


async def read_body(request: Request, share: Share, *, most: int, timeout: float) -> bytes:
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

"""Parses an HTTP response; decodes chunked transfer and content encodings.

Some crawlers decode the body, but keep the original header, so a body that does not fit its header
is taken as it is.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..html.page import BrokenPage
from .records import fields_of

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\n]{0,1000})?\r?\n")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}<[!?A-Za-z]")
_MOST_ENCODINGS = 4
_PIECE = 1 << 10


class Response(NamedTuple):
    """A response; ``fields`` has names in lower case, and ``body`` is still encoded."""

    status: int
    fields: dict[str, str]
    body: bytes


def read_response(block: bytes) -> Response | None:
    """Split a response into its parts; None if it does not begin with a status line."""
    status = _STATUS.match(block)
    if status is None:
        return None
    end = _END_OF_HEADER.search(block)
    head = block[: end.start()] if end else block
    lines = head.decode("utf-8", "replace").replace("\r", "").split("\n")
    return Response(int(status[1]), fields_of(lines[1:]), block[end.end() :] if end else b"")


def read_body(response: Response, *, limit: int, cut_off: bool) -> bytes:
    """Decode the body of a response.

    Parameters
    ----------
    limit : most bytes of the decoded body
    cut_off : the crawler did not keep the whole body, so a missing end is no error

    Raises
    ------
    BrokenPage
        For the reasons ``too_large``, ``unknown_encoding`` and ``bad_encoding``.
    """
    body = response.body
    if "chunked" in response.fields.get("transfer-encoding", "").lower():
        body = _join_chunks(body)
    named = [name.strip().lower() for name in response.fields.get("content-encoding", "").split(",")]
    encodings = [name.removeprefix("x-") for name in named if name not in ("", "identity", "none")]
    if _is_markup(body):  # decoded by the crawler, or never encoded
        encodings = []
    if len(encodings) > _MOST_ENCODINGS:
        raise BrokenPage("unknown_encoding", f"{len(encodings)} content encodings one over the other")
    for encoding in reversed(encodings):
        body = _decode_content(body, encoding, limit, cut_off)
    if len(body) > limit:
        raise too_large(len(body), limit)
    return body


def too_large(size: int, limit: int) -> BrokenPage:
    """The error for a page of more bytes than the limit."""
    return BrokenPage("too_large", f"a page of {size:,} bytes, more than {limit:,}")


def _is_markup(body: bytes) -> bool:
    return _MARKUP.match(body) is not None


def _join_chunks(body: bytes) -> bytes:
    """Join the chunks; a body that does not begin with one was decoded by the crawler."""
    at = 0
    pieces: list[bytes] = []
    while (size := _CHUNK.match(body, at)) and (length := int(size[1], 16)):
        pieces.append(body[size.end() : size.end() + length])
        at = size.end() + length
        at += 2 if body.startswith(b"\r\n", at) else int(body.startswith(b"\n", at))
    if not pieces and size is None:
        return body
    if at < len(body) and size is None:
        raise BrokenPage("bad_encoding", f"chunked transfer, but there is no chunk at byte {at:,} of {len(body):,}")
    return b"".join(pieces)


def _decode_content(body: bytes, encoding: str, limit: int, cut_off: bool) -> bytes:
    if not body:
        return body
    if encoding == "gzip" and not body.startswith(b"\x1f\x8b"):
        return body
    start = _DECODERS.get(encoding)
    if start is None:
        raise BrokenPage("unknown_encoding", f"content encoding {encoding[:40]!r} is not known")
    step, ended, errors = start(body, limit)
    pieces: list[bytes] = []
    size = 0
    for at in range(0, len(body), _PIECE):
        try:
            piece = step(body[at : at + _PIECE])
        except errors as error:
            if cut_off and pieces:
                break
            raise BrokenPage("bad_encoding", f"content encoding {encoding}: {str(error)[:100]}") from None
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise BrokenPage("too_large", f"{at + _PIECE:,} bytes of {encoding} became more than {limit:,} bytes")
        if ended():
            break
    if not ended() and not cut_off:
        raise BrokenPage("bad_encoding", f"content encoding {encoding}: it ends too early")
    return b"".join(pieces)


#: Decodes a piece; whether the end was reached; the errors that decoding raises.
_Decoder = tuple[Callable[[bytes], bytes], Callable[[], bool], tuple[type[Exception], ...]]


def _gzip(body: bytes, limit: int) -> _Decoder:
    stream = zlib.decompressobj(31)
    return stream.decompress, lambda: stream.eof, (zlib.error,)


def _deflate(body: bytes, limit: int) -> _Decoder:
    """The standard says zlib, but many servers send bare deflate."""
    wrapped = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    stream = zlib.decompressobj(15 if wrapped else -15)
    return stream.decompress, lambda: stream.eof, (zlib.error,)


def _brotli(body: bytes, limit: int) -> _Decoder:
    brotli = _import_decoder("brotli", "br")
    stream = brotli.Decompressor()
    if not hasattr(stream, "can_accept_more_data"):
        raise BrokenPage("unknown_encoding", "content encoding br needs brotli 1.2 or later: pip install 'dedup-news[crawl]'")

    def step(piece: bytes) -> bytes:
        # With a limit, because a few bytes of brotli can become hundreds of megabytes.
        out = bytearray(stream.process(piece, output_buffer_limit=1 << 20))
        while len(out) <= limit and not stream.can_accept_more_data():
            out += stream.process(b"", output_buffer_limit=1 << 20)
        return bytes(out)

    return step, stream.is_finished, (brotli.error,)


def _zstd(body: bytes, limit: int) -> _Decoder:
    zstd = _import_decoder("zstandard", "zstd")
    stream = zstd.ZstdDecompressor().decompressobj(read_across_frames=False)
    return stream.decompress, lambda: bool(stream.eof), (zstd.ZstdError,)


def _import_decoder(name: str, encoding: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        detail = f"content encoding {encoding} needs the package {name}: pip install 'dedup-news[crawl]'"
        raise BrokenPage("unknown_encoding", detail) from None


_DECODERS: dict[str, Callable[[bytes, int], _Decoder]] = {"gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}

"""One input file: its name in the results, its bytes and its digest.

``chunks`` gives the decompressed bytes in pieces of bounded size and hashes the stored bytes on their
way. gzip is read by zlib, which hands over everything that precedes a break; zstd by Arrow, which loses
at most the last block. Nothing is retried and nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeVar

import pyarrow as pa

from ..storage.remote import RemotePath, describe, etag_of

#: Bytes read at a time.
CHUNK_BYTES = 1 << 20
#: A single line, text file or JSON document of more bytes is not read but rejected.
MAX_UNIT_BYTES = 256 << 20
#: A file of more bytes that is so many times as large as what is stored is a bomb (crawls pack 4 to 20 times).
BOMB_BYTES, BOMB_RATIO = 64 << 20, 250
#: What a damaged or vanishing file can raise. ArrowInvalid covers damaged Parquet.
BROKEN = (OSError, EOFError, zlib.error, pa.ArrowException)

T = TypeVar("T")

_GZIP = 31  # zlib's word for: gzip header, largest window
_ZSTD_PIECE = _GZIP_PIECE = 1 << 16


@dataclass
class Source:
    """A file to read.

    Attributes
    ----------
    path : where it is; of a remote file its URL, for messages
    name : what it is called in results and messages, with forward slashes
    suffix : the suffix that chose the reader, without the compression: ``.jsonl``
    compression : ``.gz``, ``.zst`` or empty
    remote : where it is if it is not on this machine
    etag : what an object store calls the content that was read; None of a local file
    """

    path: str
    name: str
    suffix: str
    compression: str = ""
    remote: RemotePath | None = None
    etag: str | None = None
    _sha256: str | None = field(default=None, repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The content, decompressed, in pieces of at most about ``CHUNK_BYTES``."""
        return self._read(DECOMPRESSORS[self.compression])

    def stored(self) -> Iterator[bytes]:
        """The bytes as they are stored, for a reader that undoes the compression itself."""
        return self._read(_plain)

    def _read(self, decompress: Callable[[_Tap], Iterator[bytes]]) -> Iterator[bytes]:
        with self._open() as file:
            tap = _Tap(file)
            size = 0
            for piece in decompress(tap):
                size += len(piece)
                if size > max(BOMB_BYTES, BOMB_RATIO * tap.passed):
                    raise BombError(f"a decompression bomb: {tap.passed / 1024:,.0f} KB became {size >> 20:,} MB; it is not read further")
                yield piece
            while tap.read(CHUNK_BYTES):  # what follows the last frame belongs to the digest too
                pass
            self._sha256 = tap.digest.hexdigest()

    def _open(self) -> Any:
        if self.remote is None:
            return open(self.path, "rb")
        stream = self.remote.stream()
        self.etag = stream.etag
        return stream

    def opened(self) -> Any:
        """The file for reading at random: its path, or an open file if it is elsewhere."""
        if self.remote is None:
            return self.path
        file = self.remote.open()
        self.etag = etag_of(file)
        return file

    def lines(self) -> Iterator[bytes | None]:
        """The lines, without their newline; None stands for a line of more than ``MAX_UNIT_BYTES``."""
        splitter = LineSplitter()
        for chunk in self.chunks():
            yield from splitter.split(chunk)
        yield from splitter.rest()

    def size(self) -> int | None:
        """Bytes on disk, None if the file cannot be looked at."""
        if self.remote is not None:
            return self.remote.size
        try:
            return os.stat(self.path).st_size
        except OSError:
            return None

    def changed_at(self) -> int | None:
        """When it was changed for the last time, in nanoseconds since 1970; None if that is not known."""
        if self.remote is not None:
            return self.remote.changed
        try:
            return os.stat(self.path).st_mtime_ns
        except OSError:
            return None

    def sha256(self) -> str | None:
        """Digest of the stored bytes; reads the file if ``chunks`` did not come to its end.

        A remote file is not read again: then the digest is None, and ``etag`` says what was read.
        """
        if self._sha256 is None and self.remote is None:
            try:
                with open(self.path, "rb") as file:
                    self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                return None
        return self._sha256

    def explain(self, error: BaseException) -> str:
        """An error of this file in plain words, without the path."""
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        if self.remote is not None and isinstance(error, OSError):
            return describe(error)
        if isinstance(error, zlib.error):
            return f"damaged gzip data ({error})"
        lines = str(error).splitlines() or [type(error).__name__]
        return lines[0].replace(self.path, self.name)[:300]


class LineSplitter:
    """Splits bytes that come in pieces into lines, without their newline; a line of more than ``MAX_UNIT_BYTES`` is None.

    No more than ``MAX_UNIT_BYTES`` of an unfinished line are kept.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # of the unfinished line
        self._size = 0  # of the unfinished line, kept or not

    def split(self, data: bytes) -> Iterator[bytes | None]:
        """The lines that end in this piece."""
        first, *others = data.split(b"\n")
        self._add(first)
        if not others:
            return
        yield self._finish()
        last = others.pop()
        for line in others:
            yield line if len(line) <= MAX_UNIT_BYTES else None
        self._add(last)

    def rest(self) -> Iterator[bytes | None]:
        """The last line, if no newline ends it."""
        if self._size:
            yield self._finish()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_UNIT_BYTES:
            self._parts = []
        elif piece:
            self._parts.append(piece)

    def _finish(self) -> bytes | None:
        line = None if self._size > MAX_UNIT_BYTES else b"".join(self._parts)
        self._parts, self._size = [], 0
        return line


class BombError(OSError):
    """A file swells beyond all measure."""


class UntilBroken(Iterator[T]):
    """What an iterator gives up to an error of the file, which is kept in ``error``.

    So that a reader can give out the rows that it holds before it raises.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self.error: BaseException | None = None

    def __next__(self) -> T:
        try:
            return next(self._items)
        except BROKEN as error:
            self.error = error
            raise StopIteration from None


def read_whole(source: Source, limit: int) -> bytes | None:
    """All decompressed bytes, or None if there are more than ``limit``; no more than that is read."""
    pieces, size = [], 0
    for chunk in source.chunks():
        size += len(chunk)
        if size > limit:
            return None
        pieces.append(chunk)
    return b"".join(pieces)


class _Tap:
    """A file for reading that hashes what passes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.passed = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self.passed += len(data)
        return data

    @property
    def closed(self) -> bool:
        return self._file.closed

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Left to the owner of the file; Arrow closes what it reads from."""


def _plain(tap: _Tap) -> Iterator[bytes]:
    while chunk := tap.read(CHUNK_BYTES):
        yield chunk


def _gunzip(tap: _Tap) -> Iterator[bytes]:
    """All members of a gzip file; zeros after the last member are padding."""
    data = tap.read(_GZIP_PIECE)
    while data:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            data = data or tap.read(_GZIP_PIECE)
            ended = not data
            # The limit on the output keeps a highly compressed piece from filling the memory.
            piece = member.decompress(data, CHUNK_BYTES)
            data = member.unconsumed_tail
            if piece:
                yield piece
            elif ended:  # nothing to read and nothing pending inside zlib
                raise EOFError("the gzip data ends too early")
        data = member.unused_data.lstrip(b"\0")
        while not data and (chunk := tap.read(_GZIP_PIECE)):
            data = chunk.lstrip(b"\0")


def _unzstd(tap: _Tap) -> Iterator[bytes]:
    stream: Any = pa.CompressedInputStream(pa.PythonFile(tap, mode="r"), "zstd")
    # Small pieces: what was asked for in the call that meets a break is lost.
    while chunk := stream.read(_ZSTD_PIECE):
        yield chunk


DECOMPRESSORS: dict[str, Callable[[_Tap], Iterator[bytes]]] = {"": _plain, ".gz": _gunzip, ".zst": _unzstd}

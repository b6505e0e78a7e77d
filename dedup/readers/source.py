"""One input file: its name in the results, its decompressed bytes in pieces, its digest.

When a compressed file is damaged, gzip (by zlib) still yields everything before the damage, and
zstd (by Arrow) all but the last block. Nothing is retried.
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
#: A line, text file or JSON document of more bytes is rejected.
MAX_UNIT_BYTES = 256 << 20
#: A file that decompresses to more bytes, and to this many times its stored size, is a bomb (crawls
#: shrink 4 to 20 times).
BOMB_BYTES, BOMB_RATIO = 64 << 20, 250
#: Errors of a damaged or vanished file. ArrowException covers damaged Parquet.
BROKEN = (OSError, EOFError, zlib.error, pa.ArrowException)

T = TypeVar("T")

_GZIP = 31  # wbits of zlib: gzip header, largest window
_ZSTD_PIECE = _GZIP_PIECE = 1 << 16


@dataclass
class Source:
    """A file to read.

    Attributes
    ----------
    path : path of a local file, URL of a remote one
    name : name in results and messages, with forward slashes
    suffix : the suffix that chose the reader, without the compression: ``.jsonl``
    compression : ``.gz``, ``.zst`` or empty
    remote : location of a remote file, else None
    etag : the object store's tag of the content that was read; None for a local file
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
        return self._read_through(DECOMPRESSORS[self.compression])

    def stored(self) -> Iterator[bytes]:
        """The bytes as they are stored, for a reader that decompresses them itself."""
        return self._read_through(_plain)

    def _read_through(self, decompress: Callable[[_Tap], Iterator[bytes]]) -> Iterator[bytes]:
        with self._open_file() as file:
            tap = _Tap(file)
            size = 0
            for piece in decompress(tap):
                size += len(piece)
                if size > max(BOMB_BYTES, BOMB_RATIO * tap.passed):
                    raise BombError(f"a decompression bomb: {tap.passed / 1024:,.0f} KB became {size >> 20:,} MB; it is not read further")
                yield piece
            while tap.read(CHUNK_BYTES):  # bytes behind the last frame belong to the digest too
                pass
            self._sha256 = tap.digest.hexdigest()

    def _open_file(self) -> Any:
        if self.remote is None:
            return open(self.path, "rb")
        stream = self.remote.stream()
        self.etag = stream.etag
        return stream

    def random_access(self) -> Any:
        """For a reader that seeks: the path, or an open file if it is remote."""
        if self.remote is None:
            return self.path
        file = self.remote.open()
        self.etag = etag_of(file)
        return file

    def lines(self) -> Iterator[bytes | None]:
        """The lines, without newline; None for a line of more than ``MAX_UNIT_BYTES``."""
        splitter = LineSplitter()
        for chunk in self.chunks():
            yield from splitter.split(chunk)
        yield from splitter.rest()

    def size(self) -> int | None:
        """Stored size in bytes, or None if unknown."""
        if self.remote is not None:
            return self.remote.size
        try:
            return os.stat(self.path).st_size
        except OSError:
            return None

    def changed_at(self) -> int | None:
        """Time of the last change in nanoseconds since 1970, or None if unknown."""
        if self.remote is not None:
            return self.remote.changed
        try:
            return os.stat(self.path).st_mtime_ns
        except OSError:
            return None

    def sha256(self) -> str | None:
        """Digest of the stored bytes; reads a local file again unless it was read to its end.

        None for a remote file that was not read to its end; ``etag`` identifies its content.
        """
        if self._sha256 is None and self.remote is None:
            try:
                with open(self.path, "rb") as file:
                    self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                return None
        return self._sha256

    def explain(self, error: BaseException) -> str:
        """An error of this file in words, without the path."""
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        if self.remote is not None and isinstance(error, OSError):
            return describe(error)
        if isinstance(error, zlib.error):
            return f"damaged gzip data ({error})"
        lines = str(error).splitlines() or [type(error).__name__]
        return lines[0].replace(self.path, self.name)[:300]


class LineSplitter:
    """Splits a stream of bytes into lines, without newline; an overlong line becomes None.

    Never keeps more than ``MAX_UNIT_BYTES``, the limit of a line.
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
    """A file decompresses to far more bytes than any real one."""


class UntilBroken(Iterator[T]):
    """An iterator that ends at an error of the file and keeps it in ``error``.

    A reader can then yield the rows that it has collected before it raises the error.
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
    """All decompressed bytes, or None if there are more than ``limit``."""
    pieces, size = [], 0
    for chunk in source.chunks():
        size += len(chunk)
        if size > limit:
            return None
        pieces.append(chunk)
    return b"".join(pieces)


class _Tap:
    """A readable file that hashes all bytes read from it."""

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
        """Does nothing: Arrow closes the files it reads, but this one belongs to its owner."""


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
            elif ended:  # no input left, and no output pending inside zlib
                raise EOFError("the gzip data ends too early")
        data = member.unused_data.lstrip(b"\0")
        while not data and (chunk := tap.read(_GZIP_PIECE)):
            data = chunk.lstrip(b"\0")


def _unzstd(tap: _Tap) -> Iterator[bytes]:
    stream: Any = pa.CompressedInputStream(pa.PythonFile(tap, mode="r"), "zstd")
    # Small pieces: the call that meets the damage loses all that it was asked for.
    while chunk := stream.read(_ZSTD_PIECE):
        yield chunk


DECOMPRESSORS: dict[str, Callable[[_Tap], Iterator[bytes]]] = {"": _plain, ".gz": _gunzip, ".zst": _unzstd}

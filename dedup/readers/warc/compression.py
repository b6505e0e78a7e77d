"""Decompresses members of crawl files (gzip, zstd), from a window over the stored bytes."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator
from typing import Any

from ...errors import InputError

#: Reject reasons of a member.
DAMAGED, READ_ERROR = "damaged_member", "read_error"
#: Bytes that a decompressor gets at a time; few, because 1 KB can become 32 MB.
PIECE = 1 << 10
_GZIP = 31  # wbits of zlib: gzip header, largest window
SKIPPABLE = 0x184D2A50  # up to ...5F: a zstd frame without content
_DICTIONARY = 0x184D2A5D  # the first frame of a .warc.zst file may contain the dictionary of all others
#: Larger frames without content count as damage, so that a wrong size cannot hide much.
_MOST_SKIPPED = 16 << 20
_MOST_DICTIONARY = 64 << 20


class Window:
    """The most recent stored bytes of a file, some of which are read again after damage."""

    def __init__(self, stored: Iterator[bytes]) -> None:
        self._stored = stored
        self._bytes = bytearray()
        self._first = 0  # position of the first byte in _bytes
        self.error = ""  # why the file cannot be read to its end

    @property
    def passed(self) -> int:
        """Number of bytes read from the file so far."""
        return self._first + len(self._bytes)

    def piece(self, at: int, size: int) -> bytes:
        """``size`` bytes from position ``at``, fewer at the end of the file."""
        while self.passed < at + size and self._read_more():
            pass
        start = at - self._first
        return bytes(self._bytes[start : start + size])

    def find(self, magic: bytes, at: int) -> int | None:
        """Position of the next occurrence of these bytes, or None."""
        while True:
            found = self._bytes.find(magic, at - self._first)
            if found >= 0:
                return self._first + found
            at = max(at, self.passed - len(magic) + 1)
            self.forget(at)
            if not self._read_more():
                return None

    def drain(self) -> int:
        """Skip the rest of the file; returns its size."""
        while self._read_more():
            self.forget(self.passed)
        return self.passed

    def forget(self, before: int) -> None:
        """Release the bytes before this position, which are not needed again."""
        if before - self._first >= 1 << 20:
            del self._bytes[: before - self._first]
            self._first = before

    def _read_more(self) -> bool:
        try:
            chunk = next(self._stored, None)
        except OSError as error:
            if not self.passed:
                raise  # nothing was read yet: the file as a whole is unreadable
            self.error, chunk = error.strerror or type(error).__name__, None
        self._bytes += chunk or b""
        return chunk is not None


class MemberError(Exception):
    """A member is damaged.

    ``cut``: its content just ends; ``hopeless``: the rest of the file must not be read.
    """

    def __init__(self, detail: str, reason: str = DAMAGED, *, cut: bool = False, hopeless: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.cut = cut
        self.hopeless = hopeless


class Gzip:
    """Members of a gzip file."""

    magic = b"\x1f\x8b\x08"
    name = "gzip"

    def new_decompressor(self) -> Any:
        """A decompressor for one member."""
        return zlib.decompressobj(_GZIP)

    def decompress(self, member: Any, piece: bytes) -> bytes:
        """Decompress the next piece of a member; raises ``MemberError``."""
        try:
            return bytes(member.decompress(piece))
        except zlib.error as error:
            raise MemberError(f"damaged gzip data ({str(error).rpartition(': ')[2]})") from None

    def padding(self, window: Window, at: int) -> int:
        """Number of bytes to skip here: zeros behind a member are padding."""
        piece = window.piece(at, PIECE)
        return len(piece) - len(piece.lstrip(b"\0"))


class Zstd:
    """Frames of a zstd file; the first may contain the dictionary of all others."""

    magic = b"\x28\xb5\x2f\xfd"
    name = "zstd"

    def __init__(self, name: str) -> None:
        try:
            self._zstd: Any = importlib.import_module("zstandard")
        except ImportError:
            message = f"{name}: zstd files of a crawl need the package zstandard. Install it with: pip install 'dedup-news[crawl]'"
            raise InputError(message) from None
        self._reader = self._zstd.ZstdDecompressor()

    def new_decompressor(self) -> Any:
        """A decompressor for one member."""
        return self._reader.decompressobj(read_across_frames=False)

    def decompress(self, member: Any, piece: bytes) -> bytes:
        """Decompress the next piece of a member; raises ``MemberError``."""
        try:
            return bytes(member.decompress(piece))
        except self._zstd.ZstdError as error:
            raise MemberError(f"damaged zstd data ({str(error).rpartition(': ')[2]})") from None

    def padding(self, window: Window, at: int) -> int:
        """The size of a frame without content, to skip; loads the dictionary if it is one."""
        head = window.piece(at, 8)
        magic, size = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:], "little")
        if len(head) < 8 or magic & ~0xF != SKIPPABLE or size > _MOST_SKIPPED:
            return 0
        words = window.piece(at + 8, size)
        if magic == _DICTIONARY and at == 0:
            self._load_dictionary(words)
        return 8 + size if len(words) == size else 0  # else cut off, or no such frame

    def _load_dictionary(self, words: bytes) -> None:
        if words.startswith(self.magic):
            try:
                words = self._zstd.ZstdDecompressor().decompress(words, max_output_size=_MOST_DICTIONARY)
            except self._zstd.ZstdError:
                return  # then every frame that needs it fails, and is reported
        try:
            self._reader = self._zstd.ZstdDecompressor(dict_data=self._zstd.ZstdCompressionDict(words))
        except self._zstd.ZstdError:
            return

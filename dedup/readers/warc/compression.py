"""How members of crawl files are packed: gzip and zstd, and the window of stored bytes that they are read from."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator
from typing import Any

from ...errors import InputError

#: Why a member cannot be read.
DAMAGED, READ_ERROR = "damaged_member", "read_error"
#: Bytes fed to the decompressors at a time; few, because 1 KB can become 32 MB.
PIECE = 1 << 10
_GZIP = 31  # zlib's word for: gzip header, largest window
SKIPPABLE = 0x184D2A50  # to ...5F: a zstd frame without content
_DICTIONARY = 0x184D2A5D  # the first frame of a .warc.zst file may hold the dictionary of all others
#: Larger frames without content are taken for damage, so that a wrong size cannot hide much.
_MOST_SKIPPED = 16 << 20
_MOST_DICTIONARY = 64 << 20


class Window:
    """The last stored bytes, so that some can be read again."""

    def __init__(self, stored: Iterator[bytes]) -> None:
        self._stored = stored
        self._held = bytearray()
        self._first = 0  # position of the first byte held
        self.error = ""  # why the file cannot be read to its end

    @property
    def passed(self) -> int:
        """Bytes of the file seen so far."""
        return self._first + len(self._held)

    def piece(self, at: int, size: int) -> bytes:
        """``size`` bytes from ``at``, fewer at the end of the file."""
        while self.passed < at + size and self._more():
            pass
        start = at - self._first
        return bytes(self._held[start : start + size])

    def find(self, magic: bytes, at: int) -> int | None:
        """The next place with these bytes."""
        while True:
            found = self._held.find(magic, at - self._first)
            if found >= 0:
                return self._first + found
            at = max(at, self.passed - len(magic) + 1)
            self.forget(at)
            if not self._more():
                return None

    def drain(self) -> int:
        """Pass over the rest of the file and say where it ends."""
        while self._more():
            self.forget(self.passed)
        return self.passed

    def forget(self, before: int) -> None:
        """Bytes before this position are not asked for again."""
        if before - self._first >= 1 << 20:
            del self._held[: before - self._first]
            self._first = before

    def _more(self) -> bool:
        try:
            chunk = next(self._stored, None)
        except OSError as error:
            if not self.passed:
                raise  # there is nothing to save
            self.error, chunk = error.strerror or type(error).__name__, None
        self._held += chunk or b""
        return chunk is not None


class MemberError(Exception):
    """The member that is being read is damaged."""

    def __init__(self, detail: str, reason: str = DAMAGED, *, cut: bool = False, hopeless: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.cut = cut
        self.hopeless = hopeless


class Gzip:
    """Members of a gzip file."""

    magic = b"\x1f\x8b\x08"
    word = "gzip"

    def start(self) -> Any:
        """What unpacks one member."""
        return zlib.decompressobj(_GZIP)

    def unpack(self, member: Any, piece: bytes) -> bytes:
        """The content of the next piece of a member, or a ``MemberError``."""
        try:
            return bytes(member.decompress(piece))
        except zlib.error as error:
            raise MemberError(f"damaged gzip data ({str(error).rpartition(': ')[2]})") from None

    def padding(self, window: Window, at: int) -> int:
        """Zeros behind a member are padding; how many there are here."""
        piece = window.piece(at, PIECE)
        return len(piece) - len(piece.lstrip(b"\0"))


class Zstd:
    """Frames of a zstd file; one in front may hold the dictionary of all others."""

    magic = b"\x28\xb5\x2f\xfd"
    word = "zstd"

    def __init__(self, name: str) -> None:
        try:
            self._zstd: Any = importlib.import_module("zstandard")
        except ImportError:
            message = f"{name}: zstd files of a crawl need the package zstandard. Install it with: pip install 'dedup-news[crawl]'"
            raise InputError(message) from None
        self._reader = self._zstd.ZstdDecompressor()

    def start(self) -> Any:
        """What unpacks one member."""
        return self._reader.decompressobj(read_across_frames=False)

    def unpack(self, member: Any, piece: bytes) -> bytes:
        """The content of the next piece of a member, or a ``MemberError``."""
        try:
            return bytes(member.decompress(piece))
        except self._zstd.ZstdError as error:
            raise MemberError(f"damaged zstd data ({str(error).rpartition(': ')[2]})") from None

    def padding(self, window: Window, at: int) -> int:
        """The size of the frame here if it is one without content; the dictionary of the file may be in the first."""
        head = window.piece(at, 8)
        magic, size = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:], "little")
        if len(head) < 8 or magic & ~0xF != SKIPPABLE or size > _MOST_SKIPPED:
            return 0
        words = window.piece(at + 8, size)
        if magic == _DICTIONARY and at == 0:
            self._use(words)
        return 8 + size if len(words) == size else 0  # cut off, or no such frame

    def _use(self, words: bytes) -> None:
        if words.startswith(self.magic):
            try:
                words = self._zstd.ZstdDecompressor().decompress(words, max_output_size=_MOST_DICTIONARY)
            except self._zstd.ZstdError:
                return  # every frame that needs it is broken then, and says so
        try:
            self._reader = self._zstd.ZstdDecompressor(dict_data=self._zstd.ZstdCompressionDict(words))
        except self._zstd.ZstdError:
            return

"""Decompresses a crawl file member by member, and resumes behind damage.

Libraries stop at damage, hang, or return half a record as if it were whole. Time and memory are
bounded even for hostile files, and decompression bombs are cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .compression import PIECE, READ_ERROR, SKIPPABLE, Gzip, MemberError, Window, Zstd

#: A member that decompresses to more bytes, and to this many times its stored size, is a bomb
#: (pages shrink 4 to 20 times).
BOMB_BYTES, BOMB_RATIO = 64 << 20, 250
#: Most bytes that all large members of a file may decompress to, plus some for each stored byte.
MOST_EXPANDED, _EXPANDED_PER_BYTE = 1 << 30, 16
#: Stored bytes that are searched again: the next member may begin before the byte at which damage
#: is noticed.
LOOK_BACK = 4 << 20
#: Most bytes decompressed only to find out whether a member begins somewhere: for each byte of the
#: file, and in addition.
_TRIES_PER_BYTE, _TRIES = 4, 16 << 20
#: Further reject reasons of a gap.
GARBAGE, BOMB = "garbage", "bomb"


class Begin(NamedTuple):
    """A member begins at byte ``offset`` of the file; its content follows."""

    offset: int


class End(NamedTuple):
    """The member ended correctly, checksum included."""


class Break(NamedTuple):
    """A gap in the content.

    Attributes
    ----------
    offset : position in the file at which the damaged part begins
    reason : a key of ``reasons.REJECT_REASONS``
    clean : the damage lies between two members, so the content before the gap is sound
    cut : the content just ends here
    """

    offset: int
    reason: str
    detail: str
    clean: bool = False
    cut: bool = False


#: The parts of a decompressed file; plain bytes are content.
Event = Begin | bytes | End | Break


def read_members(stored: Iterator[bytes], *, compression: str, name: str) -> Iterator[Event]:
    """Decompress a crawl file; uncompressed files, and files of a single member, work too.

    Parameters
    ----------
    stored : the bytes of the file
    compression : ``.gz``, ``.zst`` or empty; used only if the first bytes are ambiguous
    name : name of the file, for messages

    Raises
    ------
    InputError
        If zstd is needed and the extra ``crawl`` is not installed.
    """
    window = Window(stored)
    first = window.piece(0, 5)
    magic = int.from_bytes(first[:4], "little")
    if first == b"WARC/":
        compression = ""
    elif first.startswith(Gzip.magic):
        compression = ".gz"
    elif first.startswith(Zstd.magic) or magic & ~0xF == SKIPPABLE:
        compression = ".zst"
    if not compression:
        return _plain(window)
    return _Members(window, Gzip() if compression == ".gz" else Zstd(name)).read()


def _plain(window: Window) -> Iterator[Event]:
    at = 0
    yield Begin(0)
    while piece := window.piece(at, 1 << 16):
        yield piece
        at += len(piece)
        window.forget(at)
    yield Break(at, READ_ERROR, window.error, cut=True) if window.error else End()


class _Members:
    """Reads the members of a compressed file in order."""

    def __init__(self, window: Window, codec: Gzip | Zstd) -> None:
        self._window = window
        self._codec = codec
        self._at = 0
        self._tried = 0
        self._expanded = 0

    def read(self) -> Iterator[Event]:
        window, codec = self._window, self._codec
        is_reported = False  # that the rest cannot be read
        while True:
            while size := codec.padding(window, self._at):
                self._at += size
                window.forget(self._at)
            start = self._at
            head = window.piece(start, len(codec.magic))
            if not head:
                if window.error and not is_reported:
                    yield Break(start, READ_ERROR, window.error, clean=True)
                return
            if head != codec.magic:
                self._seek_member(start + 1)
                yield Break(start, GARBAGE, f"{self._at - start:,} bytes that are no {codec.name} data", clean=True)
                continue
            yield Begin(start)
            try:
                yield from self._read_content()
                yield End()
            except MemberError as error:
                noticed = self._at
                self._tried += noticed - start  # these are read again: nested beginnings of members must not add up
                again = start + 1 if self._may_try else noticed
                if error.hopeless:
                    self._at = window.drain()
                else:
                    self._seek_member(max(again, noticed - LOOK_BACK))
                gap = f"; {self._at - start:,} bytes are lost" if window.piece(self._at, 1) else ""
                yield Break(start, error.reason, f"{error}{gap}", cut=error.cut)
                is_reported = error.reason == READ_ERROR

    def _read_content(self) -> Iterator[bytes]:
        """The content of the member that begins here; moves the position behind the bytes read."""
        member, start, size = self._codec.new_decompressor(), self._at, 0
        while not member.eof:
            piece = self._window.piece(self._at, PIECE)
            if not piece and self._window.error:
                raise MemberError(self._window.error, READ_ERROR, cut=True)
            if not piece:
                raise MemberError(f"the {self._codec.name} data ends too early", cut=True)
            content = self._codec.decompress(member, piece)
            self._at += len(piece) - len(member.unused_data)
            size += len(content)
            if size > BOMB_RATIO * (self._at - start):
                self._check_expansion(self._at - start, size, len(content))
            if content:
                yield content
            self._window.forget(max(start, self._at - LOOK_BACK))

    def _check_expansion(self, stored: int, size: int, content: int) -> None:
        """Raise an error for a decompression bomb, and for too many that are nearly bombs."""
        if size > 1 << 20:
            self._expanded += content
        if self._expanded > MOST_EXPANDED + _EXPANDED_PER_BYTE * self._window.passed:
            detail = f"decompression bombs: more than {self._expanded >> 20:,} MB in all; the file is not read further"
            raise MemberError(detail, BOMB, hopeless=True)
        if size > BOMB_BYTES:
            detail = f"a decompression bomb: {stored / 1024:,.0f} KB became {size >> 20:,} MB; it is not read further"
            raise MemberError(detail, BOMB)

    @property
    def _may_try(self) -> bool:
        return self._tried < _TRIES + _TRIES_PER_BYTE * self._window.passed

    def _seek_member(self, at: int) -> None:
        """Move to the next member at or behind ``at``, or to the end of the file."""
        magic = self._codec.magic
        while (found := self._window.find(magic, at)) is not None:
            if self._is_member(found):
                self._at = found
                return
            at = found + 1
        self._at = self._window.passed

    def _is_member(self, start: int) -> bool:
        """Whether a member begins here: with ``WARC/``, or sound and followed by another one."""
        member, at, begins = self._codec.new_decompressor(), start, b""
        size = 0
        try:
            while not member.eof and at - start < LOOK_BACK and size < BOMB_BYTES:
                piece = self._window.piece(at, PIECE)
                if not piece:
                    return False
                self._tried += 64  # a failure at the first byte costs something too
                content = self._codec.decompress(member, piece)
                self._tried += len(piece) + len(content) // 16
                begins += content[: 5 - len(begins)]
                if begins == b"WARC/":
                    return True
                if not self._may_try:
                    return False
                at += len(piece) - len(member.unused_data)
                size += len(content)
        except MemberError:
            return False
        # A member that continues a record. A compressed web page inside a broken member would look
        # the same, but no other compressed data follows it.
        return not member.eof or self._window.piece(at, len(self._codec.magic)) in (b"", self._codec.magic)

"""A compressed crawl file -> the content of its members, going on behind damage.

Crawl files are compressed piece by piece: one gzip member or one zstd frame a record, so that what follows a broken
piece can still be read. Libraries stop there (or, worse, hang, or give out half a record as if it were whole), hence this
file. Behind a break, reading goes on at the next place that begins like a member and either unpacks to ``WARC/``
or is sound to its end and followed by another member. A file of one single member works too, and plain files pass through.

At most a few megabytes are held. Looking for a way on costs a bounded multiple of the file's size, also in files made
to make it costly; a member that swells beyond all measure is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .compression import PIECE, READ_ERROR, SKIPPABLE, Gzip, MemberError, Window, Zstd

#: A member of more than so many bytes that is so many times as large as what is stored is a bomb (a page packs 4 to 20 times).
BOMB_BYTES, BOMB_RATIO = 64 << 20, 250
#: A file whose members swell by so many bytes in all, plus some for each byte stored, is not read further.
MOST_SWOLLEN, _SWOLLEN_PER_BYTE = 1 << 30, 16
#: Bytes stored before a break that are searched again: the next member can begin before the place where a break is noticed.
LOOK_BACK = 4 << 20
#: For each byte of the file, and in all, so many bytes may be unpacked only to find out whether reading can go on there.
_TRIES_PER_BYTE, _TRIES = 4, 16 << 20
#: More reasons of a gap.
GARBAGE, BOMB = "garbage", "bomb"


class Begin(NamedTuple):
    """A member begins at this byte of the file; the bytes that follow are its content."""

    offset: int


class End(NamedTuple):
    """The member ended as it should, checksum included."""


class Break(NamedTuple):
    """Here the content has a gap.

    ``offset`` is where the broken part begins in the file, ``reason`` a word of ``rejects.reason``. ``clean`` is true if the
    content before the gap is sound, because the break lies between two members; ``cut`` if the content just stops.
    """

    offset: int
    reason: str
    detail: str
    clean: bool = False
    cut: bool = False


#: What a file turns into. Content comes as plain bytes.
Event = Begin | bytes | End | Break


def read_members(stored: Iterator[bytes], *, compression: str, name: str) -> Iterator[Event]:
    """Undo the compression of a crawl file.

    Parameters
    ----------
    stored : the bytes of the file
    compression : ``.gz``, ``.zst`` or empty; believed only if the first bytes say nothing
    name : of the file, for messages

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
    """Reads member after member."""

    def __init__(self, window: Window, form: Gzip | Zstd) -> None:
        self._window = window
        self._form = form
        self._at = 0
        self._tried = 0
        self._swollen = 0

    def read(self) -> Iterator[Event]:
        window, form = self._window, self._form
        told = False  # that the rest cannot be read
        while True:
            while size := form.padding(window, self._at):
                self._at += size
                window.forget(self._at)
            start = self._at
            head = window.piece(start, len(form.magic))
            if not head:
                if window.error and not told:
                    yield Break(start, READ_ERROR, window.error, clean=True)
                return
            if head != form.magic:
                self._go_on_from(start + 1)
                yield Break(start, GARBAGE, f"{self._at - start:,} bytes that are no {form.word} data", clean=True)
                continue
            yield Begin(start)
            try:
                yield from self._content()
                yield End()
            except MemberError as error:
                noticed = self._at
                self._tried += noticed - start  # these are read again: members that begin inside one another must not add up
                again = start + 1 if self._may_try else noticed
                if error.hopeless:
                    self._at = window.drain()
                else:
                    self._go_on_from(max(again, noticed - LOOK_BACK))
                gap = f"; {self._at - start:,} bytes are lost" if window.piece(self._at, 1) else ""
                yield Break(start, error.reason, f"{error}{gap}", cut=error.cut)
                told = error.reason == READ_ERROR

    def _content(self) -> Iterator[bytes]:
        """The content of the member here; leaves the position behind what was read."""
        member, start, size = self._form.start(), self._at, 0
        while not member.eof:
            piece = self._window.piece(self._at, PIECE)
            if not piece and self._window.error:
                raise MemberError(self._window.error, READ_ERROR, cut=True)
            if not piece:
                raise MemberError(f"the {self._form.word} data ends too early", cut=True)
            content = self._form.unpack(member, piece)
            self._at += len(piece) - len(member.unused_data)
            size += len(content)
            if size > BOMB_RATIO * (self._at - start):
                self._measure(self._at - start, size, len(content))
            if content:
                yield content
            self._window.forget(max(start, self._at - LOOK_BACK))

    def _measure(self, stored: int, size: int, content: int) -> None:
        """Refuse a member that swells too much, and a file with too many of them."""
        if size > 1 << 20:
            self._swollen += content
        if self._swollen > MOST_SWOLLEN + _SWOLLEN_PER_BYTE * self._window.passed:
            detail = f"decompression bombs: more than {self._swollen >> 20:,} MB in all; the file is not read further"
            raise MemberError(detail, BOMB, hopeless=True)
        if size > BOMB_BYTES:
            detail = f"a decompression bomb: {stored / 1024:,.0f} KB became {size >> 20:,} MB; it is not read further"
            raise MemberError(detail, BOMB)

    @property
    def _may_try(self) -> bool:
        return self._tried < _TRIES + _TRIES_PER_BYTE * self._window.passed

    def _go_on_from(self, at: int) -> None:
        """Move to the next member, or to the end of the file."""
        magic = self._form.magic
        while (found := self._window.find(magic, at)) is not None:
            if self._is_member(found):
                self._at = found
                return
            at = found + 1
        self._at = self._window.passed

    def _is_member(self, start: int) -> bool:
        member, at, begins = self._form.start(), start, b""
        size = 0
        try:
            while not member.eof and at - start < LOOK_BACK and size < BOMB_BYTES:
                piece = self._window.piece(at, PIECE)
                if not piece:
                    return False
                self._tried += 64  # also what fails at once costs something
                content = self._form.unpack(member, piece)
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
        # Members that begin in the middle of a record: a packed web page inside a broken member would look the same, but
        # nothing that is packed follows it.
        return not member.eof or self._window.piece(at, len(self._form.magic)) in (b"", self._form.magic)

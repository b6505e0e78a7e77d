"""Splits the content of a crawl file into WARC records; everything else is damage.

A record is yielded only once a record, the end of its member (checksum included) or the end of the
file follows it. After damage, reading resumes at the next record header.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from .compression import DAMAGED, READ_ERROR
from .members import BOMB, GARBAGE, Begin, Break, End, Event

#: Most bytes of a header.
MAX_HEADER = 64 << 10
#: Bytes that are kept of a block that is too large, to recognize its type.
KEPT_OF_LARGE = 64 << 10
#: Start of a header; behind damage it may be anywhere.
_HEADER = re.compile(rb"WARC/[01]\.\d{1,2}\r?\n[A-Za-z][A-Za-z-]{1,60}:")
_LONGEST_MATCH = 80
#: A blank line, or another header if this one is cut off: in one search, so that headers without
#: end cost no more than others.
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n|(?=" + _HEADER.pattern + rb")")
_BLANKS = re.compile(rb"[\r\n]*")
#: Most line ends behind a block; the standard has two.
_MOST_BLANKS = 16
_FEW_BLANKS = re.compile(rb"[\r\n]{0,16}")
_LENGTH = re.compile(r"\d{1,18}")
_DIGESTS = {"sha1": "sha1", "sha-1": "sha1", "sha256": "sha256", "sha-256": "sha256", "md5": "md5", "sha512": "sha512", "sha-512": "sha512"}


class Record(NamedTuple):
    """A WARC record.

    Attributes
    ----------
    number : number among the records and damages of the file, from 0
    place : where it begins, in words
    fields : header fields, names in lower case
    block : its content: ``length`` bytes, or only the first of them if that is more than the limit
    """

    number: int
    place: str
    fields: dict[str, str]
    block: bytes
    length: int


class Damage(NamedTuple):
    """A stretch of the file that is no whole record."""

    number: int
    reason: str
    detail: str


class _DamageError(Exception):
    """The record is damaged; reading resumes at the current position of the content.

    A gap right at this position belongs to the same damage and is skipped.
    """

    def __init__(self, reason: str, detail: str, content: _Content) -> None:
        gap = content.take_gap() if content.left == 0 else None
        super().__init__(detail if gap is None else f"{detail} ({gap.detail})" if detail else gap.detail)
        self.reason = gap.reason if gap is not None and gap.reason in (BOMB, READ_ERROR) else reason


def read_records(events: Iterator[Event], *, limit: int) -> Iterator[Record | Damage]:
    """Split content into records.

    Parameters
    ----------
    events : content and gaps, as of ``members.read_members``
    limit : most bytes of a block; only the start of a larger one is kept
    """
    content = _Content(events)
    number = 0
    while content.skip_blanks():
        place = content.place()
        try:
            yield _read_record(content, number, place, limit)
        except _DamageError as bad:
            yield Damage(number, bad.reason, f"{place}: {bad}")
        number += 1


class _Content:
    """The content from the current position on, as far as it was read, up to the next gap."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.bytes = bytearray()
        # ``at`` and all ends are indexes into ``bytes``; positions with an underscore count from
        # the first byte of the content.
        self.at = 0
        self.gap: Break | None = None  # right behind ``bytes``
        self._dropped = 0  # number of bytes released from the front of ``bytes``
        self._sound_to = 0  # up to here the checksums were right
        self._begins: deque[tuple[int, int]] = deque()  # members: position and offset in the file
        self._positions: set[int] = set()  # those of ``_begins``
        self._new_member: int | None = None  # position of a member whose first bytes are still missing
        self._records: deque[int] = deque()  # positions of members that begin with a record

    @property
    def left(self) -> int:
        """Number of bytes from the current position to the end of ``bytes``."""
        return len(self.bytes) - self.at

    def more(self) -> bool:
        """Read one more event; false at a gap and at the end."""
        if self.gap is not None:
            return False
        event = next(self._events, None)
        here = self._dropped + len(self.bytes)
        if isinstance(event, bytes):
            self.bytes += event
            if self._new_member is not None and len(self.bytes) >= self._new_member - self._dropped + 5:
                if self.bytes.startswith(b"WARC/", self._new_member - self._dropped):
                    self._records.append(self._new_member)
                self._new_member = None
        elif isinstance(event, Begin):
            self._begins.append((here, event.offset))
            self._positions.add(here)
            self._new_member = here
        elif isinstance(event, End):
            self._sound_to = here
        else:
            self.gap = event
        return self.gap is None and event is not None

    def need(self, size: int) -> bool:
        """Read until ``size`` bytes are available; false if there are fewer before the next gap."""
        while self.left < size and self.more():
            pass
        return self.left >= size

    def forget(self) -> None:
        """Release the bytes before the current position; indexes into ``bytes`` change."""
        if self.at > 1 << 16:
            self._dropped += self.at
            del self.bytes[: self.at]
            self.at = 0

    def skip_blanks(self) -> bool:
        """Move past blank lines; false at the end of the content. A gap is not the end."""
        while True:
            self.at = _BLANKS.match(self.bytes, self.at).end()  # type: ignore[union-attr]
            self.forget()
            if self.left or (not self.more() and self.left == 0):
                return self.left > 0 or self.gap is not None

    def take_gap(self) -> Break | None:
        """Skip and return the gap, if there is one."""
        gap, self.gap = self.gap, None
        return gap

    def place(self) -> str:
        """The current position, in words."""
        if self.left == 0 and self.gap is not None:
            return f"byte {self.gap.offset:,}"
        here = self._dropped + self.at
        while len(self._begins) > 1 and self._begins[1][0] <= here:
            self._positions.discard(self._begins.popleft()[0])
        begins, offset = self._begins[0]
        return f"byte {offset:,}" if here == begins else f"{here - begins:,} bytes into the member at byte {offset:,}"

    def record_within(self, end: int) -> int | None:
        """The first index before ``end`` at which a member begins with a record, or None."""
        while self._records and self._records[0] <= self._dropped + self.at:
            self._records.popleft()
        place = self._records[0] - self._dropped if self._records else end
        return place if place < end else None

    def ends_well(self, end: int) -> bool:
        """Whether a blank line, record, member or the end follows a record that ends here."""
        self.need(end - self.at + _MOST_BLANKS + 5)
        behind = _FEW_BLANKS.match(self.bytes, end).end()  # type: ignore[union-attr]
        if behind - end >= 4 or b"WARC/".startswith(bytes(self.bytes[behind : behind + 5])):
            return True
        return any(self._dropped + place in self._positions for place in range(end, behind + 1))

    def is_sound(self, end: int) -> bool:
        """False if the gap may affect the record that ends here; a mere end of file does not."""
        if self.gap is None or self.gap.clean or self.gap.cut or self._dropped + end <= self._sound_to:
            return True
        return bool(self.bytes[end:].strip(b"\r\n"))

    def seek_header(self, *, past: int = 0, within: int | None = None) -> int:
        """Move to the next header or gap, or by ``within`` bytes; returns the number of bytes."""
        passed = past
        self.at += past
        while True:
            found = _HEADER.search(self.bytes, self.at)
            step = found.start() - self.at if found else max(0, self.left - _LONGEST_MATCH)
            if within is not None and passed + step >= within:
                self.at += within - passed
                return within
            self.at += step
            passed += step
            if found:
                return passed
            self.forget()
            if not self.more():
                rest = self.left if within is None else min(self.left, within - passed)
                self.at += rest
                return passed + rest


def _read_record(content: _Content, number: int, place: str, limit: int) -> Record:
    if content.left == 0:
        raise _DamageError(content.gap.reason if content.gap else DAMAGED, "", content)
    fields = _read_header(content)
    length = _content_length(fields, content)
    if length > limit:
        return _read_large_record(content, Record(number, place, fields, b"", length), limit)
    whole = content.need(length)
    end = content.at + length
    member = content.record_within(end)
    if member is not None:
        there, content.at = member - content.at, member
        raise _DamageError("truncated_record", f"its member ends after {there:,} of {length:,} bytes", content)
    if not whole:
        there = content.left
        found = content.seek_header()
        if content.left:
            raise _DamageError("bad_length", f"{length:,} bytes announced, but another record begins after {found:,}", content)
        raise _DamageError("truncated_record", f"{there:,} of {length:,} bytes", content)
    if not content.ends_well(end):
        found = content.seek_header()
        what = f"another record begins after {found:,}" if content.left else "no record follows them"
        raise _DamageError("bad_length", f"{length:,} bytes announced, but {what}", content)
    block = bytes(content.bytes[content.at : end])
    sound, right = content.is_sound(end), _digest_is_right(fields, block)
    content.at = end if sound or right else len(content.bytes)
    if right is False:
        written = fields["warc-block-digest"][:80]
        raise _DamageError("bad_digest", f"WARC-Block-Digest says {written}, but the block has another", content)
    if not sound and not right:
        raise _DamageError(DAMAGED, "", content)
    return Record(number, place, fields, block, length)


def _read_header(content: _Content) -> dict[str, str]:
    """Read the fields of a header and move behind it."""
    if not content.need(5) or not content.bytes.startswith(b"WARC/", content.at):
        passed = content.seek_header()
        raise _DamageError(GARBAGE, f"{passed:,} bytes that are no record", content)
    looked = content.at + 5
    while not (found := _END_OF_HEADER.search(content.bytes, looked)):
        if content.left > MAX_HEADER:
            content.seek_header(past=5)
            raise _DamageError("bad_header", f"a header of more than {MAX_HEADER >> 10} KB", content)
        known = len(content.bytes)
        if not content.more():
            raise _cut_header(content)
        looked = max(looked, known - _LONGEST_MATCH)
    if not found.group() or content.record_within(found.start()) is not None:
        raise _cut_header(content)
    lines = bytes(content.bytes[content.at : found.start()]).decode("utf-8", "replace").replace("\r", "").split("\n")
    if not _HEADER.match(content.bytes, content.at):
        content.seek_header(past=5)
        raise _DamageError("bad_header", f"it begins with {lines[0][:40]!r}", content)
    content.at = found.end()
    return fields_of(lines[1:])


def _cut_header(content: _Content) -> _DamageError:
    content.seek_header(past=5)
    return _DamageError("truncated_record", "it ends within its header", content)


def fields_of(lines: list[str]) -> dict[str, str]:
    """Names in lower case -> values; of a repeated field, the first counts."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines:
        if line[:1] in (" ", "\t"):
            if last:
                fields[last] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        last = name.strip().lower() if colon else ""
        if last in fields:
            last = ""
        elif last:
            fields[last] = value.strip()
    return fields


def _content_length(fields: dict[str, str], content: _Content) -> int:
    text = fields.get("content-length", "")
    if not _LENGTH.fullmatch(text) or not text.isascii():
        content.seek_header()
        raise _DamageError("bad_header", f"Content-Length is {text[:40]!r}" if text else "no Content-Length", content)
    return int(text)


def _read_large_record(content: _Content, record: Record, limit: int) -> Record:
    content.need(min(record.length, KEPT_OF_LARGE))
    head = bytes(content.bytes[content.at : content.at + min(record.length, KEPT_OF_LARGE)])
    passed = content.seek_header(within=record.length)
    if passed < record.length:
        if content.left:
            raise _DamageError("bad_length", f"{record.length:,} bytes announced, but another record begins after {passed:,}", content)
        raise _DamageError("truncated_record", f"{passed:,} of {record.length:,} bytes", content)
    return record._replace(block=head)


def _digest_is_right(fields: dict[str, str], block: bytes) -> bool | None:
    """Whether the block matches its digest; None if there is none of a known format."""
    name, _, written = fields.get("warc-block-digest", "").partition(":")
    algorithm = _DIGESTS.get(name.strip().lower())
    if algorithm is None:
        return None
    digest, written = hashlib.new(algorithm, block, usedforsecurity=False), written.strip()
    if len(written) == 2 * digest.digest_size:
        return written.lower() == digest.hexdigest()
    expected = base64.b32encode(digest.digest()).decode()
    if len(written.rstrip("=")) == len(expected.rstrip("=")):
        return written.upper().rstrip("=") == expected.rstrip("=")
    return None

"""Posting segments: immutable files of keys and what they list, mapped into memory and read at random.

A segment spreads its keys by one multiplication, keeps the top 40 bits, and sorts by them: ``2**bits`` buckets of about ten entries, a
directory of where each begins, and three parallel arrays with a further 16 bits of the key, 8 more where ``bits`` leaves any, and the
value. A key that is not there costs two reads from memory: the directory and the bucket's 16 bits. Because 40 bits are kept whatever
``bits`` is, segments are merged without the full keys.

Limits. Two keys that agree in those 40 bits list what both list: of 100 million postings, one key in 10,000 that is sought in vain finds
something. So who reads candidates must verify them. What a key lists comes in the order in which it was added, the first first.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ...arrays.rows import Ints
from ...kernels.index.segment_reader import SegmentArrays, find_in_segment, join_rows
from ...kernels.index.segment_writer import count_remaining, partition_postings, read_part, write_parts
from ..store import Hashes, PostingLists, Values

Arrays = dict[str, npt.NDArray[Any]]

MAGIC = b"dedupseg"
VERSION = 1
END = b"\nend"
_HEAD = struct.Struct("<8sIII")
_FOOT = struct.Struct("<I4s")
_ALIGNMENT = 64
_CHUNK = 1 << 22


class Damaged(Exception):  # noqa: N818 - reads as what it says of the file
    """A file is not what was written, or was never one of these; the message says what is wrong with which."""


def _aligned(place: int) -> int:
    return -(-place // _ALIGNMENT) * _ALIGNMENT


def write_arrays(path: Path, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a file and wait until its bytes are on the disk."""
    listed = [[name, array.dtype.str, len(array)] for name, array in arrays.items()]
    header = json.dumps({**facts, "arrays": listed}).encode()
    with open(path, "wb") as file:
        checksum = 0
        for piece in _pieces(_HEAD.pack(MAGIC, VERSION, len(header), zlib.crc32(header)) + header, arrays):
            file.write(piece)
            checksum = zlib.crc32(piece, checksum)
        file.write(_FOOT.pack(checksum, END))
        file.flush()
        os.fsync(file.fileno())


def _pieces(head: bytes, arrays: Arrays) -> Iterator[bytes | memoryview]:
    yield head
    place = len(head)
    for array in arrays.values():
        yield bytes(_aligned(place) - place)
        place = _aligned(place) + array.nbytes
        whole = np.ascontiguousarray(array).view(np.uint8).data
        for start in range(0, len(whole), _CHUNK):
            yield whole[start : start + _CHUNK]


def read_arrays(path: Path) -> tuple[dict[str, Any], Arrays]:
    """(facts, arrays) of a file: the arrays are mapped and read-only, and stay so when the file is deleted.

    Raises
    ------
    Damaged
        If there is no file, or its beginning or its size is wrong. Everything else: see ``check_file``.
    """
    try:
        with open(path, "rb") as file:
            facts, place = _read_head(path, file)
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise Damaged(f"{path}: there is no such file") from None
    try:
        shapes = [(str(name), np.dtype(dtype), int(length)) for name, dtype, length in facts.pop("arrays")]
    except (KeyError, TypeError, ValueError):
        raise Damaged(f"{path}: its header does not say which arrays it holds") from None
    arrays: Arrays = {}
    places = []
    for _, dtype, length in shapes:
        places.append(_aligned(place))
        place = places[-1] + dtype.itemsize * length
    if len(whole) != place + _FOOT.size:
        raise Damaged(f"{path}: it has {len(whole)} bytes and should have {place + _FOOT.size}")
    if whole[place + 4 :] != END:
        raise Damaged(f"{path}: its end is missing")
    for (name, dtype, length), start in zip(shapes, places, strict=True):
        arrays[name] = np.frombuffer(whole, dtype, length, start) if length else np.frombuffer(b"", dtype)
    return facts, arrays


def _read_head(path: Path, file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The JSON at the beginning, and where it ends."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(MAGIC):
        raise Damaged(f"{path}: it does not begin like a file of postings")
    _, version, length, checksum = _HEAD.unpack(head)
    if version != VERSION:
        raise Damaged(f"{path}: it has format version {version}, and this version of dedup reads {VERSION}")
    header = file.read(length)
    if len(header) < length or zlib.crc32(header) != checksum:
        raise Damaged(f"{path}: its header is torn or changed")
    facts = json.loads(header)
    if not isinstance(facts, dict):
        raise Damaged(f"{path}: its header holds no facts")
    return facts, _HEAD.size + length


def check_file(path: Path) -> None:
    """Read a whole file.

    Raises
    ------
    Damaged
        If a byte of it is not what was written.
    """
    read_arrays(path)
    left = path.stat().st_size - _FOOT.size
    checksum = 0
    with open(path, "rb") as file:
        while left and (piece := file.read(min(_CHUNK, left))):
            checksum = zlib.crc32(piece, checksum)
            left -= len(piece)
        foot = file.read()
    if left or foot != _FOOT.pack(checksum, END):
        raise Damaged(f"{path}: its checksum is wrong, bytes in it have changed")


__all__ = ["Damaged", "Segment", "join_hits"]

#: Bits of the spread key that are kept, in the bucket's number and the entry together.
KEPT_BITS = 40
FEWEST_BITS, MOST_BITS = 16, 32
#: From here on the entry keeps 16 bits and none more.
NARROW_BITS = KEPT_BITS - 16
#: Segments are made in parts of about so many postings, which fit into a processor's cache.
_PART = 1 << 15
_NO_LIMIT = 1 << 62


def _bits_for(count: int) -> int:
    """The bits of the directory that make the smallest segment, with 12 entries a bucket at most if they are spread evenly."""
    fewest = min(max((count // 6).bit_length() - 1, FEWEST_BITS), MOST_BITS)

    def nbytes(bits: int) -> int:
        return (4 << bits) + count * (6 + (bits < NARROW_BITS))

    return min(range(fewest, min(fewest + 3, MOST_BITS + 1)), key=nbytes)


def _shapes(bits: int, count: int) -> dict[str, tuple[np.dtype[Any], int]]:
    """Of which type and how long each array of a segment is."""
    place = np.dtype(np.uint32 if count < 1 << 32 else np.uint64)
    high = count if bits < NARROW_BITS else 0
    return {
        "directory": (place, (1 << bits) + 1),
        "low": (np.dtype(np.uint16), count),
        "high": (np.dtype(np.uint8), high),
        "values": (np.dtype(np.uint32), count),
    }


def _part_bits_for(count: int) -> int:
    return min(max((count // _PART).bit_length(), 8), 16)


@dataclass(frozen=True, eq=False)
class _Room:
    """Arrays of a segment that is being made."""

    bits: int
    directory: npt.NDArray[Any]
    low: npt.NDArray[np.uint16]
    high: npt.NDArray[np.uint8]
    values: Values

    @classmethod
    def of(cls, count: int) -> _Room:
        bits = _bits_for(count)
        return cls(bits, **{name: np.empty(length, dtype) for name, (dtype, length) in _shapes(bits, count).items()})

    def write_parts(self, packed: Hashes, starts: Ints, first_part: int, part_bits: int, once: bool, used: int) -> int:
        arrays = SegmentArrays(self.directory, self.low, self.high, self.values, self.bits)
        return int(write_parts(packed, starts, first_part, part_bits, once, arrays, used))

    def segment(self, count: int) -> Segment:
        """The first entries; read-only, as mapped arrays are: kernels are compiled for that."""
        places, _ = _shapes(self.bits, count)["directory"]
        arrays = self.directory.astype(places, copy=False), self.low[:count], self.high[:count], self.values[:count]
        for array in arrays:
            array.flags.writeable = False
        return Segment(self.bits, *arrays)


@dataclass(frozen=True, eq=False)
class Segment:
    """What keys list, immutable. ``bits`` and the arrays: see ``kernels/lookup.py``; ``path`` is where it was opened, None in memory."""

    bits: int
    directory: npt.NDArray[np.uint32] | npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint16]
    high: npt.NDArray[np.uint8]
    values: Values
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, in memory or mapped."""
        return sum(array.nbytes for array in self._arrays().values())

    @cached_property
    def arrays(self) -> SegmentArrays:
        """The segment as its kernels take it."""
        return SegmentArrays(self.directory, self.low, self.high, self.values, self.bits)

    def _arrays(self) -> Arrays:
        return {"directory": self.directory, "low": self.low, "high": self.high, "values": self.values}

    @classmethod
    def build(cls, keys: Hashes, values: Values) -> Segment:
        """A segment in memory of postings (keys uint64[n], values uint32[n]) in the order in which they were added.

        Memory: 8 bytes a posting besides the result.
        """
        keys, values = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(values, np.uint32)
        part_bits, room = _part_bits_for(len(keys)), _Room.of(len(keys))
        packed, starts = partition_postings(keys, values, part_bits)
        return room.segment(room.write_parts(packed, starts, 0, part_bits, False, 0))

    @classmethod
    def merge(cls, segments: Sequence[Segment], gone: Ints) -> Segment:
        """One segment, in memory, of several, the older ones first.

        Without the postings of the document numbers in ``gone`` (int64[n], ascending); of a key that lists one value several times the
        first stays. Memory: the result, and little more.
        """
        marks = _marked(gone)
        count = sum(int(count_remaining(segment.values, marks)) if len(gone) else len(segment) for segment in segments)
        part_bits, room = _part_bits_for(count), _Room.of(count)
        sizes = sum((_part_sizes(segment, part_bits) for segment in segments), np.zeros(1 << part_bits, np.int64))
        packed = np.empty(int(sizes.max()) + 1, np.uint64)  # one more: what is left out is written, too, before it is overwritten
        used = 0
        for part in range(1 << part_bits):
            read = 0
            for segment in segments:
                read = read_part(segment.arrays, part, part_bits, marks, packed, read)
            used = room.write_parts(packed[:read], np.array([0, read]), part, part_bits, True, used)
        return room.segment(used)

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """What the keys of each row list (uint64[n_keys], offsets int64[n_rows + 1]), of a key that lists more the first ``most``."""
        keys, offsets = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(offsets, np.int64)
        return PostingLists(*find_in_segment(self.arrays, keys, offsets, most))

    def all_values(self, key: int) -> Values:
        """uint32[n]: all that one key lists, the first added first."""
        return self.lookup(np.array([key], np.uint64), np.array([0, 1]), _NO_LIMIT).values

    def write(self, path: str | Path) -> None:
        """Write a file, and wait until it is on the disk; its name in the folder is the caller's to make last."""
        write_arrays(Path(path), {"bits": self.bits, "count": len(self)}, self._arrays())

    @classmethod
    def open(cls, path: str | Path) -> Segment:
        """Map a file that ``write`` made. It stays mapped as long as the segment or one of its arrays is in use.

        Raises
        ------
        Damaged
            If it is no such file, has another version, or does not have the size that it says. The postings are not read, see ``verify``.
        """
        path = Path(path)
        facts, arrays = read_arrays(path)
        bits, count = facts.get("bits"), facts.get("count")
        if not isinstance(bits, int) or not isinstance(count, int) or not FEWEST_BITS <= bits <= MOST_BITS or count < 0:
            raise Damaged(f"{path}: a segment of {count} entries and {bits} bits cannot be")
        if {name: (array.dtype, len(array)) for name, array in arrays.items()} != _shapes(bits, count):
            raise Damaged(f"{path}: its arrays are not those of {count} entries and {bits} bits")
        return cls(bits, arrays["directory"], arrays["low"], arrays["high"], arrays["values"], path)

    def verify(self) -> None:
        """Read the whole file that this segment was opened from; nothing to do for one in memory.

        Raises
        ------
        Damaged
            If a byte of it is not what was written.
        """
        if self.path is not None:
            check_file(self.path)


def _part_sizes(segment: Segment, part_bits: int) -> Ints:
    """int64[2**part_bits]: how many entries of a segment each part has. Entries are written by these, so they must be sound."""
    begins = segment.directory[:: 1 << (segment.bits - part_bits)].astype(np.int64)
    sizes = np.diff(begins)
    if begins[0] != 0 or begins[-1] != len(segment) or sizes.min() < 0:
        raise Damaged(f"{segment.path or 'a segment in memory'}: its directory is out of order")
    return sizes


def _marked(numbers: Ints) -> Hashes:
    """A bit for each number up to the largest: uint64[words]."""
    numbers = np.asarray(numbers, np.int64)
    flags = np.zeros((int(numbers.max(initial=-1)) // 64 + 1) * 64, np.bool_)
    flags[numbers] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def join_hits(parts: Sequence[PostingLists]) -> PostingLists:
    """What several segments list for the same rows, as one: of each row first what the first part has.

    ``cut`` is the sum: a key whose lists were cut in two segments counts twice. Of no parts: no rows.
    """
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return PostingLists(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty(0, np.int64))
    cut: Ints = np.sum([part.truncated for part in parts], axis=0)
    if len(cut) == 1:  # by far the most frequent case
        found = np.concatenate([part.values for part in parts])
        return PostingLists(found, np.array([0, len(found)]), cut)
    sizes = [len(part.values) for part in parts]
    bases = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    values, offsets = join_rows(np.concatenate([part.values for part in parts]), bases, np.stack([part.offsets for part in parts]))
    return PostingLists(values, offsets, cut)

"""Posting segments: immutable, memory-mapped files of keys and their posting lists.

Keys are hashed, and 40 bits are kept, so rare false hits occur: callers must verify candidates. See
``Segment``.
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


class DamagedFileError(Exception):
    """A file is damaged, or is not a posting file; the message names it and says what is wrong."""


def _aligned(place: int) -> int:
    return -(-place // _ALIGNMENT) * _ALIGNMENT


def write_arrays(path: Path, metadata: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a file and sync it to disk."""
    listed = [[name, array.dtype.str, len(array)] for name, array in arrays.items()]
    header = json.dumps({**metadata, "arrays": listed}).encode()
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
    """Read metadata and arrays of a file; the memory-mapped arrays survive its deletion.

    Raises
    ------
    DamagedFileError
        If there is no file, or its header or size is wrong. The rest is checked by ``check_file``.
    """
    try:
        with open(path, "rb") as file:
            metadata, place = _read_head(path, file)
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise DamagedFileError(f"{path}: there is no such file") from None
    try:
        shapes = [(str(name), np.dtype(dtype), int(length)) for name, dtype, length in metadata.pop("arrays")]
    except (KeyError, TypeError, ValueError):
        raise DamagedFileError(f"{path}: its header does not list its arrays") from None
    arrays: Arrays = {}
    places = []
    for _, dtype, length in shapes:
        places.append(_aligned(place))
        place = places[-1] + dtype.itemsize * length
    if len(whole) != place + _FOOT.size:
        raise DamagedFileError(f"{path}: it has {len(whole)} bytes and should have {place + _FOOT.size}")
    if whole[place + 4 :] != END:
        raise DamagedFileError(f"{path}: its end is missing")
    for (name, dtype, length), start in zip(shapes, places, strict=True):
        arrays[name] = np.frombuffer(whole, dtype, length, start) if length else np.frombuffer(b"", dtype)
    return metadata, arrays


def _read_head(path: Path, file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Read the JSON header; return it and where it ends."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(MAGIC):
        raise DamagedFileError(f"{path}: it does not begin like a posting file")
    _, version, length, checksum = _HEAD.unpack(head)
    if version != VERSION:
        raise DamagedFileError(f"{path}: it has format version {version}, and this version of dedup reads {VERSION}")
    header = file.read(length)
    if len(header) < length or zlib.crc32(header) != checksum:
        raise DamagedFileError(f"{path}: its header is truncated or changed")
    metadata = json.loads(header)
    if not isinstance(metadata, dict):
        raise DamagedFileError(f"{path}: its header is not an object")
    return metadata, _HEAD.size + length


def check_file(path: Path) -> None:
    """Verify the checksum of a whole file.

    Raises
    ------
    DamagedFileError
        If any byte has changed.
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
        raise DamagedFileError(f"{path}: its checksum is wrong, so bytes have changed")


__all__ = ["DamagedFileError", "Segment", "join_hits"]

#: Bits kept of the hashed key, in bucket number and entry together.
KEPT_BITS = 40
FEWEST_BITS, MOST_BITS = 16, 32
#: With a directory of at least this many bits, entries keep 16 bits only.
NARROW_BITS = KEPT_BITS - 16
#: Segments are built in parts of about this many postings, which fit into a processor cache.
_PART = 1 << 15
_NO_LIMIT = 1 << 62


def _bits_for(count: int) -> int:
    """Directory bits that give the smallest segment with at most 12 entries a bucket on average."""
    fewest = min(max((count // 6).bit_length() - 1, FEWEST_BITS), MOST_BITS)

    def nbytes(bits: int) -> int:
        return (4 << bits) + count * (6 + (bits < NARROW_BITS))

    return min(range(fewest, min(fewest + 3, MOST_BITS + 1)), key=nbytes)


def _shapes(bits: int, count: int) -> dict[str, tuple[np.dtype[Any], int]]:
    """Type and length of each array of a segment."""
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
class _SegmentBuilder:
    """Arrays of a segment under construction."""

    bits: int
    directory: npt.NDArray[Any]
    low: npt.NDArray[np.uint16]
    high: npt.NDArray[np.uint8]
    values: Values

    @classmethod
    def of(cls, count: int) -> _SegmentBuilder:
        bits = _bits_for(count)
        return cls(bits, **{name: np.empty(length, dtype) for name, (dtype, length) in _shapes(bits, count).items()})

    def write_parts(self, packed: Hashes, starts: Ints, first_part: int, part_bits: int, once: bool, used: int) -> int:
        arrays = SegmentArrays(self.directory, self.low, self.high, self.values, self.bits)
        return int(write_parts(packed, starts, first_part, part_bits, once, arrays, used))

    def segment(self, count: int) -> Segment:
        """Make a segment of the first entries; read-only like mapped arrays, as kernels expect."""
        places, _ = _shapes(self.bits, count)["directory"]
        arrays = self.directory.astype(places, copy=False), self.low[:count], self.high[:count], self.values[:count]
        for array in arrays:
            array.flags.writeable = False
        return Segment(self.bits, *arrays)


@dataclass(frozen=True, eq=False)
class Segment:
    """An immutable inverted index from keys to values.

    A key is hashed by one multiplication, of which the top 40 bits are kept. Entries are sorted by
    them into ``2**bits`` buckets of about ten. ``directory`` says where each bucket begins; three
    parallel arrays hold the next 16 bits of the key, 8 more if ``bits`` leaves any, and the value.
    Looking up an absent key costs two memory accesses: the directory and the 16 bits of a bucket.
    As 40 bits are kept whatever ``bits`` is, segments merge without the full keys.

    Two keys that agree in those 40 bits share their lists: with 100 million postings, one in 10,000
    absent keys finds something. Values of a key come in the order in which they were added.

    ``bits`` and the arrays: see ``kernels/index/segment_reader.py``; ``path`` is None in memory.
    """

    bits: int
    directory: npt.NDArray[np.uint32] | npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint16]
    high: npt.NDArray[np.uint8]
    values: Values
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def arrays(self) -> SegmentArrays:
        """The segment as its kernels take it."""
        return SegmentArrays(self.directory, self.low, self.high, self.values, self.bits)

    def _arrays(self) -> Arrays:
        return {"directory": self.directory, "low": self.low, "high": self.high, "values": self.values}

    @classmethod
    def build(cls, keys: Hashes, values: Values) -> Segment:
        """Build a segment in memory from postings in order: keys uint64[n], values uint32[n].

        Needs 8 bytes a posting in addition to the result.
        """
        keys, values = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(values, np.uint32)
        part_bits, made = _part_bits_for(len(keys)), _SegmentBuilder.of(len(keys))
        packed, starts = partition_postings(keys, values, part_bits)
        return made.segment(made.write_parts(packed, starts, 0, part_bits, False, 0))

    @classmethod
    def merge(cls, segments: Sequence[Segment], gone: Ints) -> Segment:
        """Merge segments, oldest first, into one in memory.

        Drops the postings of document numbers in ``gone`` (int64[n], ascending) and repeated values
        of a key, keeping the first. Needs little memory in addition to the result.
        """
        marks = _marked(gone)
        count = sum(int(count_remaining(segment.values, marks)) if len(gone) else len(segment) for segment in segments)
        part_bits, made = _part_bits_for(count), _SegmentBuilder.of(count)
        sizes = sum((_part_sizes(segment, part_bits) for segment in segments), np.zeros(1 << part_bits, np.int64))
        packed = np.empty(int(sizes.max()) + 1, np.uint64)  # one more: the kernel writes dropped entries too before it overwrites them
        used = 0
        for part in range(1 << part_bits):
            read = 0
            for segment in segments:
                read = read_part(segment.arrays, part, part_bits, marks, packed, read)
            used = made.write_parts(packed[:read], np.array([0, read]), part, part_bits, True, used)
        return made.segment(used)

    def lookup(self, keys: Hashes, offsets: Ints, most: int) -> PostingLists:
        """Look up the keys of each row: uint64[n_keys], offsets int64[n_rows + 1].

        Of a longer posting list, only the first ``most`` values are returned.
        """
        keys, offsets = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(offsets, np.int64)
        return PostingLists(*find_in_segment(self.arrays, keys, offsets, most))

    def all_values(self, key: int) -> Values:
        """Return all values of a key, uint32[n], in the order in which they were added."""
        return self.lookup(np.array([key], np.uint64), np.array([0, 1]), _NO_LIMIT).values

    def write(self, path: str | Path) -> None:
        """Write a file and sync it to disk; the caller syncs the folder."""
        write_arrays(Path(path), {"bits": self.bits, "count": len(self)}, self._arrays())

    @classmethod
    def open(cls, path: str | Path) -> Segment:
        """Map a file of ``write`` into memory, as long as the segment or one of its arrays is in use.

        Raises
        ------
        DamagedFileError
            If it is no posting file, has another version, or the wrong size. Postings are checked
            by ``verify`` only.
        """
        path = Path(path)
        metadata, arrays = read_arrays(path)
        bits, count = metadata.get("bits"), metadata.get("count")
        if not isinstance(bits, int) or not isinstance(count, int) or not FEWEST_BITS <= bits <= MOST_BITS or count < 0:
            raise DamagedFileError(f"{path}: a segment of {count} entries and {bits} bits is impossible")
        if {name: (array.dtype, len(array)) for name, array in arrays.items()} != _shapes(bits, count):
            raise DamagedFileError(f"{path}: its arrays do not fit {count} entries and {bits} bits")
        return cls(bits, arrays["directory"], arrays["low"], arrays["high"], arrays["values"], path)

    def verify(self) -> None:
        """Verify the checksum of the file; does nothing for a segment in memory.

        Raises
        ------
        DamagedFileError
            If any byte has changed.
        """
        if self.path is not None:
            check_file(self.path)


def _part_sizes(segment: Segment, part_bits: int) -> Ints:
    """Entries in each part, int64[2**part_bits]; checked, as the merge writes to memory by them."""
    begins = segment.directory[:: 1 << (segment.bits - part_bits)].astype(np.int64)
    sizes = np.diff(begins)
    if begins[0] != 0 or begins[-1] != len(segment) or sizes.min() < 0:
        raise DamagedFileError(f"{segment.path or 'a segment in memory'}: its directory is out of order")
    return sizes


def _marked(numbers: Ints) -> Hashes:
    """Bit set of numbers, uint64[words]."""
    numbers = np.asarray(numbers, np.int64)
    flags = np.zeros((int(numbers.max(initial=-1)) // 64 + 1) * 64, np.bool_)
    flags[numbers] = True
    return np.packbits(flags, bitorder="little").view(np.uint64)


def join_hits(parts: Sequence[PostingLists]) -> PostingLists:
    """Concatenate the results of several segments, row by row, in the order of the segments.

    Counts of truncated lists are added: a key truncated in two segments counts twice.
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

"""Files of a few arrays that are mapped into memory: written once, checked when they are opened, checksummed as a whole.

Layout, little-endian: ``MAGIC``, uint32 version, uint32 length and CRC-32 of the JSON that follows (facts, and name, dtype and length of
each array); the arrays, each at a multiple of 64 bytes; CRC-32 of all before it, ``END``.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

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

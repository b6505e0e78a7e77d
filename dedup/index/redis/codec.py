"""Encodes entries, words, postings, changes and events as bytes for Redis, without pickle."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ...arrays.rows import Ints
from ...schema import EPOCH
from ..store import Entry, Hashes, TokenRows, Values

#: Leading bits of a hashed key that name its bucket; 32 further bits stand in the records of the
#: bucket.
BUCKET_BITS = 21
TOKEN_BYTES = 16
#: Fixed-size part of an entry. Its first byte says whether it is a copy; scripts count by it.
_NUMBERS = struct.Struct("<cBIIqqqddddIH16s")
_NO_TIME, _NO_NUMBER = -(1 << 63), (1 << 32) - 1
_COPY = "copy"


def member(number: int) -> bytes:
    """Encode a document number as four bytes, which sort like numbers."""
    return number.to_bytes(4, "big")


def numbers_of(members: bytes) -> list[int]:
    """Decode concatenated members."""
    return [int(number) for number in np.frombuffer(members, ">u4")]


def pack_entry(entry: Entry) -> bytes:
    """Encode an entry, without its number."""
    page_id = None if entry.page_id == entry.doc_id else entry.page_id
    strings = (entry.doc_id, page_id, entry.role, entry.status, entry.kind, entry.source, entry.url, entry.title)
    encoded = [None if string is None else string.encode("utf-8", "surrogatepass") for string in strings]
    return (
        _NUMBERS.pack(
            b"c" if entry.status == _COPY else b"d",
            entry.story is not None,
            entry.canonical,
            _NO_NUMBER if entry.extends is None else entry.extends,
            entry.story or 0,
            _NO_TIME if entry.published is None else entry.published,
            entry.arrived,
            math.nan if entry.jaccard is None else entry.jaccard,
            math.nan if entry.share is None else entry.share,
            math.nan if entry.containment is None else entry.containment,
            entry.covered,
            entry.words,
            entry.parts,
            entry.digest,
        )
        + struct.pack("<8I", *(0 if string is None else len(string) + 1 for string in encoded))
        + b"".join(string or b"" for string in encoded)
    )


def unpack_entry(number: int, packed: bytes) -> Entry:
    """Decode an entry of ``pack_entry``."""
    (_, has_story, canonical, extends, story, published, arrived, jaccard, share, containment, covered, words, parts,
     digest) = _NUMBERS.unpack_from(packed)  # fmt: skip
    lengths = struct.unpack_from("<8I", packed, _NUMBERS.size)
    strings: list[str | None] = []
    at = _NUMBERS.size + 32
    for length in lengths:
        strings.append(packed[at : at + length - 1].decode("utf-8", "surrogatepass") if length else None)
        at += max(length - 1, 0)
    doc_id, page_id, role, status, kind, source, url, title = strings
    return Entry(
        number=number,
        doc_id=doc_id or "",
        page_id=doc_id or "" if page_id is None else page_id,
        role=role or "",
        status=status or "",
        canonical=canonical,
        kind=kind,
        jaccard=None if math.isnan(jaccard) else jaccard,
        share=None if math.isnan(share) else share,
        containment=None if math.isnan(containment) else containment,
        extends=None if extends == _NO_NUMBER else extends,
        covered=covered,
        story=story if has_story else None,
        published=None if published == _NO_TIME else published,
        arrived=arrived,
        source=source,
        url=url,
        title=title,
        words=words,
        digest=digest,
        parts=parts,
    )


def pack_words(tokens: Hashes, terms: Hashes) -> bytes:
    """Encode the words of one document: tokens uint64[n], terms uint64[n].

    First each distinct word in order of appearance; then one bit a word, set at first appearances;
    then the ids of the other words in 1, 2 or 4 bytes each. Hashes do not compress, so nothing else
    is done.
    """
    if not len(tokens):
        return b""
    places: dict[tuple[int, int], int] = {}
    ids = np.array([places.setdefault(word, len(places)) for word in zip(tokens.tolist(), terms.tolist(), strict=True)], np.uint32)
    highest = np.maximum.accumulate(ids)
    new = np.ones(len(ids), bool)
    new[1:] = highest[1:] > highest[:-1]
    parts = (tokens[new].astype("<u8"), terms[new].astype("<u8"), np.packbits(new), ids[~new].astype(_id_type(len(places))))
    return struct.pack("<II", len(ids), len(places)) + b"".join(part.tobytes() for part in parts)


def unpack_words(packed: bytes) -> tuple[Hashes, Hashes]:
    """Decode the tokens and terms of ``pack_words``."""
    if not packed:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    words, distinct = struct.unpack_from("<II", packed)
    pairs = np.frombuffer(packed, "<u8", 2 * distinct, 8)
    bits = 8 + 16 * distinct
    new = np.unpackbits(np.frombuffer(packed, np.uint8, (words + 7) // 8, bits), count=words).astype(bool)
    ids = np.cumsum(new) - 1
    ids[~new] = np.frombuffer(packed, _id_type(distinct), words - distinct, bits + (words + 7) // 8)
    return pairs[:distinct][ids].astype(np.uint64), pairs[distinct:][ids].astype(np.uint64)


def _id_type(distinct: int) -> np.dtype[Any]:
    return np.dtype("<u1" if distinct <= 1 << 8 else "<u2" if distinct <= 1 << 16 else "<u4")


def gather_words(rows: Sequence[bytes | None]) -> TokenRows:
    """Decode the words of several documents; None gives an empty row."""
    if not rows:
        return TokenRows.none()
    unpacked = [unpack_words(row or b"") for row in rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(tokens) for tokens, _ in unpacked], out=offsets[1:])
    return TokenRows(np.concatenate([tokens for tokens, _ in unpacked]), np.concatenate([terms for _, terms in unpacked]), offsets)


def split_keys(keys: Hashes) -> tuple[Ints, Ints]:
    """Split keys into bucket, int64[n], and the 32 bits that identify a key there, int64[n].

    Keys are hashed first, because they were selected by size (the smallest of a window). One in
    2^53 pairs of keys collides.
    """
    mixed = keys ^ (keys >> np.uint64(33))
    mixed = mixed * np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    buckets = mixed >> np.uint64(64 - BUCKET_BITS)
    return buckets.astype(np.int64), ((mixed >> np.uint64(32 - BUCKET_BITS)) & np.uint64(0xFFFFFFFF)).astype(np.int64)


def pack_postings(keys: Hashes, values: Values) -> bytes:
    """Encode postings for ``scripts.COMMIT``: bucket (big-endian), value, bits of the key."""
    buckets, rests = split_keys(keys)
    packed = np.empty(len(keys), np.dtype([("bucket", ">u4"), ("value", "<u4"), ("rest", "<u4")]))
    packed["bucket"], packed["value"], packed["rest"] = buckets, values, rests
    return packed.tobytes()


def pack_change(token: bytes, changed: Sequence[int], removed: Sequence[int]) -> bytes:
    """Encode a change: token, number of runs of changed numbers, (first, count) uint32 of all runs."""
    runs = _runs(changed)
    return token + struct.pack("<I", len(runs)) + np.array([*runs, *_runs(removed)], "<u4").tobytes()


def unpack_change(packed: bytes) -> tuple[list[int], list[int]]:
    """Decode the changed and the removed numbers of an entry of the feed."""
    (count,) = struct.unpack_from("<I", packed, TOKEN_BYTES)
    runs = np.frombuffer(packed, "<u4", offset=TOKEN_BYTES + 4).reshape(-1, 2).tolist()
    numbers = [[number for first, length in part for number in range(first, first + length)] for part in (runs[:count], runs[count:])]
    return numbers[0], numbers[1]


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    ordered = np.unique(np.asarray(numbers, np.int64))
    starts = np.flatnonzero(np.diff(ordered, prepend=-2) > 1)
    return list(zip(ordered[starts].tolist(), np.diff(starts, append=len(ordered)).tolist(), strict=True))


def pack_event(event: dict[str, Any], recorded: int) -> bytes:
    """Encode an event as JSON, with times as ``{"microseconds": n}``."""
    times = {name: {"microseconds": (at - EPOCH) // timedelta(microseconds=1)} for name, at in event.items() if isinstance(at, datetime)}
    return json.dumps({"recorded": recorded, "event": event | times}, ensure_ascii=True).encode()


def unpack_event(number: int, packed: bytes) -> dict[str, Any]:
    """Decode an event of ``pack_event``, with its number and the time of recording."""
    read = json.loads(packed)
    row = {
        name: EPOCH + timedelta(microseconds=value["microseconds"]) if isinstance(value, dict) else value
        for name, value in read["event"].items()
    }
    return row | {"number": number, "recorded": read["recorded"]}

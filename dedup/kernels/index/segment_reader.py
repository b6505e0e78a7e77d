"""Looks up keys in segments of postings, and joins the lists of several segments."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..hashing import GOLDEN
from ..jit import jit, leaf

#: Buckets longer than this are searched by bisection.
SCANNED = 32


class SegmentArrays(NamedTuple):
    """Postings in the order of the top 40 bits of the *spread* key, see ``segment_writer``.

    ``directory`` uint32 or uint64[2**bits + 1], where each bucket begins; ``low`` uint16[n] and
    ``high`` uint8[n], the bits of the key below those of its bucket (``high`` is empty where
    ``bits`` leaves nothing for it); ``values`` uint32[n].
    """

    directory: Any
    low: Any
    high: Any
    values: Any
    bits: int


@leaf
def tag_at(low, high, place):
    """The tag of a posting: the bits of its key below those of its bucket."""
    if len(high) == 0:
        return np.int64(low[place])
    return np.int64(low[place]) | (np.int64(high[place]) << 16)


@leaf
def holds_low(low, begin, end, low_tag):
    """Whether a tag in a bucket may have these low bits. An early exit would cost more branches."""
    if end - begin > SCANNED:
        return True
    found = np.uint16(0)
    for place in range(np.uint64(begin), np.uint64(end)):
        found |= np.uint16(low[place] == low_tag)
    return found != 0


@leaf
def first_tagged(low, high, begin, end, tag):
    """The first place in the bucket ``begin <= place < end`` with this tag, -1 if there is none."""
    stop = end
    while stop - begin > SCANNED:
        middle = (begin + stop) >> 1
        if tag_at(low, high, middle) < tag:
            begin = middle + 1
        else:
            stop = middle
    low_tag = np.uint16(tag & 0xFFFF)
    for place in range(begin, min(stop + 1, end)):
        if low[place] == low_tag and tag_at(low, high, place) == tag:
            return place
    return np.int64(-1)


@jit
def find_in_segment(segment, keys, offsets, most):
    """Read what the keys of each row list.

    Each step is done for all keys before the next step: reads that do not depend on each other
    overlap in memory.

    Parameters
    ----------
    segment : SegmentArrays; places beyond its end, which a damaged directory may contain, are not
        read
    keys : uint64[n_keys]; offsets : int64[n_rows + 1]
    most : int, of a key that lists more, only this many values are read

    Returns
    -------
    (values uint32[n], offsets int64[n_rows + 1], truncated int64[n_rows])
        ``truncated`` counts the keys of each row that list more than ``most``.
    """
    directory, low, high, values, bits = segment
    n_rows, first_key = len(offsets) - 1, offsets[0]
    n_keys, size = offsets[-1] - first_key, np.int64(len(values))
    bucket_shift, tag_mask = np.uint64(64 - bits), np.uint64((1 << (40 - bits)) - 1)
    begins, ends, tags = np.empty(n_keys, np.int64), np.empty(n_keys, np.int64), np.empty(n_keys, np.int64)
    for i in range(n_keys):
        spread = keys[first_key + i] * GOLDEN
        bucket = np.int64(spread >> bucket_shift)
        begins[i], ends[i] = np.int64(directory[bucket]), np.int64(directory[bucket + 1])
        tags[i] = np.int64((spread >> np.uint64(24)) & tag_mask)
    # Touch the begin and the end of each bucket, only to have them in the cache.
    touched = np.empty(n_keys, np.uint16)
    for i in range(n_keys):
        ends[i] = min(ends[i], size)
        begins[i] = min(max(begins[i], 0), ends[i])
        if begins[i] < ends[i]:
            touched[i] = low[begins[i]] ^ low[ends[i] - 1]
    possible = np.empty(n_keys, np.int64)
    n_possible = np.int64(0)
    for i in range(n_keys):
        possible[n_possible] = i
        n_possible += np.int64(holds_low(low, begins[i], ends[i], np.uint16(tags[i] & 0xFFFF)))
    # From here on ``ends`` are the ends of lists: empty ones, except for keys that may be there.
    over = np.zeros(n_keys, np.bool_)
    bucket_ends = ends
    ends = begins.copy()
    for k in range(n_possible):
        at = possible[k]
        begin = first_tagged(low, high, begins[at], bucket_ends[at], tags[at])
        if begin < 0:
            continue
        stop, last = begin, min(bucket_ends[at], begin + most)
        while stop < last and tag_at(low, high, stop) == tags[at]:
            stop += 1
        over[at] = stop == begin + most and stop < bucket_ends[at] and tag_at(low, high, stop) == tags[at]
        begins[at], ends[at] = begin, stop
    out_offsets, truncated = np.zeros(n_rows + 1, np.int64), np.zeros(n_rows, np.int64)
    used = np.int64(0)
    for row in range(n_rows):
        for i in range(offsets[row] - first_key, offsets[row + 1] - first_key):
            used += ends[i] - begins[i]
            truncated[row] += np.int64(over[i])
        out_offsets[row + 1] = used
    out = np.empty(used, np.uint32)
    used = np.int64(0)
    for k in range(n_possible):
        for place in range(begins[possible[k]], ends[possible[k]]):
            out[used] = values[place]
            used += 1
    return out, out_offsets, truncated


@jit
def join_rows(values, bases, offsets):
    """Join the rows of several parts: in each row the values of one part after the other.

    Parameters
    ----------
    values : uint32[n], the values of all parts, one part after the other
    bases : int64[n_parts], where each part begins
    offsets : int64[n_parts, n_rows + 1], of each part, from 0

    Returns
    -------
    (values uint32[n], offsets int64[n_rows + 1])
    """
    n_parts, n_rows = offsets.shape[0], offsets.shape[1] - 1
    out, out_offsets = np.empty(len(values), np.uint32), np.zeros(n_rows + 1, np.int64)
    used = 0
    for row in range(n_rows):
        for part in range(n_parts):
            for place in range(bases[part] + offsets[part, row], bases[part] + offsets[part, row + 1]):
                out[used] = values[place]
                used += 1
        out_offsets[row + 1] = used
    return out[:used], out_offsets

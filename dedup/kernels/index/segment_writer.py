"""Builds segments: postings sorted by the top 40 bits of the spread key, then as they were added.

One multiplication spreads the keys (Knuth's Fibonacci hashing), because winnowing picks small ones,
which would fill only the first buckets. The top ``part_bits`` (8 to 16) choose the *part*.
"""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN
from ..jit import jit, leaf
from .tally import CLASS_BITS

# Within a part a posting is one uint64, ``packed``: the other ``40 - part_bits`` bits of the key,
# then 32 bits of the value.

#: Buckets longer than this are sorted by digits.
INSERTED = 48
#: In lists longer than this, repeated values are found with a hash table.
COMPARED = 16


@jit
def partition_postings(keys, values, part_bits):
    """Sort postings by part, keeping their order within each part.

    Parameters
    ----------
    keys : uint64[n]; values : uint32[n]; part_bits : int, 8 to 16

    Returns
    -------
    (packed uint64[n], starts int64[2**part_bits + 1])
    """
    starts = np.zeros((1 << part_bits) + 1, np.int64)
    shift = np.uint64(64 - part_bits)
    for key in keys:
        starts[np.int64((key * GOLDEN) >> shift) + 1] += 1
    for part in range(1 << part_bits):
        starts[part + 1] += starts[part]
    free = starts[:-1].copy()
    packed = np.empty(len(keys), np.uint64)
    for i in range(len(keys)):
        place = keys[i] * GOLDEN
        to = np.int64(place >> shift)
        rest = (place << np.uint64(part_bits)) >> np.uint64(24 + part_bits)
        packed[free[to]] = (rest << np.uint64(32)) | np.uint64(values[i])
        free[to] += 1
    return packed, starts


@jit
def read_part(segment, part, part_bits, removed, packed, used):
    """Append the postings of one part of a segment to ``packed[used:]``; returns the new ``used``.

    A damaged directory gives wrong postings, but no more than lie between the ends of the part,
    which must be correct.

    Parameters
    ----------
    segment : SegmentArrays
    removed : uint64[n_words], a bit for each document number whose postings are left out
    """
    directory, low, high, values, bits = segment
    first, last = part << (bits - part_bits), (part + 1) << (bits - part_bits)
    at, stop = np.int64(directory[first]), np.int64(directory[last])
    n_removed = 64 * len(removed)
    for bucket in range(first, last):
        head = np.uint64(bucket - first) << np.uint64(40 - bits)
        end = min(np.int64(directory[bucket + 1]), stop)
        while at < end:
            number = np.int64(values[at] >> CLASS_BITS)
            tag = np.uint64(low[at])
            if len(high) > 0:
                tag |= np.uint64(high[at]) << np.uint64(16)
            packed[used] = ((head | tag) << np.uint64(32)) | np.uint64(values[at])
            used += np.int64(number >= n_removed or (removed[number >> 6] >> np.uint64(number & 63)) & np.uint64(1) == 0)
            at += 1
    return used


@jit
def count_remaining(values, removed):
    """How many values are not of a number in ``removed``, bits as in ``read_part``."""
    n_removed = 64 * len(removed)
    kept = np.int64(0)
    for value in values:
        number = np.int64(value >> CLASS_BITS)
        kept += np.int64(number >= n_removed or (removed[number >> 6] >> np.uint64(number & 63)) & np.uint64(1) == 0)
    return kept


@jit
def write_parts(packed, starts, first_part, part_bits, once, segment, used):
    """Sort the postings of parts into the arrays of a segment, in place.

    Parameters
    ----------
    packed : uint64[n]; starts : int64[n_parts + 1], where each part begins
    first_part : int, the number of the first one; parts must come in order, all of them, in one
        call or several
    part_bits : int, ``8 <= part_bits <= 16 <= segment.bits <= 32``
    once : bool, keep only the first of equal values that a key lists
    segment : SegmentArrays, written
    used : int, postings written before

    Returns
    -------
    int, postings written in all
    """
    directory, low, high, values, bits = segment
    n_parts, n_buckets = len(starts) - 1, 1 << (bits - part_bits)
    longest = np.int64(0)
    for part in range(n_parts):
        longest = max(longest, starts[part + 1] - starts[part])
    ordered, spare = np.empty(longest, np.uint64), np.empty(longest, np.uint64)
    free, digits = np.empty(n_buckets + 1, np.int64), np.empty(256, np.int64)
    bucket_shift = np.uint64(72 - bits)
    tag_mask = np.uint64((1 << (40 - bits)) - 1)
    directory[first_part << (bits - part_bits)] = used
    for part in range(n_parts):
        free[:] = 0
        for i in range(starts[part], starts[part + 1]):
            free[np.int64(packed[i] >> bucket_shift) + 1] += 1
        for bucket in range(n_buckets):
            free[bucket + 1] += free[bucket]
        for i in range(starts[part], starts[part + 1]):
            to = np.int64(packed[i] >> bucket_shift)
            ordered[free[to]] = packed[i]
            free[to] += 1
        # From here on ``free[bucket]`` is the end of the bucket.
        begin = np.int64(0)
        for bucket in range(n_buckets):
            end = free[bucket]
            if end - begin <= INSERTED:
                insertion_sort(ordered, begin, end)
            else:
                digit_sort(ordered, begin, end, 40 - bits, spare, digits)
            first = begin
            while first < end:
                tag = (ordered[first] >> np.uint64(32)) & tag_mask
                stop, ascending = first + 1, True
                while stop < end and ordered[stop] >> np.uint64(32) == ordered[first] >> np.uint64(32):
                    ascending &= ordered[stop] > ordered[stop - 1]
                    stop += 1
                kept = stop
                if once and not ascending:
                    kept = keep_first(ordered, first, stop)
                for i in range(first, kept):
                    low[used] = np.uint16(tag & np.uint64(0xFFFF))
                    if len(high) > 0:
                        high[used] = np.uint8(tag >> np.uint64(16))
                    values[used] = np.uint32(ordered[i] & np.uint64(0xFFFFFFFF))
                    used += 1
                first = stop
            begin = end
            directory[((first_part + part) << (bits - part_bits)) + bucket + 1] = used
    return used


@leaf
def insertion_sort(packed, begin, end):
    """Sort ``packed[begin:end]`` by key; postings of one key keep their order."""
    for i in range(begin + 1, end):
        entry = packed[i]
        place = i
        while place > begin and packed[place - 1] >> np.uint64(32) > entry >> np.uint64(32):
            packed[place] = packed[place - 1]
            place -= 1
        packed[place] = entry


@leaf
def digit_sort(packed, begin, end, tag_bits, spare, digits):
    """As ``insertion_sort``, by eight bits at a time from the lowest, for long or hostile buckets.

    ``spare`` uint64[at least end - begin] and ``digits`` int64[256] are scratch.
    """
    for shift in range(32, 32 + tag_bits, 8):
        digits[:] = 0
        for i in range(begin, end):
            digits[np.int64((packed[i] >> np.uint64(shift)) & np.uint64(255))] += 1
        before = np.int64(0)
        for digit in range(256):
            count = digits[digit]
            digits[digit] = before
            before += count
        # The bits above the tag are the same in the whole bucket, so they need no sorting.
        for i in range(begin, end):
            to = np.int64((packed[i] >> np.uint64(shift)) & np.uint64(255))
            spare[digits[to]] = packed[i]
            digits[to] += 1
        for i in range(begin, end):
            packed[i] = spare[i - begin]


@jit
def keep_first(packed, begin, end):
    """Move the distinct postings of one key, ``packed[begin:end]``, to the front; their end."""
    kept = begin
    if end - begin <= COMPARED:
        for i in range(begin, end):
            seen = begin
            while seen < kept and packed[seen] != packed[i]:
                seen += 1
            if seen == kept:
                packed[kept] = packed[i]
                kept += 1
        return kept
    slots = 64
    while slots < 2 * (end - begin):
        slots *= 2
    # Postings of one key differ in their values. A value plus one is never 0, which marks a free
    # slot.
    table = np.zeros(slots, np.uint64)
    for i in range(begin, end):
        value = (packed[i] & np.uint64(0xFFFFFFFF)) + np.uint64(1)
        slot = np.int64((value * GOLDEN) >> np.uint64(32)) & (slots - 1)
        while table[slot] != np.uint64(0) and table[slot] != value:
            slot = (slot + 1) & (slots - 1)
        if table[slot] == np.uint64(0):
            table[slot] = value
            packed[kept] = packed[i]
            kept += 1
    return kept

"""Making posting segments: entries sorted by the top 40 bits of the spread key, those of one key in the order in which they came.

Keys are spread by one multiplication (Knuth's Fibonacci hashing): buckets go by the top bits, and keys that were picked for being
small, as winnowing does, would fill the first buckets only. It is done in *parts*, by the top ``part_bits`` (8 to 16) of the
spread key; within a part an entry is one uint64, ``packed``: the other ``40 - part_bits`` bits, then 32 of the value.
"""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN
from ..jit import jit, leaf

#: Buckets longer than this are sorted digit by digit.
INSERTED = 48
#: Lists longer than this are looked through with a table for values that they hold twice.
COMPARED = 16


@jit
def partition_postings(keys, values, part_bits):
    """Postings by part, in each part in the order in which they came.

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
def part_of_segment(directory, low, high, values, bits, part, part_bits, gone, packed, used):
    """Write the entries of one part of a segment to ``packed`` from ``used``; returns the new ``used``.

    ``gone`` : uint64[words], a bit for each number whose postings are left out. Other arguments: see ``lookup.py``. A directory that
    damage has put out of order gives wrong entries, but no more than lie between the part's ends, which must be sound.
    """
    first, last = part << (bits - part_bits), (part + 1) << (bits - part_bits)
    at, stop = np.int64(directory[first]), np.int64(directory[last])
    n_gone = 64 * len(gone)
    for bucket in range(first, last):
        head = np.uint64(bucket - first) << np.uint64(40 - bits)
        end = min(np.int64(directory[bucket + 1]), stop)
        while at < end:
            number = np.int64(values[at] >> 4)
            tag = np.uint64(low[at])
            if len(high) > 0:
                tag |= np.uint64(high[at]) << np.uint64(16)
            packed[used] = ((head | tag) << np.uint64(32)) | np.uint64(values[at])
            used += np.int64(number >= n_gone or (gone[number >> 6] >> np.uint64(number & 63)) & np.uint64(1) == 0)
            at += 1
    return used


@jit
def count_kept(values, gone):
    """How many values are not of a number in ``gone``, bits as in ``part_of_segment``."""
    n_gone = 64 * len(gone)
    kept = np.int64(0)
    for value in values:
        number = np.int64(value >> 4)
        kept += np.int64(number >= n_gone or (gone[number >> 6] >> np.uint64(number & 63)) & np.uint64(1) == 0)
    return kept


@jit
def settle(packed, starts, first_part, part_bits, bits, once, directory, low, high, values, used):
    """Put parts into a segment's arrays, in place.

    Parameters
    ----------
    packed : uint64[n]; starts : int64[n_parts + 1], where each part begins
    first_part : int, the number of the first one; parts must come in order, all of them, in one call or several
    part_bits, bits : int, ``8 <= part_bits <= 16 <= bits <= 32``
    once : bool, whether a value that a key lists twice is kept once, where it came first
    directory, low, high, values : of the segment, written; used : int, entries written before

    Returns
    -------
    int, entries written now and before
    """
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
        # Now ``free[bucket]`` is where the bucket ends.
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
                    kept = first_ones(ordered, first, stop)
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
    """Sort ``packed[begin:end]`` by all but the value, equal ones staying in order."""
    for i in range(begin + 1, end):
        entry = packed[i]
        place = i
        while place > begin and packed[place - 1] >> np.uint64(32) > entry >> np.uint64(32):
            packed[place] = packed[place - 1]
            place -= 1
        packed[place] = entry


@leaf
def digit_sort(packed, begin, end, tag_bits, spare, digits):
    """As ``insertion_sort``, of one bucket that many or hostile entries fill: eight bits of the tag at a time, the lowest first.

    ``spare`` : uint64[at least end - begin] and ``digits`` : int64[256], scratch.
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
        # Bits above the tag's are the same in the whole bucket, so they move nothing.
        for i in range(begin, end):
            to = np.int64((packed[i] >> np.uint64(shift)) & np.uint64(255))
            spare[digits[to]] = packed[i]
            digits[to] += 1
        for i in range(begin, end):
            packed[i] = spare[i - begin]


@jit
def first_ones(packed, begin, end):
    """Move the different entries of ``packed[begin:end]``, all of one key, to its front in order, in place; returns where they end."""
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
    # Values tell them apart, and one more than a value is not 0, which is what a free slot holds.
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

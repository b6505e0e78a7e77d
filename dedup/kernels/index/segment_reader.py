"""Reading posting segments: what keys list, and the lists of several segments as one.

A segment holds entries in the order of the top 40 bits of the *spread* key, see ``bucketing.py``: ``directory`` uint32 or uint64
[2**bits + 1], where each bucket begins; ``low`` uint16[n], ``high`` uint8[n] (of no length where ``bits`` leaves nothing for it), the
key's bits below the bucket's; ``values`` uint32[n].
"""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN
from ..jit import jit, leaf

#: Buckets longer than this are searched by halving.
SCANNED = 32


@leaf
def tag_at(low, high, place):
    """The bits of the key that an entry keeps below its bucket's."""
    if len(high) == 0:
        return np.int64(low[place])
    return np.int64(low[place]) | (np.int64(high[place]) << 16)


@leaf
def holds_low(low, begin, end, low_tag):
    """Whether a tag in a bucket may have these low bits. It stops for nothing: a branch for each entry would cost more."""
    if end - begin > SCANNED:
        return True
    found = np.uint16(0)
    for place in range(np.uint64(begin), np.uint64(end)):
        found |= np.uint16(low[place] == low_tag)
    return found != 0


@leaf
def first_tagged(low, high, begin, end, tag):
    """The first place in the bucket ``begin <= place < end`` whose tag is ``tag``, -1 if there is none."""
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
def find_listed(directory, low, high, values, bits, keys, offsets, most):
    """What the keys of each row list.

    Every step is done for all keys before the next one: where no read waits for another, memory answers many at once.

    Parameters
    ----------
    directory, low, high, values, bits : a segment; places beyond its end, which damage may have left in the directory, are not read
    keys : uint64[n_keys]; offsets : int64[n_rows + 1]
    most : int, of a key that lists more the first so many

    Returns
    -------
    (values uint32[n], offsets int64[n_rows + 1], cut int64[n_rows]), how many keys of each row list more than ``most``
    """
    n_rows, first_key = len(offsets) - 1, offsets[0]
    n_keys, size = offsets[-1] - first_key, np.int64(len(values))
    bucket_shift, tag_mask = np.uint64(64 - bits), np.uint64((1 << (40 - bits)) - 1)
    begins, ends, tags = np.empty(n_keys, np.int64), np.empty(n_keys, np.int64), np.empty(n_keys, np.int64)
    for i in range(n_keys):
        spread = keys[first_key + i] * GOLDEN
        bucket = np.int64(spread >> bucket_shift)
        begins[i], ends[i] = np.int64(directory[bucket]), np.int64(directory[bucket + 1])
        tags[i] = np.int64((spread >> np.uint64(24)) & tag_mask)
    # Read where each bucket begins and ends, for nothing but to have it at hand.
    touched = np.empty(n_keys, np.uint16)
    for i in range(n_keys):
        ends[i] = min(ends[i], size)
        begins[i] = min(max(begins[i], 0), ends[i])
        if begins[i] < ends[i]:
            touched[i] = low[begins[i]] ^ low[ends[i] - 1]
    perhaps = np.empty(n_keys, np.int64)
    n_perhaps = np.int64(0)
    for i in range(n_keys):
        perhaps[n_perhaps] = i
        n_perhaps += np.int64(holds_low(low, begins[i], ends[i], np.uint16(tags[i] & 0xFFFF)))
    # Now ``ends`` are where lists end: nowhere, but for keys that may be there.
    over = np.zeros(n_keys, np.bool_)
    bucket_ends = ends
    ends = begins.copy()
    for k in range(n_perhaps):
        at = perhaps[k]
        begin = first_tagged(low, high, begins[at], bucket_ends[at], tags[at])
        if begin < 0:
            continue
        stop, last = begin, min(bucket_ends[at], begin + most)
        while stop < last and tag_at(low, high, stop) == tags[at]:
            stop += 1
        over[at] = stop == begin + most and stop < bucket_ends[at] and tag_at(low, high, stop) == tags[at]
        begins[at], ends[at] = begin, stop
    out_offsets, cut = np.zeros(n_rows + 1, np.int64), np.zeros(n_rows, np.int64)
    used = np.int64(0)
    for row in range(n_rows):
        for i in range(offsets[row] - first_key, offsets[row + 1] - first_key):
            used += ends[i] - begins[i]
            cut[row] += np.int64(over[i])
        out_offsets[row + 1] = used
    out = np.empty(used, np.uint32)
    used = np.int64(0)
    for k in range(n_perhaps):
        for place in range(begins[perhaps[k]], ends[perhaps[k]]):
            out[used] = values[place]
            used += 1
    return out, out_offsets, cut


@jit
def join_rows(values, bases, offsets):
    """Rows of several parts as one: first what the first part has of a row, then what the second has.

    Parameters
    ----------
    values : uint32[n], the values of all parts, one part after the other
    bases : int64[n_parts], where each part begins; offsets : int64[n_parts, n_rows + 1], of each part, from 0

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

"""One-permutation hashing: a row is hashed once, its slots are bins of the hash, empty bins borrow.

Li, Owen, Zhang 2012, "One permutation hashing". Our rows are sorted by hash, so a bin is a run and its minimum the
first of the run: written from the back, the last write to a slot is its minimum, with no comparison at all.
"""

from __future__ import annotations

import numpy as np

from dedup.kernels.hashing import mix64
from dedup.kernels.jit import jit, leaf

EMPTY, GREATEST = np.uint32(0xFFFFFFFF), np.uint32(0xFFFFFFFE)
#: What a bin adds for each step that it borrows over, so that bins that borrow from different ones differ.
DISTANCE = np.uint32(0x9E3779B1)


@leaf
def fill_bins(values, begin, end, bits, slots, empty):
    """Write the minimum of each of ``2**bits`` bins of ``values[begin:end]``, ascending, into ``slots``.

    Returns how many bins are empty; which ones is written to ``empty``, ascending.
    """
    for k in range(len(slots)):
        slots[k] = EMPTY
    down = np.uint32(32 - bits)
    for i in range(end - 1, begin - 1, -1):
        value = values[i]
        place = np.int64(np.uint32(np.uint32(value >> np.uint64(32)) >> down))  # seen by the compiler not to be negative
        slots[place] = min(np.uint32((value << np.uint64(bits)) >> np.uint64(32)), GREATEST)
    n_empty = 0
    for k in range(len(slots)):
        empty[n_empty] = k
        n_empty += np.int64(slots[k] == EMPTY)
    return n_empty


@jit
def sign_rotated(values, offsets, bits):
    """Sign rows; an empty bin takes the next full one to the right, plus a constant for each step on the way.

    Parameters
    ----------
    values : uint64[n_values], sorted in each row; offsets : int64[n_rows + 1]; bits : the signature has 2**bits slots

    Returns
    -------
    uint32[n_rows, 2**bits]
        A row without values is all 0xFFFFFFFF. Cost: one store a value, one walk over the slots.

    Notes
    -----
    Shrivastava & Li 2014, "Densifying one permutation hashing via rotation for fast near neighbor search".
    """
    n_rows = len(offsets) - 1
    n_slots = 1 << bits
    out = np.empty((n_rows, n_slots), np.uint32)
    empty = np.empty(n_slots + 1, np.int64)
    for row in range(n_rows):
        slots = out[row]
        n_empty = fill_bins(values, offsets[row], offsets[row + 1], bits, slots, empty)
        if n_empty == n_slots:
            continue
        first = 0  # full bin, which the last ones reach round the end
        while slots[first] == EMPTY:
            first += 1
        lender, near = slots[first], first + n_slots
        previous = n_slots
        for e in range(n_empty - 1, -1, -1):
            k = empty[e]
            if k + 1 < previous:  # the bin to the right is full
                lender, near = slots[k + 1], k + 1
            slots[k] = lender + np.uint32(near - k) * DISTANCE
            previous = k
    return out


@jit
def sign_optimal(values, offsets, bits):
    """Sign rows; an empty bin takes the first full one of a random walk of its own, the same walk in every row.

    Parameters, return and cost as in ``sign_rotated``, and some probes for each empty bin.

    Notes
    -----
    Shrivastava 2017, "Optimal densification for fast and accurate minwise hashing": the variance is the least that
    any densification can have.
    """
    n_rows = len(offsets) - 1
    n_slots = 1 << bits
    out = np.empty((n_rows, n_slots), np.uint32)
    empty = np.empty(n_slots + 1, np.int64)
    borrowed = np.empty(n_slots, np.uint32)
    down = np.uint64(64) - np.uint64(bits)
    for row in range(n_rows):
        slots = out[row]
        n_empty = fill_bins(values, offsets[row], offsets[row + 1], bits, slots, empty)
        if n_empty == n_slots:
            continue
        for e in range(n_empty):
            attempt = np.uint64(empty[e]) << np.uint64(32)
            value = EMPTY
            while value == EMPTY:
                attempt += np.uint64(1)
                value = slots[np.int64(mix64(attempt) >> down)]
            borrowed[e] = value
        for e in range(n_empty):
            slots[empty[e]] = borrowed[e]
    return out

"""Counts how many keys documents share, from the numbers in posting lists."""

from __future__ import annotations

import numpy as np

from ..jit import jit

#: A posting's value is ``number << CLASS_BITS | size_class``.
CLASS_BITS = 4


@jit
def tally(values, offsets, needed, scratch, most):
    """Count the document numbers in each row, and keep those that occur often enough.

    Parameters
    ----------
    values : uint32[n_values], ``number << 4 | size_class``; offsets : int64[n_rows + 1]
    needed : int32[n_rows, 16], for each size class how often a number must occur; a number with
        several classes in one row is kept if it satisfies one of them
    scratch : uint16[more than the largest number] (or int32), zeros before and after; counts
        saturate at 65535
    most : int, numbers kept of a row: those that occur most often, of equals the smaller numbers

    Returns
    -------
    (numbers int64[n], ascending in each row; shared int32[n], how often each occurs;
    offsets int64[n_rows + 1])
        Cost: three passes over the values, whatever the number of documents.
    """
    n_rows = len(offsets) - 1
    longest = 0
    for row in range(n_rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    ranked = np.empty(longest, np.uint64)  # (65535 - count) << 32 | number: the best first
    numbers, shared = np.empty(64, np.int64), np.empty(64, np.int32)
    out_offsets = np.zeros(n_rows + 1, np.int64)
    used = 0
    for row in range(n_rows):
        begin, end = offsets[row], offsets[row + 1]
        for i in range(begin, end):
            number = np.int64(values[i] >> CLASS_BITS)
            count = np.int64(scratch[number])
            scratch[number] = count + np.int64(count < 65535)
        kept = 0
        for i in range(begin, end):
            number = np.int64(values[i] >> CLASS_BITS)
            count = np.int64(scratch[number])
            if count > 0 and count >= needed[row, np.int64(values[i]) & ((1 << CLASS_BITS) - 1)]:
                ranked[kept] = np.uint64(((65535 - count) << 32) | number)
                kept += 1
                scratch[number] = 0  # keep it only once
        for i in range(begin, end):
            scratch[np.int64(values[i] >> CLASS_BITS)] = 0
        if kept > most:
            ranked[:kept].sort()
            kept = most
        if used + kept > len(numbers):
            numbers = np.concatenate((numbers, np.empty(len(numbers) + kept, np.int64)))
            shared = np.concatenate((shared, np.empty(len(numbers) - len(shared), np.int32)))
        for k in range(kept):  # swap the halves, to sort by number
            ranked[k] = (ranked[k] << np.uint64(32)) | (ranked[k] >> np.uint64(32))
        ranked[:kept].sort()
        for k in range(kept):
            numbers[used + k] = np.int64(ranked[k] >> np.uint64(32))
            shared[used + k] = np.int32(65535 - np.int64(ranked[k] & np.uint64(0xFFFFFFFF)))
        used += kept
        out_offsets[row + 1] = used
    return numbers[:used].copy(), shared[:used].copy(), out_offsets

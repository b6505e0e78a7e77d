"""How much of a text is said in another one, in the same words side by side."""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN, mix64
from ..jit import jit, leaf
from ..text.terms import FLAGLESS


@leaf
def neighbours_hash(terms, i):
    """uint64 hash, never 0, of ``terms[i]`` and the term behind it."""
    return mix64((terms[i] & FLAGLESS) * GOLDEN ^ (terms[i + 1] & FLAGLESS)) | np.uint64(1)


@leaf
def slot_of(table, key):
    """The slot of a key in a table of hashes with a power of two of slots, or the free one (0) where it would stand."""
    mask = len(table) - 1
    slot = np.int64(key >> np.uint64(20)) & mask
    while table[slot] != np.uint64(0) and table[slot] != key:
        slot = (slot + 1) & mask
    return slot


@jit
def coverage_pairs(terms, offsets, covered, by):
    """The share of the terms of one row that stand in another beside the same neighbour.

    Parameters
    ----------
    terms : uint64[n_terms], in text order, flags in the two lowest bits; offsets : int64[n_rows + 1]
    covered, by : int64[n_pairs], rows

    Returns
    -------
    float64[n_pairs]
        A row of no or one term is covered if the other holds what it has. Cost: the length of both rows, a pair.

    Notes
    -----
    Where shingles are counted, one changed word breaks every shingle around it; here it costs itself. So this tells a
    text that was touched up all over from one of which half is new.
    """
    coverage = np.empty(len(covered), np.float64)
    longest = 0
    for row in by:
        longest = max(longest, offsets[row + 1] - offsets[row])
    slots = 8
    while slots < 2 * longest:
        slots *= 2
    table = np.zeros(slots, np.uint64)
    used = np.empty(longest + 1, np.int64)
    n_used = 0
    row_now = np.int64(-1)
    for pair in range(len(covered)):
        row = by[pair]
        begin, end = offsets[row], offsets[row + 1]
        if row != row_now:  # several pairs in a row are often with one text
            for i in range(n_used):
                table[used[i]] = 0
            n_used = 0
            for i in range(begin, end - 1):
                key = neighbours_hash(terms, i)
                slot = slot_of(table, key)
                if table[slot] == np.uint64(0):
                    table[slot] = key
                    used[n_used] = slot
                    n_used += 1
            row_now = row
        first, last = offsets[covered[pair]], offsets[covered[pair] + 1]
        if last - first < 2:
            found = last == first
            for i in range(begin, end):
                found = found or terms[i] & FLAGLESS == terms[first] & FLAGLESS
            coverage[pair] = 1.0 if found else 0.0
            continue
        count = np.int64(0)
        before = False  # whether the term at hand stood beside the one before it
        for i in range(first, last - 1):
            key = neighbours_hash(terms, i)
            beside = table[slot_of(table, key)] == key
            count += np.int64(before or beside)
            before = beside
        count += np.int64(before)
        coverage[pair] = count / (last - first)
    return coverage

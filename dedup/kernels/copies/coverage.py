"""Coverage: how many words of a text occur in another one next to the same neighbour."""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN, mix64
from ..jit import jit, leaf
from ..text.terms import FLAGLESS


@leaf
def neighbours_hash(terms, i):
    """uint64 hash, never 0, of ``terms[i]`` and the next term."""
    return mix64((terms[i] & FLAGLESS) * GOLDEN ^ (terms[i + 1] & FLAGLESS)) | np.uint64(1)


@leaf
def slot_of(table, key):
    """The slot of a key in a hash table (a power of two of slots, 0: free), or the slot to insert it."""
    mask = len(table) - 1
    slot = np.int64(key >> np.uint64(20)) & mask
    while table[slot] != np.uint64(0) and table[slot] != key:
        slot = (slot + 1) & mask
    return slot


@jit
def coverage_pairs(terms, offsets, covered, by):
    """The share of the terms of one row that occur in another row next to the same neighbour.

    Parameters
    ----------
    terms : uint64[n_terms], in text order, flags in the two lowest bits
    offsets : int64[n_rows + 1]
    covered, by : int64[n_pairs], rows

    Returns
    -------
    float64[n_pairs]
        A row of one term is covered if the other row contains it, an empty row always. Cost: the
        length of both rows per pair.

    Notes
    -----
    A changed word breaks every shingle around it, but here it costs only itself. So coverage tells
    a text that was edited throughout from a text that is half new.
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
        if row != row_now:  # consecutive pairs often share a text
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
        found_before = False  # whether the current term was found next to the previous one
        for i in range(first, last - 1):
            key = neighbours_hash(terms, i)
            found_here = table[slot_of(table, key)] == key
            count += np.int64(found_before or found_here)
            found_before = found_here
        count += np.int64(found_before)
        coverage[pair] = count / (last - first)
    return coverage

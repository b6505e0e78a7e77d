"""Exact overlap of sorted rows, for a list of pairs."""

from __future__ import annotations

import numpy as np

from .jit import jit


@jit
def overlap_pairs(values, offsets, weights, left, right):
    """Intersect row ``left[i]`` with row ``right[i]``.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]
    weights : float32[n_values], the weight of each value
    left, right : int64[n_pairs], rows

    Returns
    -------
    (shared int64[n_pairs], shared_weight float64[n_pairs])
        Cost: the length of both rows, a pair.
    """
    n_pairs = len(left)
    shared = np.zeros(n_pairs, np.int64)
    shared_weight = np.zeros(n_pairs, np.float64)
    for pair in range(n_pairs):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        count = 0
        weight = 0.0
        while i < i_end and j < j_end:
            a, b = values[i], values[j]
            if a == b:
                count += 1
                weight += weights[i]
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        shared[pair] = count
        shared_weight[pair] = weight
    return shared, shared_weight


@jit
def subsequence_pairs(values, offsets, left, right):
    """bool[n_pairs]: whether the shorter of two rows is the longer one with values left out, in the same order."""
    out = np.empty(len(left), np.bool_)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        if offsets[b + 1] - offsets[b] < offsets[a + 1] - offsets[a]:
            a, b = b, a
        i = offsets[a]
        for j in range(offsets[b], offsets[b + 1]):
            if i < offsets[a + 1] and values[i] == values[j]:
                i += 1
        out[pair] = i == offsets[a + 1]
    return out


@jit
def count_in_sources(values, offsets, order, source_ends, counters, within):
    """For each value the most rows of one source that hold it, in ``counters`` (uint8[a power of two]), in place.

    Parameters
    ----------
    values, offsets : rows of unique values; order : int64[n_rows], rows by source
    source_ends : int64[n_sources], where each source ends in ``order``
    within : uint8[len(counters)], zeros; it is all zeros again behind the call

    Notes
    -----
    By the low bits of the hash, up to 255, as ``count_values``.
    """
    mask = np.uint64(len(counters) - 1)
    begin = 0
    for end in source_ends:
        for walk in range(2):
            for place in range(begin, end):
                row = order[place]
                for i in range(offsets[row], offsets[row + 1]):
                    slot = values[i] & mask
                    if walk == 1:
                        within[slot] = 0
                    elif within[slot] < 255:
                        within[slot] += np.uint8(1)
                        counters[slot] = max(counters[slot], within[slot])
        begin = end


@jit
def count_values(values, counters):
    """Count each value in ``counters`` (uint8[a power of two]), by the low bits of its hash, in place.

    Two values that fall together are counted together, and nothing is counted beyond 255.
    """
    mask = np.uint64(len(counters) - 1)
    for i in range(len(values)):
        slot = values[i] & mask
        if counters[slot] < 255:
            counters[slot] += np.uint8(1)


@jit
def rarity_weights(values, counters, common):
    """float32[n_values]: ``min(1, common / count)`` for each value, counts as ``count_values`` left them."""
    mask = np.uint64(len(counters) - 1)
    weights = np.empty(len(values), np.float32)
    for i in range(len(values)):
        count = counters[values[i] & mask]
        weights[i] = np.float32(1.0) if count <= common else np.float32(common / count)
    return weights


@jit
def row_sums(weights, offsets):
    """float64[n_rows]: the sum of each row, added from left to right."""
    sums = np.zeros(len(offsets) - 1, np.float64)
    for row in range(len(offsets) - 1):
        total = 0.0
        for i in range(offsets[row], offsets[row + 1]):
            total += weights[i]
        sums[row] = total
    return sums

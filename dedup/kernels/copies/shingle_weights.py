"""Common shingles (in many rows of one source) and their weights: exact, with few values sorted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..hashing import GOLDEN
from ..jit import jit, leaf


class Selection(NamedTuple):
    """The values that a pass over the rows counts.

    Attributes
    ----------
    part, shift : uint64; values with ``value >> shift == part`` are read
    counters : uint8[a power of two], in how many rows each value occurs, by its low bits; see
        ``count_rows``
    least : uint8, values in fewer rows are left out
    """

    part: np.uint64
    shift: np.uint64
    counters: npt.NDArray[np.uint8]
    least: np.uint8


@leaf
def span_start(values, begin, end, part, shift):
    """The first place in sorted ``values[begin:end]`` whose highest bits are at least ``part``."""
    place = begin + np.int64((end - begin) * (np.float64(part) / np.float64(np.uint64(1) << (np.uint64(64) - shift))))
    while place > begin and values[place - 1] >> shift >= part:
        place -= 1
    while place < end and values[place] >> shift < part:
        place += 1
    return place


@leaf
def source_slot(value, source, slots):
    """The counter for a value in a source, among ``slots``, a power of two."""
    mixed = (value ^ np.uint64(source + 1) * GOLDEN) * np.uint64(0xD6E8FEB86659FD93)
    return (mixed >> np.uint64(20)) & np.uint64(slots - 1)


@jit
def count_rows(values, offsets, rows, part, shift, counters, most):
    """Count in how many rows each value of a part occurs, up to ``most``, by its low bits.

    Parameters
    ----------
    values : uint64[n_values], hashes, sorted and unique in each row; offsets : int64[n_all + 1];
        rows : int64[n]
    part, shift : uint64; values with ``value >> shift == part`` are read
    counters : uint8[a power of two], written in place
    """
    mask = np.uint64(len(counters) - 1)
    for row in rows:
        end = offsets[row + 1]
        i = span_start(values, offsets[row], end, part, shift)
        while i < end and values[i] >> shift == part:
            slot = values[i] & mask
            counters[slot] += np.uint8(counters[slot] < most)
            i += 1


@jit
def count_in_source(values, offsets, rows, sources, selection, within, most):
    """Count in how many rows of each source a selected value occurs, as ``count_rows`` does.

    Parameters
    ----------
    sources : int64[n], from 0; within : uint8[a power of two], written in place
    """
    part, shift, counters, least = selection
    mask = np.uint64(len(counters) - 1)
    for place in range(len(rows)):
        end = offsets[rows[place] + 1]
        i = span_start(values, offsets[rows[place]], end, part, shift)
        while i < end and values[i] >> shift == part:
            if counters[values[i] & mask] >= least:
                slot = source_slot(values[i], sources[place], len(within))
                within[slot] += np.uint8(within[slot] < most)
            i += 1


@jit
def perhaps_common(values, offsets, rows, sources, selection, within, bounds):
    """Selected values that may occur in more rows of a source than ``bounds``, int64[n_sources].

    Returns
    -------
    (values uint64[n], sources int64[n])
        One entry for each row that contains the value. All common values are among them, and some
        that are not common, since colliding values are counted together.
    """
    part, shift, counters, least = selection
    mask = np.uint64(len(counters) - 1)
    found, of = np.empty(1024, np.uint64), np.empty(1024, np.int64)
    used = 0
    for place in range(len(rows)):
        end = offsets[rows[place] + 1]
        i = span_start(values, offsets[rows[place]], end, part, shift)
        source = sources[place]
        while i < end and values[i] >> shift == part:
            if counters[values[i] & mask] >= least and within[source_slot(values[i], source, len(within))] > bounds[source]:
                if used == len(found):
                    found, of = np.concatenate((found, np.empty_like(found))), np.concatenate((of, np.empty_like(of)))
                found[used], of[used] = values[i], source
                used += 1
            i += 1
    return found[:used].copy(), of[:used].copy()


@jit
def most_in_source(values, sources, bounds, scales):
    """Count exactly: which values are common, and how common.

    Parameters
    ----------
    values : uint64[n], ascending; sources : int64[n], ascending where values are equal
    bounds, scales : int64[n_sources]; more rows than ``bounds`` make a value common; factors of the
        number of rows

    Returns
    -------
    (common uint64[m], ascending; commonness int64[m])
        Commonness is the largest number of rows in one source, times its scale.
    """
    common, commonness = np.empty(len(values), np.uint64), np.empty(len(values), np.int64)
    used = 0
    i = 0
    while i < len(values):
        count = i + 1
        while count < len(values) and values[count] == values[i] and sources[count] == sources[i]:
            count += 1
        if count - i > bounds[sources[i]]:
            scaled = (count - i) * scales[sources[i]]
            if used > 0 and common[used - 1] == values[i]:
                commonness[used - 1] = max(commonness[used - 1], scaled)
            else:
                common[used], commonness[used] = values[i], scaled
                used += 1
        i = count
    return common[:used].copy(), commonness[:used].copy()


@jit
def weight_table(common, weights):
    """Build the hash table that ``weight_of`` reads.

    Parameters
    ----------
    common : uint64[m], different hashes; weights : float64[m]

    Returns
    -------
    (keys uint64[slots], 0 where free; weights float64[slots])
        ``slots`` is a power of two, at least four times m.
    """
    slots = 8
    while slots < 4 * len(common):
        slots *= 2
    keys, slot_weights = np.zeros(slots, np.uint64), np.ones(slots, np.float64)
    for i in range(len(common)):
        slot = np.int64(common[i] & np.uint64(slots - 1))
        while keys[slot] != np.uint64(0):
            slot = (slot + 1) & (slots - 1)
        keys[slot], slot_weights[slot] = common[i], weights[i]
    return keys, slot_weights


@leaf
def weight_of(value, keys, weights):
    """The weight of a value; 1 if it is not in the table."""
    slot = np.int64(value & np.uint64(len(keys) - 1))
    while keys[slot] != value:
        if keys[slot] == np.uint64(0):
            return 1.0
        slot = (slot + 1) & (len(keys) - 1)
    return weights[slot]


@jit
def weight_sums(values, offsets, rows, keys, weights):
    """float64[len(rows)]: the sum of the weights of each chosen row, added from left to right."""
    sums = np.zeros(len(rows), np.float64)
    for place in range(len(rows)):
        total = 0.0
        for i in range(offsets[rows[place]], offsets[rows[place] + 1]):
            total += weight_of(values[i], keys, weights)
        sums[place] = total
    return sums


@jit
def shared_weights(values, offsets, left, right, keys, weights):
    """float64[n_pairs]: the summed weights of what row ``left[i]`` and row ``right[i]`` share."""
    shared = np.zeros(len(left), np.float64)
    for pair in range(len(left)):
        i, i_end = offsets[left[pair]], offsets[left[pair] + 1]
        j, j_end = offsets[right[pair]], offsets[right[pair] + 1]
        weight = 0.0
        while i < i_end and j < j_end:
            a, b = values[i], values[j]
            if a == b:
                weight += weight_of(a, keys, weights)
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        shared[pair] = weight
    return shared

"""Shingle rows to similarity sketches of 32-bit slots."""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN, mix64
from ..jit import jit, leaf

_EMPTY = np.uint32(0xFFFFFFFF)
#: An odd 64-bit constant with well-spread bits.
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@leaf
def round_hash(value, key):
    """Hash a well-mixed uint64 in the round of this key: a slot follows from the high half, a value from the low one."""
    mixed = (value ^ key) * GOLDEN
    return (mixed ^ (mixed >> _HALF)) * _SPREAD


@jit
def sketch_rows(hashes, offsets, rows, n_slots, seed):
    """Sketch the chosen rows: two sets agree in a slot with the probability of their Jaccard similarity.

    In round r < n_slots each hash falls into a slot of its own choice, in round n_slots + k into
    slot k. A slot keeps the least value of the first round that reached it, and a row is done as
    soon as all its slots are filled.

    Parameters
    ----------
    hashes : uint64[n_hashes], well mixed; offsets : int64[n_all + 1]; rows : int64[n_rows]
    n_slots : slots of a sketch, at least 1; seed : uint64

    Returns
    -------
    uint32[n_rows, n_slots]
        The number of the round in the high bits, the value in it below, so that the sketch of a
        union is the minimum of both sketches, slot by slot. A row without hashes is all 0xFFFFFFFF.
        Cost: each hash once, and about n_slots * (log(n_slots) + 0.6) times if a row is short.

    Notes
    -----
    Dahlgaard, Knudsen, Thorup 2017, "Fast similarity sketching", algorithm 1. One round fills
    different slots with different hashes, so the estimate varies less than that of MinHash, whose
    slots draw with replacement. Departures: a mixing function in the place of mixed tabulation;
    round and value share 32 bits, so that different hashes collide in a slot about twice as often
    as in MinHash of 32 bits.
    """
    out = np.empty((len(rows), n_slots), np.uint32)
    keys = np.empty(2 * n_slots, np.uint64)
    for k in range(2 * n_slots):
        keys[k] = mix64(seed + np.uint64(k) * GOLDEN)
    bits = np.uint64(1)  # of the number of a round
    while (np.int64(1) << np.int64(bits)) < 2 * n_slots:
        bits += np.uint64(1)
    for place in range(len(rows)):
        slots = out[place]
        for k in range(n_slots):
            slots[k] = _EMPTY
        begin, end = offsets[rows[place]], offsets[rows[place] + 1]
        left = n_slots if begin < end else 0
        for k in range(n_slots):
            if left == 0:
                break
            number = np.uint64(k) << (_HALF - bits)
            for i in range(begin, end):
                drawn = round_hash(hashes[i], keys[k])
                slot = ((drawn >> _HALF) * np.uint64(n_slots)) >> _HALF
                before = slots[slot]
                left -= np.int64(before == _EMPTY)
                slots[slot] = min(before, np.uint32(number | ((drawn & _LOW) >> bits)))
        for k in range(n_slots):
            if left == 0:
                break
            if slots[k] == _EMPTY:
                number = np.uint64(n_slots + k) << (_HALF - bits)
                least = _LOW
                for i in range(begin, end):
                    least = min(least, round_hash(hashes[i], keys[n_slots + k]) & _LOW)
                slots[k] = np.uint32(number | (least >> bits))
                left -= 1
    return out

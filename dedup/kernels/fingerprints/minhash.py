"""Hash rows to the MinHash signatures of datasketch, and signatures to band keys."""

from __future__ import annotations

import numpy as np

from ..hashing import EULER, extend, mix64
from ..jit import jit

EMPTY = np.uint32(0xFFFFFFFF)
MERSENNE_PRIME = np.uint64((1 << 61) - 1)


@jit
def signature_rows(hashes, offsets, rows, multipliers, increments):
    """Sign rows: slot k is the minimum of ``multipliers[k] * h + increments[k]`` modulo 2**32.

    Parameters
    ----------
    hashes : uint64[n_hashes], well mixed; h is the higher half of each
    offsets : int64[n_all + 1]; rows : int64[n_rows]
    multipliers, increments : uint32[n_slots], multipliers odd

    Returns
    -------
    uint32[n_rows, n_slots]
        A row without hashes is all 0xFFFFFFFF. Cost: n_hashes * n_slots multiplications.

    Notes
    -----
    Broder 1997, "On the resemblance and containment of documents". With an odd multiplier each slot
    permutes the 32-bit numbers, so no two hashes collide in a slot (the scheme "affine32" of
    datasketch 2).
    """
    n_rows = len(rows)
    n_slots = len(multipliers)
    out = np.empty((n_rows, n_slots), np.uint32)
    for place in range(n_rows):
        slots = out[place]
        for k in range(n_slots):
            slots[k] = EMPTY
        for i in range(offsets[rows[place]], offsets[rows[place] + 1]):
            h = np.uint32(hashes[i] >> np.uint64(32))
            for k in range(n_slots):
                value = np.uint32(multipliers[k] * h + increments[k])
                slots[k] = min(slots[k], value)
    return out


@jit
def legacy_signature_rows(hashes, offsets, rows, multipliers, increments):
    """Sign rows: slot k is the minimum of ``(multipliers[k] * h + increments[k]) % (2**61 - 1)``, cut to 32 bits.

    Parameters
    ----------
    hashes : uint64[n_hashes]; h is the higher half of each
    offsets : int64[n_all + 1]; rows : int64[n_rows]
    multipliers, increments : uint64[n_slots], below 2**61 - 1

    Returns
    -------
    uint32[n_rows, n_slots]
        A row without hashes is all 0xFFFFFFFF. Cost: n_hashes * n_slots divisions.

    Notes
    -----
    The scheme of datasketch before 2.0, which is "legacy" in datasketch 2. Product and sum wrap at
    2**64 before the division, as they do there.
    """
    n_slots = len(multipliers)
    out = np.empty((len(rows), n_slots), np.uint32)
    for place in range(len(rows)):
        slots = out[place]
        for k in range(n_slots):
            slots[k] = EMPTY
        for i in range(offsets[rows[place]], offsets[rows[place] + 1]):
            h = hashes[i] >> np.uint64(32)
            for k in range(n_slots):
                value = (multipliers[k] * h + increments[k]) % MERSENNE_PRIME
                slots[k] = min(slots[k], np.uint32(value & np.uint64(0xFFFFFFFF)))
    return out


@jit
def band_keys(signatures, bands, rows):
    """Hash ``rows`` consecutive slots and the number of the band into one 64-bit key per band.

    Parameters
    ----------
    signatures : uint32[n_docs, n_slots], n_slots >= bands * rows

    Returns
    -------
    uint64[bands, n_docs]
        One band after another, so that each can be sorted on its own.
    """
    n_docs = len(signatures)
    out = np.empty((bands, n_docs), np.uint64)
    for doc in range(n_docs):
        for band in range(bands):
            state = np.uint64(band + 1) * EULER
            for k in range(band * rows, (band + 1) * rows):
                state = extend(state, np.uint64(signatures[doc, k]))
            out[band, doc] = mix64(state)
    return out

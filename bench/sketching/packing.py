"""b-bit signatures: of each slot its lowest bits, side by side in 64-bit words."""

from __future__ import annotations

import numpy as np

from dedup.kernels.jit import jit, leaf


@jit
def packed_rows(signatures, bits):
    """Keep the lowest ``bits`` of each slot.

    Parameters
    ----------
    signatures : uint32[n_rows, n_slots]; bits : 1, 2, 4, 8 or 16; n_slots * bits is a multiple of 64

    Returns
    -------
    uint64[n_rows, n_slots * bits // 64]

    Notes
    -----
    Li & König 2010, "b-bit minwise hashing".
    """
    n_rows, n_slots = signatures.shape
    lanes = 64 // bits
    mask = np.uint64((1 << bits) - 1)
    out = np.zeros((n_rows, n_slots // lanes), np.uint64)
    for row in range(n_rows):
        for k in range(n_slots):
            out[row, k // lanes] |= (np.uint64(signatures[row, k]) & mask) << np.uint64((k % lanes) * bits)
    return out


@leaf
def ones(word):
    """How many bits of a uint64 are set; the compiler knows this form and makes one instruction of it."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@leaf
def unequal_lanes(one, other, bits, lowest):
    """How many lanes of ``bits`` bits differ between two rows of words; ``lowest`` has the lowest bit of each lane."""
    count = 0
    for i in range(len(one)):
        word = one[i] ^ other[i]
        shift = 1
        while shift < bits:
            word |= word >> np.uint64(shift)
            shift *= 2
        count += ones(word & lowest)
    return count


@jit
def unequal_pairs(words, bits, left, right):
    """int64[n_pairs]: in how many slots rows ``left[i]`` and ``right[i]`` of ``packed_rows`` differ."""
    lowest = np.uint64(0)
    for lane in range(64 // bits):
        lowest |= np.uint64(1) << np.uint64(lane * bits)
    out = np.empty(len(left), np.int64)
    for pair in range(len(left)):
        out[pair] = unequal_lanes(words[left[pair]], words[right[pair]], bits, lowest)
    return out

"""64-bit hashes. Golden vectors in the tests pin their values: stored indexes depend on them."""

from __future__ import annotations

import numpy as np

from .jit import leaf

#: Odd 64-bit constants with well-spread bits (digits of the golden ratio, of pi and of e, made
#: odd).
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
PI = np.uint64(0x243F6A8885A308D3)
EULER = np.uint64(0xB7E151628AED2A6B)


@leaf
def mix64(value):
    """Mix the bits of a uint64: the finalizer of SplitMix64.

    Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"; variant 13 of
    Stafford.
    """
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return value


@leaf
def extend(state, value):
    """Add one uint64 to a running hash; the order of the values matters."""
    state = (state ^ value) * GOLDEN
    return state ^ (state >> np.uint64(32))

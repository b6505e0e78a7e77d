"""Hashes -> keys of postings, salted by kind."""

from __future__ import annotations

import numpy as np

from ..hashing import GOLDEN, mix64
from ..jit import jit


@jit
def salt_keys(values, salt):
    """A permutation of 64 bits for each salt, applied to uint64[n].

    It mixes twice: after a single mix, two kinds would collide wherever their numbers differ by the
    XOR of the salts.
    """
    out = np.empty(len(values), np.uint64)
    for i in range(len(values)):
        out[i] = mix64(mix64(values[i] ^ salt) ^ salt)
    return out


@jit
def fold_digests(digests):
    """uint64[n]: both halves of each digest, uint64[n, 2], in one number."""
    out = np.empty(len(digests), np.uint64)
    for i in range(len(digests)):
        out[i] = mix64(digests[i, 0]) ^ (digests[i, 1] * GOLDEN)
    return out

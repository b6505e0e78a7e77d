"""The keys and values of postings: 64-bit hashes, one namespace for each kind of thing that is looked up, and packed numbers.

Shingles are looked up by their hashes as they are. Every other kind has a salt and a permutation of 64 bits, so that what is equal as
a number (a document's number, a title's hash) is not equal as a key. Keys are stored: none of this may change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows
from ..config import Config, CopyConfig
from ..kernels.fingerprints.shingles import shingle_hashes
from ..kernels.index.winnow import winnow
from .store import CLASS_BITS, Hashes, Values

_DIGEST, _COPIES, _TITLE, _LETTERS = (
    np.uint64(salt) for salt in (0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1)
)  # roots of the first primes, as in SHA-512
_ID = b"dedup id"
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MASK = (1 << 64) - 1
_MOST_CLASS = (1 << CLASS_BITS) - 1
#: The least shingles of a document of each size class: half an octave each, from 8 on.
CLASS_SIZES = np.array([1, *(ceil(8 * 2 ** (k / 2)) for k in range(1, 1 << CLASS_BITS))], np.int64)


def _mixed(values: Hashes) -> Hashes:
    """Spread the bits: the finalizer of SplitMix64, as ``mix64`` of ``kernels/hashing.py``."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _salted(values: Hashes, salt: np.uint64) -> Hashes:
    """A permutation of 64 bits for each salt. Mixed once, kinds would differ by a constant only, and numbers may well differ by it."""
    return _mixed(_mixed(values ^ salt) ^ salt)


def digest_keys(digests: Hashes) -> Hashes:
    """uint64[n]: keys of token streams, from their digests uint64[n, 2]."""
    digests = np.asarray(digests, np.uint64).reshape(-1, 2)
    if len(digests) == 1:  # of one text, plain numbers are faster
        return np.array([_digest_key(*digests[0].tolist())], np.uint64)
    return _salted(_mixed(digests[:, 0]) ^ (digests[:, 1] * _GOLDEN), _DIGEST)


def _digest_key(one: int, other: int) -> int:
    salt = int(_DIGEST)
    return _mixed_number(_mixed_number(_mixed_number(one) ^ (other * int(_GOLDEN) & _MASK) ^ salt) ^ salt)


def _mixed_number(value: int) -> int:
    """``_mixed`` of one number."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31


def id_key(doc_id: str) -> int:
    """The key of a document's id: 64 bits of BLAKE2b, for ids come from outside. Half surrogates are allowed."""
    return int.from_bytes(hashlib.blake2b(doc_id.encode("utf-8", "surrogatepass"), digest_size=8, person=_ID).digest(), "little")


def id_keys(doc_ids: Sequence[str]) -> Hashes:
    """uint64[n]: ``id_key`` of each id."""
    return np.fromiter(map(id_key, doc_ids), np.uint64, len(doc_ids))


def copies_keys(numbers: Ints) -> Hashes:
    """uint64[n]: the keys that list the copies of these canonicals."""
    return _salted(np.asarray(numbers, np.int64).astype(np.uint64), _COPIES)


def copies_key(number: int) -> int:
    """The key that lists the copies of a canonical."""
    return int(copies_keys(np.array([number], np.int64))[0])


def title_keys(titles: Hashes) -> Hashes:
    """uint64[n]: keys of what titles are looked up by, from its hashes."""
    return _salted(np.asarray(titles, np.uint64), _TITLE)


def letter_keys(letters: Hashes) -> Hashes:
    """uint64[n]: keys of what titles are looked up by letter by letter, from its hashes."""
    return _salted(np.asarray(letters, np.uint64), _LETTERS)


def pack_values(numbers: Ints, sizes: Ints) -> Values:
    """Values of postings.

    Parameters
    ----------
    numbers : int64[n], document numbers below 2**28
    sizes : int64[n], how many different shingles each document has

    Returns
    -------
    uint32[n], ``number << 4 | size_class``: the last class of which ``CLASS_SIZES`` says that its documents have as many
    """
    classes = np.searchsorted(CLASS_SIZES, np.maximum(np.asarray(sizes, np.int64), CLASS_SIZES[0]), side="right") - 1
    values: Values = ((np.asarray(numbers, np.int64) << CLASS_BITS) | classes).astype(np.uint32)
    return values


def numbers_of(values: Values) -> Ints:
    """int64[n]: the document numbers in values."""
    return (np.asarray(values, np.uint32) >> np.uint32(CLASS_BITS)).astype(np.int64)


def classes_of(values: Values) -> npt.NDArray[np.int64]:
    """int64[n]: the size classes in values."""
    return (np.asarray(values, np.uint32) & np.uint32(_MOST_CLASS)).astype(np.int64)


#: The least shingles of a text, and the window that it is winnowed with from there on; 1 takes all. Bounds are those of size classes, so
#: that a class tells the window. Shorter texts are listed under more: of them a loose sample would say too little.
WINDOWS = ((1, 1), (64, 3), (128, 8))
#: Standard deviations by which a sample may fall short of what is expected of it.
SPREADS = 2.5


def sample(tokens: Rows, sizes: Ints, config: Config) -> Rows:
    """The shingles that documents are listed under.

    Parameters
    ----------
    tokens : rows of tokens; sizes : int64[n], how many different shingles each has
    """
    bounds, windows = (np.array(column, np.int64) for column in zip(*WINDOWS, strict=True))
    own = windows[np.maximum(np.searchsorted(bounds, sizes, side="right") - 1, 0)]
    values, offsets = winnow(*shingle_hashes(*tokens, config.shingles.words), own)
    return values, offsets


def least_shared(sizes: Ints, cut: Ints, config: CopyConfig) -> npt.NDArray[np.int32]:
    """How many listed shingles an arrival must share with a document of each size class to be compared with it.

    Parameters
    ----------
    sizes : int64[n], shingles of each arrival; cut : how many of them list more documents than are read

    Returns
    -------
    int32[n, 16]
        A text that shares ``copies.excerpt`` of the smaller one shares as much of a sample on average; with the spread of a draw.
    """
    rows = [_least_shared(size, hot, config.excerpt) for size, hot in zip(sizes.tolist(), cut.tolist(), strict=True)]
    return np.array(rows, np.int32).reshape(len(rows), len(CLASS_SIZES))


@lru_cache(1 << 16)
def _least_shared(size: int, cut: int, share: float) -> tuple[int, ...]:
    """``least_shared`` of one arrival."""
    least = []
    for other in CLASS_SIZES.tolist():
        window = next(window for bound, window in reversed(WINDOWS) if other >= bound)
        rate = 2 / (window + 1) * (1 - cut / max(size, 1))
        mean = share * min(size, other) * rate
        least.append(max(1, ceil(mean - SPREADS * sqrt(mean * (1 - share) * (1 - rate)) - 1e-9)))
    return tuple(least)

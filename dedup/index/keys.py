"""Keys and values of postings: 64-bit hashes in a namespace for each kind, and packed numbers.

Indexes store keys and values: none of this may change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, Rows, mask_rows, row_offsets, take_rows
from ..config import Config, CopyConfig
from ..kernels.fingerprints.shingles import row_hashes, shingle_hashes
from ..kernels.index.keys import fold_digests, salt_keys
from ..kernels.index.winnow import winnow
from .store import CLASS_BITS, Entry, Hashes, Values

# Shingle hashes are keys as they are. Every other kind has a salt, so that equal numbers of two
# kinds (a document's number, a title's hash) never become equal keys. The salts are roots of the
# first primes, as in SHA-512.
_DIGEST, _COPIES, _TITLE, _LETTERS = (
    np.uint64(salt) for salt in (0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1)
)
_ID = b"dedup id"
#: Fewest shingles of a document of each size class: half an octave each, from 8 on.
CLASS_SIZES = np.array([1, *(ceil(8 * 2 ** (k / 2)) for k in range(1, 1 << CLASS_BITS))], np.int64)
#: (fewest shingles of a text, window that it is winnowed with); window 1 takes all. The bounds are
#: bounds of size classes, so that a class implies the window. Shorter texts are sampled more
#: densely: a loose sample of them would say too little.
WINDOWS = ((1, 1), (64, 3), (128, 8))
#: Standard deviations by which a sample may fall short of its expected overlap.
SPREADS = 2.5
#: Character shingles of a title that it is posted under: those with the smallest hashes.
TITLE_LETTERS = 8


def _salt(values: Hashes, salt: np.uint64) -> Hashes:
    keys: Hashes = salt_keys(np.ascontiguousarray(values, np.uint64), salt)
    return keys


def digest_keys(digests: Hashes) -> Hashes:
    """uint64[n]: keys of token streams, from their digests uint64[n, 2]."""
    return _salt(fold_digests(np.ascontiguousarray(digests, np.uint64).reshape(-1, 2)), _DIGEST)


def id_key(doc_id: str) -> int:
    """The key of an id: 64 bits of BLAKE2b, as ids come from outside; half surrogates are valid."""
    return int.from_bytes(hashlib.blake2b(doc_id.encode("utf-8", "surrogatepass"), digest_size=8, person=_ID).digest(), "little")


def id_keys(doc_ids: Sequence[str]) -> Hashes:
    """uint64[n]: ``id_key`` of each id."""
    return np.fromiter(map(id_key, doc_ids), np.uint64, len(doc_ids))


def copies_keys(numbers: Ints) -> Hashes:
    """uint64[n]: the keys that what is tied to documents is posted under: copies, and what extends them; from their numbers."""
    return _salt(np.asarray(numbers, np.int64).astype(np.uint64), _COPIES)


def copies_key(number: int) -> int:
    """``copies_keys`` of one document."""
    return int(copies_keys(np.array([number], np.int64))[0])


def title_keys(titles: Hashes) -> Hashes:
    """uint64[n]: keys of whole titles, from the hashes of their words."""
    return _salt(titles, _TITLE)


def letter_keys(letters: Hashes) -> Hashes:
    """uint64[n]: keys of character shingles of titles, from their hashes."""
    return _salt(letters, _LETTERS)


def title_rows(title_terms: Rows, title_shingles: Rows) -> Rows:
    """The keys that titles are posted under: one of all words, then some of character shingles.

    Parameters
    ----------
    title_terms, title_shingles : as ``Fingerprints`` has them
    """
    whole = title_keys(row_hashes(*title_terms))
    n = len(whole)
    letters, offsets = take_rows(*title_shingles, np.arange(n), np.full(n, TITLE_LETTERS))
    return np.insert(letter_keys(letters), offsets[:-1], whole), row_offsets(np.diff(offsets) + 1)


def pack_values(numbers: Ints, sizes: Ints) -> Values:
    """Values of postings.

    Parameters
    ----------
    numbers : int64[n], document numbers below 2**28
    sizes : int64[n], distinct shingles of each document

    Returns
    -------
    uint32[n], ``number << 4 | size_class``: the last class whose ``CLASS_SIZES`` the size reaches
    """
    classes = np.searchsorted(CLASS_SIZES, np.maximum(np.asarray(sizes, np.int64), CLASS_SIZES[0]), side="right") - 1
    values: Values = ((np.asarray(numbers, np.int64) << CLASS_BITS) | classes).astype(np.uint32)
    return values


def numbers_of(values: Values) -> Ints:
    """int64[n]: the document numbers in values."""
    return (np.asarray(values, np.uint32) >> np.uint32(CLASS_BITS)).astype(np.int64)


def sample(tokens: Rows, sizes: Ints, config: Config) -> Rows:
    """The shingles that documents are posted under: all of a short text, a sample of a longer one.

    Parameters
    ----------
    tokens : rows of tokens; sizes : int64[n], distinct shingles of each
    """
    bounds, windows = (np.array(column, np.int64) for column in zip(*WINDOWS, strict=True))
    own = windows[np.maximum(np.searchsorted(bounds, sizes, side="right") - 1, 0)]
    values, offsets = winnow(*shingle_hashes(*tokens, config.shingles.words), own)
    return values, offsets


def least_shared(sizes: Ints, truncated: Ints, config: CopyConfig) -> npt.NDArray[np.int32]:
    """How many posted shingles a text must share with documents of each size class.

    Parameters
    ----------
    sizes : int64[n], distinct shingles of each text
    truncated : int64[n], how many of those have posting lists that were not read to the end

    Returns
    -------
    int32[n, 16]
        A text that shares ``copies.excerpt`` of the smaller one shares that much of a sample on
        average; the bound allows for the spread of a random draw.
    """
    rows = [_least_shared(size, count, config.excerpt) for size, count in zip(sizes.tolist(), truncated.tolist(), strict=True)]
    return np.array(rows, np.int32).reshape(len(rows), len(CLASS_SIZES))


@lru_cache(1 << 16)
def _least_shared(size: int, truncated: int, share: float) -> tuple[int, ...]:
    """``least_shared`` of one text."""
    least = []
    for other in CLASS_SIZES.tolist():
        window = next(window for bound, window in reversed(WINDOWS) if other >= bound)
        rate = 2 / (window + 1) * (1 - truncated / max(size, 1))
        mean = share * min(size, other) * rate
        least.append(max(1, ceil(mean - SPREADS * sqrt(mean * (1 - share) * (1 - rate)) - 1e-9)))
    return tuple(least)


@dataclass(frozen=True, eq=False)
class PostingKeys:
    """What documents may be posted under, row by row.

    ``sizes`` int64[n], distinct shingles of the text; ``sampled`` rows of posted shingles;
    ``titles`` rows of title keys; ``digests`` uint64[n, 2]; ``title_words`` int32[n], stems of the
    title.
    """

    sizes: Ints
    sampled: Rows
    titles: Rows
    digests: Hashes
    title_words: npt.NDArray[np.int32]

    def take(self, rows: Ints) -> PostingKeys:
        """The chosen documents."""
        sampled, titles = take_rows(*self.sampled, rows), take_rows(*self.titles, rows)
        return PostingKeys(self.sizes[rows], sampled, titles, self.digests[rows], self.title_words[rows])


def tie_keys(entries: list[Entry]) -> Rows:
    """Rows of at most one key: that of the canonical of a copy, that of the document that an extended one extends."""
    numbers = np.array([entry.number for entry in entries], np.int64)
    tied = np.array([entry.canonical if entry.extends is None else entry.extends for entry in entries], np.int64)
    return mask_rows(copies_keys(tied), np.arange(len(entries) + 1), tied != numbers)


def tie_postings(entries: list[Entry], sizes: Ints) -> tuple[Hashes, Values]:
    """The postings of entries that are posted under all else already; ``sizes`` int64[n], distinct shingles of each."""
    keys, offsets = tie_keys(entries)
    numbers = np.array([entry.number for entry in entries], np.int64)
    return keys, np.repeat(pack_values(numbers, sizes), np.diff(offsets))


def postings(entries: list[Entry], keys: PostingKeys, posted_copy: npt.NDArray[np.bool_], config: Config) -> tuple[Hashes, Values]:
    """The postings of entries.

    Every entry is posted under its id. A kept article is posted under its shingles, its digest and
    its title, a kept headline under its title, an extended document under the one that it extends
    too. A copy is posted under its canonical, under its digest where its text is not exactly the
    canonical's, and under its shingles if it is a posted copy.

    Parameters
    ----------
    keys : a row for each entry; posted_copy : bool[n], see ``Decisions``

    Returns
    -------
    (keys uint64[n_postings], values uint32[n_postings])
    """
    numbers = np.array([entry.number for entry in entries], np.int64)
    canonical = np.array([entry.canonical for entry in entries], np.int64)
    short = np.array([entry.status == "short" for entry in entries], bool)
    headline = np.array([entry.role == "headline" for entry in entries], bool)
    exact = np.array([entry.kind == "exact" for entry in entries], bool)
    is_canonical = (canonical == numbers) & ~short
    has_title = keys.title_words >= config.text.min_headline_words
    one_each = np.arange(len(entries) + 1)
    parts = [
        (id_keys([entry.doc_id for entry in entries]), one_each),
        tie_keys(entries),
        mask_rows(digest_keys(keys.digests), one_each, ~short & ~headline & ~exact),
        mask_rows(*keys.sampled, (is_canonical | posted_copy) & ~headline),
        mask_rows(*keys.titles, is_canonical & has_title),
    ]
    values = pack_values(numbers, keys.sizes)
    posted = [np.repeat(values, np.diff(offsets)) for _, offsets in parts]
    return np.concatenate([part for part, _ in parts]), np.concatenate(posted)

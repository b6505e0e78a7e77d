"""Pairs of rows: candidates and matches as arrays, sets of pairs, and the overlap of two rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Floats, Ints, Rows
from ..kernels.copies.overlap import overlap_pairs
from ..schema import KINDS

EXACT, NEAR, EXCERPT, TITLE, PARTIAL = range(len(KINDS))


class Overlap(NamedTuple):
    """How much the two sets of each pair share, exactly.

    Attributes
    ----------
    jaccard : float64[n_pairs], size of the intersection over that of the union
    share_left, share_right : float64[n_pairs], size of the intersection over that of the left set, of the right set
    """

    jaccard: Floats
    share_left: Floats
    share_right: Floats

    @property
    def containment(self) -> Floats:
        """float64[n_pairs], the larger of the two shares: that of the smaller set."""
        return np.maximum(self.share_left, self.share_right)

    @property
    def left_is_smaller(self) -> npt.NDArray[np.bool_]:
        """bool[n_pairs], also true where both sets have the same size."""
        smaller: npt.NDArray[np.bool_] = self.share_left >= self.share_right
        return smaller

    def take(self, places: Ints | npt.NDArray[np.bool_]) -> Overlap:
        """The chosen pairs."""
        return Overlap(*(values[places] for values in self))


def overlap(shared: Ints, left_size: Ints, right_size: Ints) -> Overlap:
    """Jaccard similarity and shares of pairs of sets; two empty sets share nothing.

    Parameters
    ----------
    shared : int64[n_pairs], size of the intersection
    left_size, right_size : int64[n_pairs], sizes of the sets
    """
    union = left_size + right_size - shared
    return Overlap(shared / np.maximum(union, 1), shared / np.maximum(left_size, 1), shared / np.maximum(right_size, 1))


def measure_overlap(rows: Rows, left: Ints, right: Ints) -> Overlap:
    """Measure what pairs of rows share.

    Parameters
    ----------
    rows : sorted, unique in each row; left, right : int64[n_pairs], rows
    """
    offsets = rows[1]
    shared = overlap_pairs(*rows, left, right)
    return overlap(shared, offsets[left + 1] - offsets[left], offsets[right + 1] - offsets[right])


def packed(keys: npt.NDArray[np.uint64], rows: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    """Pack hash and row into one number and sort: the row replaces the lowest ``bits`` of the hash.

    Sorting one array in place is many times faster than ``np.lexsort`` or a stable ``np.argsort``
    of keys, and the rows of a key come out ascending. Keys equal in all higher bits (39 of them for
    16 million rows and a flag) collide.
    """
    low = np.uint64(bits)
    numbers: npt.NDArray[np.uint64] = (keys >> low << low) | rows
    numbers.sort()
    return numbers


def row_bits(n_rows: int) -> int:
    """The number of bits of a row number."""
    return max(1, (n_rows - 1).bit_length())


def pair_keys(left: Ints, right: Ints, n_rows: int) -> Ints:
    """Encode each pair as one number that sorts by left, then right."""
    return left * n_rows + right


def unique_keys(parts: list[Ints]) -> Ints:
    """The keys of several lists, unique and ascending."""
    keys = np.concatenate(parts)
    keys.sort()  # many times faster than np.unique, which hashes
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first]


def unique_pairs(left: Ints, right: Ints, n_rows: int) -> tuple[Ints, Ints]:
    """Unique pairs, sorted by left, then right."""
    keys = unique_keys([pair_keys(left, right, n_rows)])
    return keys // max(n_rows, 1), keys % max(n_rows, 1)


def is_among(keys: Ints, sorted_keys: Ints) -> npt.NDArray[np.bool_]:
    """bool[len(keys)]: whether each key is in an ascending array."""
    if len(sorted_keys) == 0:
        return np.zeros(len(keys), bool)
    places = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    found: npt.NDArray[np.bool_] = sorted_keys[places] == keys
    return found


@dataclass(frozen=True, eq=False)
class Candidates:
    """Unverified pairs of rows, ``left < right``; ``counts`` are numbers for the manifest."""

    left: Ints
    right: Ints
    counts: dict[str, int]

    def join(self, other: Candidates, n_rows: int) -> Candidates:
        """The pairs of both, sorted and unique."""
        left, right = unique_pairs(np.concatenate([self.left, other.left]), np.concatenate([self.right, other.right]), n_rows)
        return Candidates(left, right, self.counts | other.counts | {"candidates": len(left)})


@dataclass(frozen=True, eq=False)
class Matches:
    """Verified pairs of rows.

    Attributes
    ----------
    left, right : int64[n_matches], rows, left < right
    kind : uint8[n_matches], an index into ``schema.KINDS``
    jaccard : float64[n_matches]
    share_left, share_right : float64[n_matches], the share of the left document in the right one, and of the right in the left
    """

    left: Ints
    right: Ints
    kind: npt.NDArray[np.uint8]
    jaccard: Floats
    share_left: Floats
    share_right: Floats

    @property
    def containment(self) -> Floats:
        """float64[n_matches], the larger share."""
        return np.maximum(self.share_left, self.share_right)

    def __len__(self) -> int:
        return len(self.left)

    def take(self, places: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Matches:
        """The chosen matches."""
        return Matches(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def find(self, one: Ints, other: Ints, n_rows: int) -> Ints:
        """The place of the match of each pair, in either order.

        Matches must be sorted by pair and contain it.
        """
        keys = pair_keys(np.minimum(one, other), np.maximum(one, other), n_rows)
        places: Ints = np.searchsorted(pair_keys(self.left, self.right, n_rows), keys)
        return places

    @classmethod
    def join(cls, parts: list[Matches]) -> Matches:
        """The matches of several lists, sorted by pair.

        Of two matches of a pair the stronger kind stays.
        """
        left, right, kind, *measures = (np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__)
        order = np.lexsort((kind, right, left))
        left, right = left[order], right[order]
        first = np.ones(len(order), bool)
        first[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
        kept = order[first]
        return cls(left[first], right[first], kind[kept], *(values[kept] for values in measures))

    @classmethod
    def of_pairs(
        cls, one: Ints, other: Ints, kind: npt.NDArray[np.uint8], jaccard: Floats, share: Floats, share_of_other: Floats
    ) -> Matches:
        """Matches of pairs in either order; ``share`` of ``one`` in ``other``, ``share_of_other`` of ``other`` in ``one``."""
        turned = one > other
        left, right = np.minimum(one, other), np.maximum(one, other)
        return cls(left, right, kind, jaccard, np.where(turned, share_of_other, share), np.where(turned, share, share_of_other))

    @classmethod
    def none(cls) -> Matches:
        """No match."""
        empty, measures = np.empty(0, np.int64), np.empty(0)
        return cls(empty, empty, empty.astype(np.uint8), measures, measures, measures)

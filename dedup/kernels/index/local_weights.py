"""Containment of pairs; shingles that an outlet repeats in the neighbourhood weigh less."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..jit import jit


class Neighbourhood(NamedTuple):
    """The documents near each of the last rows, among which shingles are counted.

    ``rows`` int64[n], ``offsets`` int64[n_last + 1]: the neighbours of row ``first_row`` and of
    those after it; ``sources`` int64[n_rows], a number for the outlet of every row, -1 where it is
    unknown.
    """

    rows: Any
    offsets: Any
    first_row: int
    sources: Any


@jit
def local_distinct_containment(values, offsets, left, right, near, common, common_in_source):
    """Distinct containment of pairs: the weight of common shingles over that of the lighter row.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]
    left, right : int64[n_pairs], rows; pairs with the same ``right`` must be adjacent
    near : Neighbourhood of the right rows
    common, common_in_source : a shingle of more neighbours without an outlet, or of more neighbours
        of one outlet, weighs less

    Returns
    -------
    float64[n_pairs]
        A shingle of the right row weighs 1, or ``common_in_source`` over the number of rows of the
        outlet that has most (``common`` over those without an outlet). Cost: the length of the
        right row for each of its neighbours.
    """
    out = np.empty(len(left), np.float64)
    sources = near.sources
    longest = 0
    for row in right:
        longest = max(longest, offsets[row + 1] - offsets[row])
    weights = np.ones(longest, np.float64)
    counts = np.zeros(longest, np.int64)
    row_now = np.int64(-1)
    total = 0.0
    for pair in range(len(left)):
        row = right[pair]
        begin, end = offsets[row], offsets[row + 1]
        if row != row_now:
            row_now = row
            own = near.rows[near.offsets[row - near.first_row] : near.offsets[row - near.first_row + 1]]
            order = np.argsort(sources[own], kind="mergesort")
            weights[: end - begin] = 1.0
            first = 0
            while first < len(own):
                source = sources[own[order[first]]]
                counts[: end - begin] = np.int64(source == sources[row])
                last = first
                while last < len(own) and sources[own[order[last]]] == source:
                    count_shared(values, begin, end, offsets[own[order[last]]], offsets[own[order[last]] + 1], counts)
                    last += 1
                bound = common if source < 0 else common_in_source
                for i in range(end - begin):
                    if counts[i] > bound:
                        weights[i] = min(weights[i], bound / counts[i])
                first = last
            total = 0.0
            for i in range(end - begin):
                total += weights[i]
        i, j, j_end = begin, offsets[left[pair]], offsets[left[pair] + 1]
        shared, n_shared = 0.0, 0
        while i < end and j < j_end:
            a, b = values[i], values[j]
            if a == b:
                shared += weights[i - begin]
                n_shared += 1
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        other = (j_end - offsets[left[pair]]) - n_shared + shared
        out[pair] = shared / max(min(total, other), 1e-9)
    return out


@jit
def count_shared(values, i, i_end, j, j_end, counts):
    """Add 1 to ``counts[k]`` for each k whose ``values[i + k]`` is in ``values[j:j_end]`` too."""
    first = i
    while i < i_end and j < j_end:
        a, b = values[i], values[j]
        counts[i - first] += np.int64(a == b)
        i += np.int64(a <= b)
        j += np.int64(b <= a)

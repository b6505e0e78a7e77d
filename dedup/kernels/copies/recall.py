"""Exact comparison of sampled rows with all rows: the ground truth for the recall of a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..jit import jit


class SampleIndex(NamedTuple):
    """An inverted index of the sampled rows.

    Attributes
    ----------
    seen : bool[2**bits], for each number of ``bits`` bits, from 1 to 63, whether a known value
        begins with it
    directory : int32[2**bits], where it is ``seen`` the first place in ``known`` of such a value
    known : uint64[n_known], ascending: every value of a sampled row
    member_offsets : int64[n_known + 1]; members : int64
        For each known value the places in ``rows`` of the rows that contain it.
    rows : int64[n_sampled], the sampled rows
    """

    seen: npt.NDArray[np.bool_]
    directory: npt.NDArray[np.int32]
    known: npt.NDArray[np.uint64]
    member_offsets: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]


@jit
def sample_pairs(values, offsets, rows, sample, jaccard, containment):
    """Pairs of a sampled row and any other row that reach a similarity.

    Parameters
    ----------
    values : uint64[n_values], unique in each row; offsets : int64[n_rows + 1]
    rows : int64[n], the rows to compare with the sample
    sample : SampleIndex
    jaccard, containment : above 0; pairs that reach one of them are returned

    Returns
    -------
    (sampled int64[n_pairs], other int64[n_pairs], shared int64[n_pairs])
        A place in ``sample.rows``, a row, and how many values both contain; in the order of
        ``rows``. No row is paired with itself. Cost: one read of ``seen`` for each value, and a
        step for each sampled row that contains it.

    Notes
    -----
    One value in ten is known, which branch prediction cannot guess, so known values are gathered
    first, without a branch.
    """
    seen, directory, known, sample_rows = sample.seen, sample.directory, sample.known, sample.rows
    shift = np.uint64(64)
    width = len(seen)
    while width > 1:
        width >>= 1
        shift -= np.uint64(1)
    longest = 0
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    perhaps = np.empty(longest + 1, np.uint64)
    places = np.empty(longest + 1, np.int64)
    sizes = offsets[sample_rows + 1] - offsets[sample_rows]
    least = min(jaccard, containment) * 0.999999  # share of the smaller row below which a pair reaches neither threshold
    counts = np.zeros(len(sample_rows), np.int64)
    touched = np.empty(len(sample_rows) + 1, np.int64)
    sampled, other, shared = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256, np.int64)
    used = 0
    for row in rows:
        n_perhaps = np.int64(0)
        for i in range(offsets[row], offsets[row + 1]):
            perhaps[n_perhaps] = values[i]
            n_perhaps += np.int64(seen[values[i] >> shift])
        n_places = np.int64(0)
        for i in range(n_perhaps):
            place = np.int64(directory[perhaps[i] >> shift])
            while place < len(known) - 1 and known[place] < perhaps[i]:
                place += 1
            places[n_places] = place
            n_places += np.int64(known[place] == perhaps[i])
        n_touched = np.int64(0)
        for i in range(n_places):
            for m in range(sample.member_offsets[places[i]], sample.member_offsets[places[i] + 1]):
                touched[n_touched] = sample.members[m]
                n_touched += np.int64(counts[sample.members[m]] == 0)
                counts[sample.members[m]] += 1
        size = offsets[row + 1] - offsets[row]
        for t in range(n_touched):
            member = touched[t]
            count, own = counts[member], sizes[member]
            counts[member] = 0
            if count < least * min(own, size) or sample_rows[member] == row:
                continue
            if count / (own + size - count) >= jaccard or count / min(own, size) >= containment:
                if used == len(other):
                    sampled = np.concatenate((sampled, np.empty(used, np.int64)))
                    other = np.concatenate((other, np.empty(used, np.int64)))
                    shared = np.concatenate((shared, np.empty(used, np.int64)))
                sampled[used], other[used], shared[used] = member, row, count
                used += 1
    return sampled[:used].copy(), other[:used].copy(), shared[:used].copy()

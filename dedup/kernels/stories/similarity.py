"""Nearest neighbours by sparse cosine within a time window, and the density of neighbourhoods."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..jit import jit
from ..rows import first_at_least


class Sparse(NamedTuple):
    """A sparse matrix by rows or by columns, without zeros."""

    indptr: Any
    indices: Any
    data: Any


class Timeline(NamedTuple):
    """Rows in the order of their times: ``undated`` undated rows, then dated ones.

    ``times`` float64[n_rows], ``headline`` bool[n_rows]; ``starts`` int64[n_rows], the first dated
    row in the window of each row.
    """

    times: Any
    headline: Any
    starts: Any
    undated: int


class Limits(NamedTuple):
    """``least`` float32[2], the least similarity kept and that of two headlines; ``most``, neighbours kept for a row.

    ``reach``: postings read for a row. If its columns have more in its window, the longest of them
    are read only nearest to the row, all to the same length: rows further off then count by rarer
    columns alone.
    """

    least: Any
    most: int
    reach: int


@jit
def window_neighbours(by_row, by_column, timeline, decay, limits, first_row, last_row):
    """For rows ``first_row <= row < last_row``: the most similar rows before each, within its window.

    Parameters
    ----------
    by_row : Sparse, CSR, rows of unit length in the order of the timeline, none negative
    by_column : Sparse, CSC of the same matrix, rows ascending in each column
    timeline : Timeline; undated rows are compared with all rows, without decay
    decay : standard deviation of the Gaussian time decay, in the unit of the times
    limits : Limits

    Returns
    -------
    (left int32[n], right int32[n], similarity float32[n])
        right < left; similarity is cosine times exp(-dt**2 / (2 decay**2)). Of equal similarities
        the later row is kept, which is nearer. Cost: for each term of a row, the rows in the window
        that have it, at most ``reach``.
    """
    # Unpacked once: an attribute of a tuple costs a reference count at every use.
    indptr, indices, data = by_row
    columns_ptr, columns_rows, columns_data = by_column
    times, headline, starts, undated = timeline
    least, most, reach = limits
    n_rows = len(indptr) - 1
    # -1: not met. 0 does not mark that: a sum of products may underflow to 0.
    scores = np.full(n_rows, np.float32(-1))
    touched = np.empty(n_rows, np.int64)
    left = np.empty(1024, np.int32)
    right = np.empty(1024, np.int32)
    similarity = np.empty(1024, np.float32)
    used = 0
    # In each column: the first dated row, the first row in the window, the row itself. The last two
    # only move forward.
    dated = columns_ptr[:-1].copy()
    heads = columns_ptr[:-1].copy()
    own = np.full(len(heads), -1, np.int64)
    lengths = np.empty(1024, np.int64)
    for row in range(first_row, last_row):
        n_touched = 0
        n_terms = indptr[row + 1] - indptr[row]
        if n_terms > len(lengths):
            lengths = np.empty(2 * n_terms, np.int64)
        total = 0
        for k in range(n_terms):
            column = indices[indptr[row] + k]
            end = columns_ptr[column + 1]
            if own[column] < 0:
                own[column] = first_at_least(columns_rows, columns_ptr[column], end, row)
                dated[column] = heads[column] = first_at_least(columns_rows, columns_ptr[column], end, undated)
            while heads[column] < own[column] and columns_rows[heads[column]] < starts[row]:
                heads[column] += 1
            lengths[k] = min(dated[column], own[column]) - columns_ptr[column] + max(own[column] - heads[column], 0)
            total += lengths[k]
        longest = total
        if total > reach:
            longest = longest_within(lengths[:n_terms].copy(), reach)
        for k in range(n_terms):
            column, weight = indices[indptr[row] + k], data[indptr[row] + k]
            skipped = max(lengths[k] - longest, 0)
            begin, end = columns_ptr[column], min(dated[column], own[column])
            for _ in range(2):
                first = min(begin + skipped, end)
                skipped -= first - begin
                for place in range(first, end):
                    other = columns_rows[place]
                    if scores[other] < 0:
                        touched[n_touched] = other
                        n_touched += 1
                        scores[other] = np.float32(0)
                    scores[other] += weight * columns_data[place]
                begin, end = heads[column], max(own[column], heads[column])
            own[column] += 1
        kept = 0
        for t in range(n_touched):
            other = touched[t]
            if row >= undated and other >= undated:
                apart = (times[row] - times[other]) / decay
                scores[other] *= np.float32(np.exp(-0.5 * apart * apart))
            if scores[other] >= least[1 if headline[row] and headline[other] else 0]:
                touched[kept] = other
                kept += 1
            else:
                scores[other] = np.float32(-1)
        found = touched[:kept]
        chosen = best_of(found, scores, most) if kept > most else np.sort(found)
        if used + len(chosen) > len(left):
            grow = max(used, len(chosen))
            left = np.concatenate((left, np.empty(grow, np.int32)))
            right = np.concatenate((right, np.empty(grow, np.int32)))
            similarity = np.concatenate((similarity, np.empty(grow, np.float32)))
        for other in chosen:
            left[used] = row
            right[used] = other
            similarity[used] = scores[other]
            used += 1
        for other in found:
            scores[other] = np.float32(-1)
    return left[:used].copy(), right[:used].copy(), similarity[:used].copy()


@jit
def longest_within(lengths, reach):
    """The greatest length at which truncated lists have at most ``reach`` entries together; whole, they have more."""
    left, n = reach, len(lengths)
    ordered = np.sort(lengths)
    for place in range(n):
        if ordered[place] * (n - place) > left:
            return left // (n - place)
        left -= ordered[place]
    return left


@jit
def best_of(rows, scores, most):
    """The ``most`` rows with the highest scores, of equal ones the later, ascending; ``rows`` has more than ``most``."""
    values = scores[rows]
    least = np.partition(values, len(values) - most)[len(values) - most]
    above, level = rows[values > least], rows[values == least]
    missing = most - len(above)
    level = np.partition(level, len(level) - missing)[len(level) - missing :]
    return np.sort(np.concatenate((above, level)))


@jit
def neighbourhood_density(n_nodes, left, right, similarity, most):
    """float64[n_nodes]: the mean of the ``most`` largest similarities of each node, absent ones counting 0.

    Parameters
    ----------
    left, right : int64[n_edges], each pair once; similarity : float32[n_edges]
    """
    starts = np.zeros(n_nodes + 1, np.int64)
    for edge in range(len(left)):
        starts[left[edge] + 1] += 1
        starts[right[edge] + 1] += 1
    starts = np.cumsum(starts)
    values = np.empty(starts[n_nodes], np.float32)
    ends = starts[:-1].copy()
    for edge in range(len(left)):
        for node in (left[edge], right[edge]):
            values[ends[node]] = similarity[edge]
            ends[node] += 1
    answer = np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        # Sorted, so that the sum does not depend on the order of edges.
        best = np.sort(values[starts[node] : starts[node + 1]])[::-1][:most]
        for value in best:
            answer[node] += value
        answer[node] /= most
    return answer

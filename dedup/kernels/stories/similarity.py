"""Sparse cosine of each row with earlier rows inside a window, the best few kept."""

from __future__ import annotations

import numpy as np

from ..jit import jit
from ..rows import first_at_least


@jit
def window_neighbours(
    indptr, indices, data, columns_ptr, columns_rows, columns_data, starts, undated, times, decay, brief, floors, most, reach,
    first_row, last_row,
):  # fmt: skip
    """For rows ``first_row <= row < last_row``: the rows before it that are most like it.

    Parameters
    ----------
    indptr, indices, data : a CSR matrix with rows of unit length, none negative, ordered by time, undated rows first
    columns_ptr, columns_rows, columns_data : the same matrix by columns, rows ascending in each
    starts : int64[n_rows], first dated row in the window of each row
    undated : number of undated rows; they are compared with all rows, without decay
    times : float64[n_rows], in units of ``decay``'s; decay : standard deviation of the Gaussian
    brief : bool[n_rows]; floors : float32[2], least similarity kept, and that of two brief rows
    most : neighbours kept for a row
    reach : entries of columns that are read for a row; where its columns hold more in its window, the longest of them are read
        only where they are nearest to the row, all to the same number of entries: what a row shares with rows further off then
        counts by its rarer columns alone

    Returns
    -------
    (left int32[n], right int32[n], similarity float32[n])
        right < left; similarity is cosine times exp(-dt**2 / (2 decay**2)). Of equal similarities the later
        row is kept, which is nearer. Cost: for each term of a row, the rows in the window that have it, at most ``reach``.
    """
    n_rows = len(indptr) - 1
    # -1: not met. A sum of products may underflow to 0 and is met all the same.
    scores = np.full(n_rows, np.float32(-1))
    touched = np.empty(n_rows, np.int64)
    left = np.empty(1024, np.int32)
    right = np.empty(1024, np.int32)
    similarity = np.empty(1024, np.float32)
    used = 0
    # Where in each column its dated rows begin, the window begins and the row itself stands; the last two move forward only.
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
            if scores[other] >= floors[1 if brief[row] and brief[other] else 0]:
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
    """The greatest number so that lists of these lengths, cut to it, hold no more than ``reach`` together (all hold more)."""
    left, n = reach, len(lengths)
    ordered = np.sort(lengths)
    for place in range(n):
        if ordered[place] * (n - place) > left:
            return left // (n - place)
        left -= ordered[place]
    return left


@jit
def best_of(rows, scores, most):
    """The ``most`` of ``rows``, which are more, with the highest scores, of equal ones the later; ascending."""
    values = scores[rows]
    least = np.partition(values, len(values) - most)[len(values) - most]
    above, level = rows[values > least], rows[values == least]
    missing = most - len(above)
    level = np.partition(level, len(level) - missing)[len(level) - missing :]
    return np.sort(np.concatenate((above, level)))


@jit
def crowding(n_nodes, left, right, similarity, most):
    """float64[n_nodes]: sum of the ``most`` largest similarities of each node's edges, divided by ``most``.

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

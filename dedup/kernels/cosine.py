"""Sparse cosine of each row with earlier rows inside a window, the best few kept."""

from __future__ import annotations

import numpy as np

from .jit import jit


@jit
def window_neighbours(
    indptr, indices, data, columns_ptr, columns_rows, columns_data, starts, undated, times, decay, brief, floors, most, first_row, last_row
):
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

    Returns
    -------
    (left int32[n], right int32[n], similarity float32[n])
        right < left; similarity is cosine times exp(-dt**2 / (2 decay**2)). Of equal similarities the earlier
        row is kept. Cost: for each term of a row, the rows in the window that have it.
    """
    n_rows = len(indptr) - 1
    # -1: not met. A sum of products may underflow to 0 and is met all the same.
    scores = np.full(n_rows, np.float32(-1))
    touched = np.empty(n_rows, np.int64)
    left = np.empty(1024, np.int32)
    right = np.empty(1024, np.int32)
    similarity = np.empty(1024, np.float32)
    used = 0
    # The place in each column where the window begins moves forward only.
    heads = columns_ptr[:-1].copy()
    for row in range(first_row, last_row):
        n_touched = 0
        start = starts[row]
        for k in range(indptr[row], indptr[row + 1]):
            column, weight = indices[k], data[k]
            place = columns_ptr[column]
            end = columns_ptr[column + 1]
            while place < end and columns_rows[place] < undated and columns_rows[place] < row:
                other = columns_rows[place]
                if scores[other] < 0:
                    touched[n_touched] = other
                    n_touched += 1
                    scores[other] = np.float32(0)
                scores[other] += weight * columns_data[place]
                place += 1
            if row < undated:
                continue
            head = max(heads[column], place)
            while head < end and columns_rows[head] < start:
                head += 1
            heads[column] = head
            while head < end and columns_rows[head] < row:
                other = columns_rows[head]
                if scores[other] < 0:
                    touched[n_touched] = other
                    n_touched += 1
                    scores[other] = np.float32(0)
                scores[other] += weight * columns_data[head]
                head += 1
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
        found = touched[:kept].copy()
        found.sort()
        if kept > most:
            order = np.argsort(-scores[found], kind="mergesort")
            chosen = found[order[:most]]
            chosen.sort()
        else:
            chosen = found
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

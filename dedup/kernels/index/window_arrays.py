"""Posting lists that grow: each column has a stretch of a shared pool, moved to the end of the pool when it is full."""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .story_similarity import hour_of
from .tfidf import slot_of

#: Spare places of a new stretch, in addition to an eighth (half when it grows) of its length.
SPARE = 2


@jit
def take_columns(terms, lengths, table, columns, n_columns):
    """Give each new term a column, from ``n_columns`` on; returns the new number of columns.

    Parameters
    ----------
    terms : uint64[n, most], of row i the first ``lengths[i]`` count
    table, columns : see ``Window``; the table must have room
    """
    for row in range(len(lengths)):
        for k in range(lengths[row]):
            slot = slot_of(table, terms[row, k])
            if table[slot] == 0:
                table[slot], columns[slot] = terms[row, k], n_columns
                n_columns += 1
    return n_columns


@jit
def make_room(terms, lengths, window, used):
    """Make room for documents in the lists of their terms.

    Returns the new end of the used part of the pool; -1 if the pool is too small, with all lists as
    they were.

    Parameters
    ----------
    terms : uint64[n, most], of row i the first ``lengths[i]`` count; each has a column
    window : Window
    used : places of the pool in use
    """
    table, columns, lists, wanted = window.table, window.columns, window.lists, window.wanted
    posting_rows, posting_weights = window.posting_rows, window.posting_weights
    touched = np.empty(lengths.sum(), np.int64)
    n = 0
    for row in range(len(lengths)):
        for k in range(lengths[row]):
            column = columns[slot_of(table, terms[row, k])]
            if wanted[column] == 0:
                touched[n] = column
                n += 1
            wanted[column] += 1
    need = 0
    for k in range(n):
        size = lists[touched[k], 1] + wanted[touched[k]]
        if size > lists[touched[k], 2]:
            need += size + (size >> 1) + SPARE
    fits = used + need <= len(posting_rows)
    for k in range(n):
        column = touched[k]
        begin, length = lists[column, 0], lists[column, 1]
        size = length + wanted[column]
        wanted[column] = 0
        if not fits:
            continue
        if size > lists[column, 2]:
            posting_rows[used : used + length] = posting_rows[begin : begin + length]
            posting_weights[used : used + length] = posting_weights[begin : begin + length]
            lists[column, 0], lists[column, 2] = used, size + (size >> 1) + SPARE
            used += lists[column, 2]
    return np.int64(used) if fits else np.int64(-1)


@jit
def fill_lists(n_rows, n_columns, window):
    """Rewrite all posting lists from the first ``n_rows`` rows, all live, with an eighth of room in each.

    Returns the end of the used part of the pool; -1 if the pool is too small.
    """
    lists, live, natives = window.lists, window.live, window.natives
    row_columns, row_weights, row_lengths, row_words = window.row_columns, window.row_weights, window.row_lengths, window.row_words
    posting_rows, posting_weights = window.posting_rows, window.posting_weights
    lists[:n_columns] = 0
    live[:n_columns] = 0
    for row in range(n_rows):
        for k in range(row_lengths[row]):
            column = row_columns[row, k]
            lists[column, 2] += 1
            live[column, 1 if k < row_words[row] and not natives[row] else 0] += 1
    used = 0
    for column in range(n_columns):
        lists[column, 0] = used
        lists[column, 2] += (lists[column, 2] >> 3) + SPARE
        used += lists[column, 2]
    if used > len(posting_rows):
        return np.int64(-1)
    for row in range(n_rows):
        for k in range(row_lengths[row]):
            column = row_columns[row, k]
            place = lists[column, 0] + lists[column, 1]
            posting_rows[place], posting_weights[place] = row, row_weights[row, k]
            lists[column, 1] += 1
    return np.int64(used)


@jit
def drop_rows(rows, window):
    """Take rows out of all counts of a window; their postings stay until the lists are rewritten."""
    row_lengths, row_words, times = window.row_lengths, window.row_words, window.times
    for k in range(len(rows)):
        row = rows[k]
        other = 0 if window.natives[row] else 1
        for term in range(row_lengths[row]):
            window.live[window.row_columns[row, term], other if term < row_words[row] else 0] -= 1
        window.hours[hour_of(times[row])] -= 1
        window.documents[other] -= row_words[row] > 0
        window.documents[2] -= row_lengths[row] > row_words[row]
        window.story[row] = -1

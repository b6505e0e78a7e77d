"""Room for lists that grow: a pool of postings in which each column has a stretch of its own, moved to the end when it is full."""

from __future__ import annotations

import numpy as np

from ..jit import jit
from .story_similarity import hour_of
from .tfidf import place_of

#: A stretch is made this many places longer than needed, besides an eighth.
SPARE = 2


@jit
def take_columns(terms, lengths, table, columns, n_columns):
    """Give each new term of some rows a column, from ``n_columns`` on; returns the number of columns then.

    Parameters
    ----------
    terms : uint64[n, most], of row i the first ``lengths[i]`` count
    table, columns : table of the terms, see ``place_of``; it must have room
    """
    for row in range(len(lengths)):
        for k in range(lengths[row]):
            place = place_of(table, terms[row, k])
            if table[place] == 0:
                table[place], columns[place] = terms[row, k], n_columns
                n_columns += 1
    return n_columns


@jit
def make_room(terms, lengths, table, columns, lists, posting_rows, posting_weights, used, wanted):
    """Make room for the rows in the lists of their terms: the end of what is used of the pool then; -1, nothing done, if it is too small.

    Parameters
    ----------
    lists : int32[n_columns, 3], where each list begins, how long it is, and how long it can grow
    posting_rows int32[n], posting_weights float32[n] : the pool, of which ``used`` is used
    wanted : int32[n_columns] of zeros, which are zeros again afterwards
    """
    touched = np.empty(lengths.sum(), np.int64)
    n = 0
    for row in range(len(lengths)):
        for k in range(lengths[row]):
            column = columns[place_of(table, terms[row, k])]
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
def fill_lists(row_columns, row_weights, row_lengths, row_words, natives, n_columns, lists, live, posting_rows, posting_weights):
    """Write the lists of rows anew, each with room for an eighth more; returns the end of what is used of the pool, -1 if it is too small.

    Parameters
    ----------
    row_columns int32[n, most], row_weights float32[n, most], row_lengths, row_words int32[n], natives bool[n] : rows, all alive
    live : int32[n_columns, 2], written: documents that list each column, native and other
    """
    lists[:n_columns] = 0
    live[:n_columns] = 0
    for row in range(len(row_lengths)):
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
    for row in range(len(row_lengths)):
        for k in range(row_lengths[row]):
            column = row_columns[row, k]
            place = lists[column, 0] + lists[column, 1]
            posting_rows[place], posting_weights[place] = row, row_weights[row, k]
            lists[column, 1] += 1
    return np.int64(used)


@jit
def drop_rows(rows, row_columns, row_lengths, row_words, natives, times, story, live, hours, documents):
    """Take rows out of the counts of a window; they are marked as gone and stay in the lists until those are written anew."""
    for place in range(len(rows)):
        row = rows[place]
        other = 0 if natives[row] else 1
        for k in range(row_lengths[row]):
            live[row_columns[row, k], other if k < row_words[row] else 0] -= 1
        hours[hour_of(times[row])] -= 1
        documents[other] -= row_words[row] > 0
        documents[2] -= row_lengths[row] > row_words[row]
        story[row] = -1

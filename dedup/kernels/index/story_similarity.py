"""Which documents of a window are like a new one, and how much: the lists of its rarest terms, then a full comparison.

A window is a set of arrays that grow: a row for each document with its terms, and for each term (*column*) a list of the rows
that have it, somewhere in a pool of postings. ``dedup/index/story_lists.py`` owns them and says what each is.
"""

from __future__ import annotations

import numpy as np

from ..jit import leaf
from .tfidf import listing

#: Documents that are compared in full with a new one.
MOST = 256
#: Nearest documents that make a crowd.
CROWD = 40
HOUR = 3600.0


@leaf
def hour_of(time):
    """The place of a time among the counts of documents by hour, a ring of 8192."""
    return np.int64(np.floor(time / HOUR)) & 8191


@leaf
def per_day(hours, time):
    """Documents a day around a time: of the day before it or the day after it, whichever has more; with the one asked for."""
    here = hour_of(time)
    before, after = 0, 0
    for k in range(24):
        before += hours[(here - k) & 8191]
        after += hours[(here + k) & 8191]
    return max(before, after) + 1.0


@leaf
def shared_weight(dense, row_columns, row_weights, row_lengths, row):
    """Sum of products of a row with one that is laid out by column."""
    total = np.float32(0)
    for k in range(row_lengths[row]):
        total += dense[row_columns[row, k]] * row_weights[row, k]
    return total


@leaf
def likeness_in_cuts(similarity, days, one_brief, other_brief, excess, daily, rules):
    """A similarity in units of the cut of its pair, 0 below half of it; see ``stories/cuts.py`` and ``place_rows``."""
    cut, headline_cut, slope, highest, words = rules[0], rules[1], rules[2], rules[3], rules[4]
    decay, headline_decay, counted, caution = rules[5], rules[6], rules[7], rules[8]
    thin, thin_share, rise = rules[9], rules[10], rules[11]
    if one_brief and other_brief:
        share = min(max(thin_share + rise * np.log(daily / thin), thin_share), 1.0)
        steepness = max(headline_decay**-2 - decay**-2, 0.0)
        relative = similarity * np.exp(-0.5 * days * days * steepness) / (headline_cut * share)
    else:
        if one_brief or other_brief:
            similarity /= words
        relative = similarity / min(cut + slope * excess, highest * cut)
    return relative / caution if relative >= counted else 0.0


@leaf
def newest(posting_rows, story, first, last, most):
    """Where in a list the newest ``most`` rows begin; those that are gone do not count."""
    while last > first and most > 0:
        last -= 1
        most -= story[posting_rows[last]] >= 0
    return last


@leaf
def look_up(terms, weights, length, table, columns, live, own, order):
    """Columns of the terms of a document that the window knows, ascending by how many documents list them; how many there are.

    Writes ``own`` (column, place) and ``order``; see ``find_like``.
    """
    n = 0
    for k in range(length):
        column = listing(table, columns, terms[k])
        if column < 0:
            continue
        size = np.int64(live[column, 0]) + live[column, 1]
        if size == 0:
            continue
        at = n
        while at > 0 and order[at - 1] > size:
            order[at], own[at, 0], own[at, 1] = order[at - 1], own[at - 1, 0], own[at - 1, 1]
            at -= 1
        order[at], own[at, 0], own[at, 1] = size, column, k
        n += 1
    return n


@leaf
def find_like(
    terms, weights, length, time, brief, rules, admit, partial, table, columns, live, lists, posting_rows, posting_weights,
    row_columns, row_weights, row_lengths, times, briefs, story, scores, touched, dense, own, order, likes,
):  # fmt: skip
    """Rows of the window that are like a document: ``touched[:n]`` and ``likes[:n]``, cosine faded with time; returns n.

    Lists are read from the shortest term to the longest, until ``admit`` postings are read; of the first list that is too long
    the newest. What shares ``partial`` in them is compared in full, no more than ``MOST`` rows: the most alike so far, of equals
    the newest.
    """
    n_terms = look_up(terms, weights, length, table, columns, live, own, order)
    n, budget, read = 0, admit, 0
    for k in range(n_terms):
        if k > 0 and order[k] > budget:
            break
        column, weight = own[k, 0], weights[own[k, 1]]
        first, last = lists[column, 0], lists[column, 0] + lists[column, 1]
        if order[k] > budget:
            first = newest(posting_rows, story, first, last, budget)
        for place in range(first, last):
            row = posting_rows[place]
            if scores[row] == 0:
                touched[n] = row
                n += 1
            scores[row] += weight * posting_weights[place]
        budget -= order[k]
        read += 1
        if budget <= 0:
            break
    least = np.float32(partial) if read < n_terms else np.float32(0)
    decay, window, words = rules[5], rules[12], rules[4]
    counted = rules[7]
    kept = 0
    for k in range(n):
        row = touched[k]
        score = scores[row]
        scores[row] = 0
        if score >= least and story[row] >= 0 and abs(times[row] - time) <= window:
            touched[kept], likes[kept] = row, score
            kept += 1
    if kept > MOST:
        kept = most_alike(touched, likes, kept)
    for k in range(n_terms):
        dense[own[k, 0]] = weights[own[k, 1]]
    n = 0
    for k in range(kept):
        row = touched[k]
        days = (time - times[row]) / 86400.0
        faded = shared_weight(dense, row_columns, row_weights, row_lengths, row) * np.exp(-0.5 * (days / decay) ** 2)
        if brief and briefs[row]:
            floor = counted * rules[10] * rules[1]
        elif brief or briefs[row]:
            floor = counted * rules[0] * words
        else:
            floor = counted * rules[0]
        if faded >= floor:
            touched[n], likes[n] = row, faded
            n += 1
    for k in range(n_terms):
        dense[own[k, 0]] = 0
    return n


@leaf
def most_alike(rows, likes, n):
    """Keep the ``MOST`` rows with the highest likes, of equals the newest, in no order; returns their number."""
    # Quickselect with the middle as pivot: by (like, row), which are all different.
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) >> 1
        like, row = likes[middle], rows[middle]
        i, j = low, high
        while i <= j:
            while likes[i] > like or (likes[i] == like and rows[i] > row):
                i += 1
            while likes[j] < like or (likes[j] == like and rows[j] < row):
                j -= 1
            if i <= j:
                likes[i], likes[j] = likes[j], likes[i]
                rows[i], rows[j] = rows[j], rows[i]
                i += 1
                j -= 1
        if j >= MOST - 1:
            high = j
        elif i <= MOST - 1:
            low = i
        else:
            break
    return MOST


@leaf
def crowd_excess(likes, n, crowded, nearest):
    """How far the mean of the ``CROWD`` highest likes (absent ones 0) is above what is no crowd."""
    held = 0
    for k in range(n):
        if held == CROWD:
            if likes[k] <= nearest[CROWD - 1]:
                continue
            held -= 1
        at = held
        while at > 0 and nearest[at - 1] < likes[k]:
            nearest[at] = nearest[at - 1]
            at -= 1
        nearest[at] = likes[k]
        held += 1
    total = 0.0
    for k in range(held):
        total += nearest[k]
    return max(total / CROWD - crowded, 0.0)

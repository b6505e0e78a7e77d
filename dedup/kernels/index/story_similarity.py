"""Documents of a window similar to a new one: postings of its rarest terms first, then a full comparison."""

from __future__ import annotations

import numpy as np

from ..jit import leaf
from ..stories.thresholds import article_threshold, headline_threshold, least_similarity
from .tfidf import column_of

#: Documents compared in full with a new one.
MOST = 256
#: Nearest documents whose mean similarity is the density. A batch run takes twice as many: it also
#: sees later ones.
NEAREST = 40
HOUR, DAY = 3600.0, 86400.0
_article_threshold, _headline_threshold = leaf(article_threshold), leaf(headline_threshold)
_least_similarity = leaf(least_similarity)


@leaf
def hour_of(time):
    """The place of a time in ``Window.hours``."""
    return np.int64(np.floor(time / HOUR)) & 8191


@leaf
def per_day(hours, time):
    """Documents a day around a time, the new one included: of the day before or after, whichever has more."""
    here = hour_of(time)
    before, after = 0, 0
    for k in range(24):
        before += hours[(here - k) & 8191]
        after += hours[(here + k) & 8191]
    return max(before, after) + 1.0


@leaf
def shared_weight(window, row):
    """Dot product of a row with the document laid out in ``window.dense``."""
    total = np.float32(0)
    for k in range(window.row_lengths[row]):
        total += window.dense[window.row_columns[row, k]] * window.row_weights[row, k]
    return total


@leaf
def relative_similarity(similarity, days, headlines, density, daily, rules):
    """Similarity of a pair with 0, 1 or 2 headlines over its threshold and caution; 0 below ``rules.least``.

    ``similarity`` is faded with ``rules.decay_days`` over the ``days`` between.
    ``stories.thresholds`` has the rule of a batch run, which also knows bulletins.
    """
    if headlines == 2:
        steepness = max(rules.headline_decay_days**-2 - rules.decay_days**-2, 0.0)
        relative = similarity * np.exp(-0.5 * days * days * steepness) / _headline_threshold(rules, np.log(daily / rules.quiet_day))
    else:
        if headlines == 1:
            similarity /= rules.words
        relative = similarity / _article_threshold(rules, density)
    return relative / rules.caution if relative >= rules.least else 0.0


@leaf
def newest_of(posting_rows, story, first, last, most):
    """The place in a posting list where its newest ``most`` live rows begin."""
    while last > first and most > 0:
        last -= 1
        most -= story[posting_rows[last]] >= 0
    return last


@leaf
def look_up(documents, i, window, own, order):
    """Find the terms of document ``i`` that the window knows, rarest first; returns their number.

    Writes (column, place in the document) to ``own`` and the live postings to ``order``.
    """
    n = 0
    for k in range(documents.lengths[i]):
        column = column_of(window.table, window.columns, documents.terms[i, k])
        if column < 0:
            continue
        size = np.int64(window.live[column, 0]) + window.live[column, 1]
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
def find_similar(documents, i, window, rules, limits, own, order):
    """Find rows similar to document ``i``: writes ``window.touched`` and ``window.likes`` (cosine faded with time).

    Reads posting lists from the rarest term on until ``limits.postings`` are read; of the first
    list that is too long, the newest rows. Compares in full those rows that reach ``limits.score``
    in these lists, at most ``MOST``: the highest scores, of equal ones the newest. Returns the
    number of rows found.
    """
    touched, likes, scores, dense = window.touched, window.likes, window.scores, window.dense
    time, headline = documents.times[i], documents.headlines[i]
    n_terms = look_up(documents, i, window, own, order)
    n, budget, read = 0, limits.postings, 0
    for k in range(n_terms):
        if k > 0 and order[k] > budget:
            break
        column, weight = own[k, 0], documents.weights[i, own[k, 1]]
        first, last = window.lists[column, 0], window.lists[column, 0] + window.lists[column, 1]
        if order[k] > budget:
            first = newest_of(window.posting_rows, window.story, first, last, budget)
        for place in range(first, last):
            row = window.posting_rows[place]
            if scores[row] == 0:
                touched[n] = row
                n += 1
            scores[row] += weight * window.posting_weights[place]
        budget -= order[k]
        read += 1
        if budget <= 0:
            break
    least = np.float32(limits.score) if read < n_terms else np.float32(0)
    kept = 0
    for k in range(n):
        row = touched[k]
        score = scores[row]
        scores[row] = 0
        if score >= least and window.story[row] >= 0 and abs(window.times[row] - time) <= rules.window:
            touched[kept], likes[kept] = row, score
            kept += 1
    if kept > MOST:
        kept = most_similar(touched, likes, kept)
    for k in range(n_terms):
        dense[own[k, 0]] = documents.weights[i, own[k, 1]]
    n = 0
    for k in range(kept):
        row = touched[k]
        days = (time - window.times[row]) / DAY
        faded = shared_weight(window, row) * np.exp(-0.5 * (days / rules.decay_days) ** 2)
        if faded >= _least_similarity(rules, np.int64(headline) + np.int64(window.headlines[row])):
            touched[n], likes[n] = row, faded
            n += 1
    for k in range(n_terms):
        dense[own[k, 0]] = 0
    return n


@leaf
def most_similar(rows, likes, n):
    """Keep the ``MOST`` rows with the highest likes, of equal ones the newest, in no order; returns their number."""
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
def density_of(likes, n, nearest):
    """Mean of the ``NEAREST`` highest likes, absent ones counting 0; ``nearest`` is scratch."""
    kept = 0
    for k in range(n):
        if kept == NEAREST:
            if likes[k] <= nearest[NEAREST - 1]:
                continue
            kept -= 1
        at = kept
        while at > 0 and nearest[at - 1] < likes[k]:
            nearest[at] = nearest[at - 1]
            at -= 1
        nearest[at] = likes[k]
        kept += 1
    total = 0.0
    for k in range(kept):
        total += nearest[k]
    return total / NEAREST

"""Assigns incoming documents to stories: of the stories of similar documents, the most similar on average."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from .story_similarity import DAY, MOST, NEAREST, density_of, find_similar, hour_of, per_day, relative_similarity, shared_weight
from .tfidf import column_of

#: Newest documents of each of two stories that are compared pair by pair.
SAMPLE = 12


@leaf
def near_members(window, one, time, reach):
    """Documents of a story within ``reach`` of a time, at least a quarter of all its documents, at most ``MOST``."""
    near, everything = 0, 0
    row = window.newest[one]
    while row >= 0:
        if window.story[row] == one:
            everything += 1
            if abs(window.times[row] - time) <= reach:
                near += 1
        row = window.older[row]
    return min(max(near, 0.25 * everything), 1.0 * MOST)


@leaf
def are_one_story(one, other, documents, i, window, density, daily, rules):
    """Whether the pairs of two stories reach their thresholds on average; document ``i`` counts to story ``one``.

    Compares the newest ``SAMPLE`` documents of each, all with the density of document ``i``.
    """
    dense, times, headlines, story, older = window.dense, window.times, window.headlines, window.story, window.older
    total, pairs = 0.0, 0
    place, row, left_row = 0, window.newest[one], -1
    while place <= SAMPLE:
        if place > 0:
            while row >= 0 and story[row] != one:
                row = older[row]
            if row < 0:
                break
            left_row = row
            row = older[row]
            for k in range(window.row_lengths[left_row]):
                dense[window.row_columns[left_row, k]] = window.row_weights[left_row, k]
            time, headline = times[left_row], headlines[left_row]
        else:
            for k in range(documents.lengths[i]):
                column = column_of(window.table, window.columns, documents.terms[i, k])
                if column >= 0:
                    dense[column] = documents.weights[i, k]
            time, headline = documents.times[i], documents.headlines[i]
        right, seen = window.newest[other], 0
        while right >= 0 and seen < SAMPLE:
            if story[right] == other:
                seen += 1
                if abs(times[right] - time) <= rules.window:
                    days = (time - times[right]) / DAY
                    like = shared_weight(window, right)
                    like *= np.exp(-0.5 * (days / rules.decay_days) ** 2)
                    total += relative_similarity(like, days, np.int64(headline) + np.int64(headlines[right]), density, daily, rules)
                    pairs += 1
            right = older[right]
        if place > 0:
            for k in range(window.row_lengths[left_row]):
                dense[window.row_columns[left_row, k]] = 0
        else:
            for k in range(documents.lengths[i]):
                column = column_of(window.table, window.columns, documents.terms[i, k])
                if column >= 0:
                    dense[column] = 0
        place += 1
    return pairs > 0 and total >= pairs


@leaf
def add_document(documents, i, row, story, window):
    """Put document ``i`` into ``row`` of a window that has room for it, as the newest member of a story."""
    other = 0 if documents.native[i] else 1
    words, length = documents.words[i], documents.lengths[i]
    for k in range(length):
        column = column_of(window.table, window.columns, documents.terms[i, k])
        place = window.lists[column, 0] + window.lists[column, 1]
        window.posting_rows[place], window.posting_weights[place] = row, documents.weights[i, k]
        window.lists[column, 1] += 1
        window.live[column, other if k < words else 0] += 1
        window.row_columns[row, k], window.row_weights[row, k] = column, documents.weights[i, k]
    window.row_lengths[row], window.row_words[row], window.natives[row] = length, words, documents.native[i]
    window.times[row], window.headlines[row], window.story[row] = documents.times[i], documents.headlines[i], story
    window.older[row], window.newest[story] = window.newest[story], row
    window.hours[hour_of(documents.times[i])] += 1
    if words > 0:
        window.documents[other] += 1
    window.documents[2] += length > words


@jit
def add_documents(documents, stories, first_row, window):
    """Put documents into a window that has room for them, from ``first_row`` on, as members of ``stories`` int64[n]."""
    for i in range(len(stories)):
        add_document(documents, i, first_row + i, stories[i], window)


@jit
def assign_documents(documents, founds, keep, first_row, window, rules, limits):
    """Choose the story of each document of a block; with ``keep``, a document is in the window for the next one.

    Parameters
    ----------
    documents : Documents
    founds : int64[n], the story that each document founds if it joins none
    keep : whether documents become rows of the window, from ``first_row`` on; there must be room
        for them
    window : Window; its ``names`` break ties between stories: the smaller one wins
    rules : StoryRules
    limits : SearchLimits

    Returns
    -------
    (stories int64[n], merged_by int64[m], merged int64[m])
        The story joined, -1 if none. Document ``merged_by`` shows ``merged`` to be one story with
        the one it joins.
    """
    n, story, names = len(founds), window.story, window.names
    touched, likes, times, headlines, sums = window.touched, window.likes, window.times, window.headlines, window.sums
    answer = np.empty(n, np.int64)
    merged_by, merged = np.empty(16, np.int64), np.empty(16, np.int64)
    n_merged = 0
    most_terms = documents.terms.shape[1]
    own, order = np.empty((most_terms, 2), np.int64), np.empty(most_terms, np.int64)
    nearest = np.empty(NEAREST, np.float32)
    fits, means = np.empty(MOST, np.int64), np.empty(MOST, np.float64)
    for i in range(n):
        time, headline = documents.times[i], np.int64(documents.headlines[i])
        daily = per_day(window.hours, time)
        n_similar = find_similar(documents, i, window, rules, limits, own, order)
        density = density_of(likes, n_similar, nearest)
        for k in range(n_similar):
            row = touched[k]
            days = (time - times[row]) / DAY
            sums[story[row]] += relative_similarity(np.float64(likes[k]), days, headline + np.int64(headlines[row]), density, daily, rules)
        best, best_mean, n_fits = -1, 0.0, 0
        for k in range(n_similar):
            one = story[touched[k]]
            total = sums[one]
            sums[one] = 0
            if total < 1:
                continue
            mean = total / near_members(window, one, time, rules.window)
            if mean < 1:
                continue
            fits[n_fits], means[n_fits] = one, mean
            n_fits += 1
            if best < 0 or mean > best_mean or (mean == best_mean and names[one] < names[best]):
                best, best_mean = one, mean
        answer[i] = best
        for k in range(n_fits):
            if fits[k] == best:
                continue
            if not are_one_story(best, fits[k], documents, i, window, density, daily, rules):
                continue
            if n_merged == len(merged):
                merged_by = np.concatenate((merged_by, np.empty(n_merged, np.int64)))
                merged = np.concatenate((merged, np.empty(n_merged, np.int64)))
            merged_by[n_merged], merged[n_merged] = i, fits[k]
            n_merged += 1
        if keep:
            add_document(documents, i, first_row + i, best if best >= 0 else founds[i], window)
    return answer, merged_by[:n_merged].copy(), merged[:n_merged].copy()

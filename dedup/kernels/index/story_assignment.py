"""Documents that join stories as they arrive: of the stories of what is like a document, the one that it is most like on average."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from .story_similarity import CROWD, MOST, crowd_excess, find_like, hour_of, likeness_in_cuts, per_day, shared_weight
from .tfidf import listing

#: Documents of each of two stories that are compared with those of the other.
SAMPLE = 12


@leaf
def near_members(head, following, story, times, one, time, window):
    """Documents of a story within the window of a time, no fewer than a quarter of all that are held, no more than ``MOST``."""
    near, all_of_it = 0, 0
    row = head[one]
    while row >= 0:
        if story[row] == one:
            all_of_it += 1
            if abs(times[row] - time) <= window:
                near += 1
        row = following[row]
    return min(max(near, 0.25 * all_of_it), 1.0 * MOST)


@leaf
def alike_as_stories(
    one, other, terms, weights, length, time, brief, excess, daily, rules, table, columns, row_columns, row_weights, row_lengths,
    times, briefs, story, head, following, dense,
):  # fmt: skip
    """Whether the pairs of two stories reach their cuts on average, a new document counted to the first.

    The newest ``SAMPLE`` documents of each are compared, by the crowd of the new one.
    """
    window, decay = rules[12], rules[5]
    total, pairs = 0.0, 0
    place, row, left_row = 0, head[one], -1
    while place <= SAMPLE:
        if place > 0:
            while row >= 0 and story[row] != one:
                row = following[row]
            if row < 0:
                break
            left_row = row
            row = following[row]
            for k in range(row_lengths[left_row]):
                dense[row_columns[left_row, k]] = row_weights[left_row, k]
            when, short = times[left_row], briefs[left_row]
        else:
            for k in range(length):
                column = listing(table, columns, terms[k])
                if column >= 0:
                    dense[column] = weights[k]
            when, short = time, brief
        right, seen = head[other], 0
        while right >= 0 and seen < SAMPLE:
            if story[right] == other:
                seen += 1
                if abs(times[right] - when) <= window:
                    days = (when - times[right]) / 86400.0
                    like = shared_weight(dense, row_columns, row_weights, row_lengths, right)
                    like *= np.exp(-0.5 * (days / decay) ** 2)
                    total += likeness_in_cuts(like, days, short, briefs[right], excess, daily, rules)
                    pairs += 1
            right = following[right]
        if place > 0:
            for k in range(row_lengths[left_row]):
                dense[row_columns[left_row, k]] = 0
        else:
            for k in range(length):
                column = listing(table, columns, terms[k])
                if column >= 0:
                    dense[column] = 0
        place += 1
    return pairs > 0 and total >= pairs


@leaf
def hold_row(
    row, terms, weights, words, length, native, time, brief, of, table, columns, live, lists, posting_rows, posting_weights,
    row_columns, row_weights, row_lengths, row_words, natives, times, briefs, story, following, head, hours, documents,
):  # fmt: skip
    """Put a document into a window that has room for it, as a member of a story."""
    other = 0 if native else 1
    for k in range(length):
        column = listing(table, columns, terms[k])
        place = lists[column, 0] + lists[column, 1]
        posting_rows[place], posting_weights[place] = row, weights[k]
        lists[column, 1] += 1
        live[column, other if k < words else 0] += 1
        row_columns[row, k], row_weights[row, k] = column, weights[k]
    row_lengths[row], row_words[row], natives[row] = length, words, native
    times[row], briefs[row], story[row] = time, brief, of
    following[row], head[of] = head[of], row
    hours[hour_of(time)] += 1
    if words > 0:
        documents[other] += 1
    documents[2] += length > words


@jit
def hold_rows(terms, weights, words, lengths, native, time, brief, of, first_row, table, columns, live, lists, posting_rows,
    posting_weights, row_columns, row_weights, row_lengths, row_words, natives, times, briefs, story, following, head, hours,
    documents,
):  # fmt: skip
    """Put documents into a window that has room for them: rows ``first_row`` and so on, members of the stories ``of`` int64[n]."""
    for i in range(len(of)):
        hold_row(
            first_row + i, terms[i], weights[i], words[i], lengths[i], native[i], time[i], brief[i], of[i], table, columns, live, lists,
            posting_rows, posting_weights, row_columns, row_weights, row_lengths, row_words, natives, times, briefs, story, following,
            head, hours, documents,
        )  # fmt: skip


@jit
def place_rows(
    terms, weights, words, lengths, native, time, brief, founds, keep, first_row, rules, admit, partial, table, columns, live, lists,
    posting_rows, posting_weights, row_columns, row_weights, row_lengths, row_words, natives, times, briefs, story, following, head,
    names, hours, documents, scores, touched, dense, likes, sums,
):  # fmt: skip
    """The story of each of some documents, the ones before it in the block being part of the window if they are kept.

    Parameters
    ----------
    terms, weights, words, lengths, native : vectors, see ``weigh_rows``; time : float64[n], seconds; brief : bool[n], headlines
    founds : int64[n], the story that a document founds if it joins none
    keep : whether documents become rows of the window, from ``first_row`` on; there must be room for them
    rules : float64[14]: cut, headline cut, rise with the crowd, highest cut (times the plain one), share of words in a headline's
        vector as a length, decay and headline decay (days), least likeness that counts, caution, documents a day of a thin stream,
        its share of the headline cut, rise of that with e-folds, window (seconds), likeness from which neighbours are a crowd
    names : int64[n_stories], numbers of the stories: of equal ones the smaller is taken
    others : the window, see ``dedup/index/story_lists.py``; ``scores`` and ``dense`` and ``sums`` are zeros, and are so afterwards

    Returns
    -------
    (stories int64[n], merged_by int64[m], merged int64[m])
        The story joined, -1 if none; further stories that a document shows to be one with the one it joins, and which document.
    """
    n = len(founds)
    answer = np.empty(n, np.int64)
    merged_by, merged = np.empty(16, np.int64), np.empty(16, np.int64)
    n_merged = 0
    own, order = np.empty((terms.shape[1], 2), np.int64), np.empty(terms.shape[1], np.int64)
    nearest = np.empty(CROWD, np.float32)
    fits, means = np.empty(MOST, np.int64), np.empty(MOST, np.float64)
    for i in range(n):
        daily = per_day(hours, time[i])
        n_like = find_like(
            terms[i], weights[i], lengths[i], time[i], brief[i], rules, admit, partial, table, columns, live, lists, posting_rows,
            posting_weights, row_columns, row_weights, row_lengths, times, briefs, story, scores, touched, dense, own, order, likes,
        )  # fmt: skip
        excess = crowd_excess(likes, n_like, rules[13], nearest)
        for k in range(n_like):
            row = touched[k]
            days = (time[i] - times[row]) / 86400.0
            sums[story[row]] += likeness_in_cuts(np.float64(likes[k]), days, brief[i], briefs[row], excess, daily, rules)
        best, best_mean, n_fits = -1, 0.0, 0
        for k in range(n_like):
            one = story[touched[k]]
            total = sums[one]
            sums[one] = 0
            if total < 1:
                continue
            mean = total / near_members(head, following, story, times, one, time[i], rules[12])
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
            if not alike_as_stories(
                best, fits[k], terms[i], weights[i], lengths[i], time[i], brief[i], excess, daily, rules, table, columns, row_columns,
                row_weights, row_lengths, times, briefs, story, head, following, dense,
            ):  # fmt: skip
                continue
            if n_merged == len(merged):
                merged_by = np.concatenate((merged_by, np.empty(n_merged, np.int64)))
                merged = np.concatenate((merged, np.empty(n_merged, np.int64)))
            merged_by[n_merged], merged[n_merged] = i, fits[k]
            n_merged += 1
        if keep:
            hold_row(
                first_row + i, terms[i], weights[i], words[i], lengths[i], native[i], time[i], brief[i], best if best >= 0 else founds[i],
                table, columns, live, lists, posting_rows, posting_weights, row_columns, row_weights, row_lengths, row_words, natives,
                times, briefs, story, following, head, hours, documents,
            )  # fmt: skip
    return answer, merged_by[:n_merged].copy(), merged[:n_merged].copy()

"""Facts replaced in place, the sign of a template: texts agree around a gap and differ in it."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf
from ..rows import first_at_least
from ..text.terms import FACT

#: Longest run of terms that counts as one replacement, and longest distance of its borders in the
#: other text.
LONGEST_RUN, FARTHEST = 6, 8
#: Occurrences of a border that are checked.
MOST_PLACES = 16


@leaf
def first_place(values, order, value):
    """The first place in ``order`` whose value is at least ``value``; ``values[order]`` ascends."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) >> 1
        if values[order[middle]] < value:
            low = middle + 1
        else:
            high = middle
    return low


@leaf
def contains(values, order, value):
    """Whether ``value`` is in ``values``; ``values[order]`` ascends."""
    place = first_place(values, order, value)
    return place < len(order) and values[order[place]] == value


@jit
def count_replaced(a, b):
    """How many runs of facts in ``a`` are replaced by others in ``b``.

    A run is up to LONGEST_RUN terms of ``a`` that ``b`` lacks, at least one of them a fact, between
    two terms that ``b`` contains. It is replaced if in ``b`` the same two terms are at most
    FARTHEST apart with a fact between them that ``a`` lacks.

    Parameters
    ----------
    a, b : uint64 terms in text order, FACT among their flags
    """
    a_order, b_order = np.argsort(a, kind="mergesort"), np.argsort(b, kind="mergesort")
    count = 0
    i = 1
    while i < len(a):
        if contains(b, b_order, a[i]):
            i += 1
            continue
        end = i
        fact = False
        while end < len(a) and end - i < LONGEST_RUN and not contains(b, b_order, a[end]):
            fact = fact or a[end] & FACT != np.uint64(0)
            end += 1
        if fact and end < len(a) and contains(b, b_order, a[i - 1]):
            place = first_place(b, b_order, a[i - 1])
            stop = min(place + MOST_PLACES, len(b))
            replaced = False
            while place < stop and b[b_order[place]] == a[i - 1] and not replaced:
                before = b_order[place]
                other_fact = False
                for j in range(before + 1, min(before + FARTHEST, len(b))):
                    if b[j] == a[end]:
                        replaced = other_fact
                        break
                    other_fact = other_fact or (b[j] & FACT != np.uint64(0) and not contains(a, a_order, b[j]))
                place += 1
            count += 1 if replaced else 0
        i = end
    return count


@jit
def shared_facts(terms, offsets, one, other):
    """Count the different facts of row ``one[i]``, and those that row ``other[i]`` contains too.

    Parameters
    ----------
    terms : uint64[n_terms], in text order, FACT among their flags; offsets : int64[n_rows + 1]
    one, other : int64[n_pairs], rows

    Returns
    -------
    (own int64[n_pairs], shared int64[n_pairs]). Cost: a sort of the facts of both rows per pair.
    """
    own = np.zeros(len(one), np.int64)
    shared = np.zeros(len(one), np.int64)
    row_now = np.int64(-1)
    others = np.empty(0, np.uint64)
    for pair in range(len(one)):
        mine = facts_of(terms[offsets[one[pair]] : offsets[one[pair] + 1]])
        if other[pair] != row_now:  # consecutive pairs often share a text
            row_now = other[pair]
            others = facts_of(terms[offsets[row_now] : offsets[row_now + 1]])
        j = 0
        for i in range(len(mine)):
            if i > 0 and mine[i] == mine[i - 1]:
                continue
            own[pair] += 1
            j = first_at_least(others, j, len(others), mine[i])
            shared[pair] += np.int64(j < len(others) and others[j] == mine[i])
    return own, shared


@jit
def facts_of(terms):
    """The facts among terms, ascending."""
    facts = np.empty(len(terms), np.uint64)
    used = 0
    for term in terms:
        if term & FACT != np.uint64(0):
            facts[used] = term
            used += 1
    return np.sort(facts[:used])


@jit
def replaced_facts(terms, offsets, left, right):
    """Count replaced runs of facts in the shorter text of each pair, also per hundred terms.

    Parameters
    ----------
    terms : uint64[n_terms], in text order, FACT among their flags; offsets : int64[n_rows + 1]
    left, right : int64[n_pairs], rows

    Returns
    -------
    (counts int64[n_pairs], densities float64[n_pairs]). Cost: a sort of both rows per pair.
    """
    counts = np.zeros(len(left), np.int64)
    densities = np.zeros(len(left), np.float64)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        if offsets[b + 1] - offsets[b] < offsets[a + 1] - offsets[a]:
            a, b = b, a
        a_span, b_span = slice(offsets[a], offsets[a + 1]), slice(offsets[b], offsets[b + 1])
        counts[pair] = count_replaced(terms[a_span], terms[b_span])
        densities[pair] = 100.0 * counts[pair] / max(1, offsets[a + 1] - offsets[a])
    return counts, densities

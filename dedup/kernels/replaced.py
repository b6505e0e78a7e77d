"""What a template fills in: places where two texts agree on both sides and differ between, in facts."""

from __future__ import annotations

import numpy as np

from .jit import jit, leaf

#: Longest run that counts as one filling, and farthest distance of its borders in the other text.
LONGEST_RUN, FARTHEST = 6, 8
#: Occurrences of a border that are looked at.
MOST_PLACES = 16


@leaf
def first_place(values, order, value):
    """The first place in ``order`` whose value is not below ``value``; ``values[order]`` ascends."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) >> 1
        if values[order[middle]] < value:
            low = middle + 1
        else:
            high = middle
    return low


@leaf
def holds(values, order, value):
    """Whether ``values`` has ``value``."""
    place = first_place(values, order, value)
    return place < len(order) and values[order[place]] == value


@jit
def count_replaced(a, a_facts, b, b_facts):
    """How many runs of ``a`` are filled otherwise in ``b``.

    A run is up to LONGEST_RUN terms of ``a`` that ``b`` does not have, one of them a fact, between two terms
    that it has. It is replaced if in ``b`` the same two terms stand at most FARTHEST apart with a fact
    between them that ``a`` does not have.

    Parameters
    ----------
    a, b : uint64 terms in text order; a_facts, b_facts : bool, which of them are facts
    """
    a_order, b_order = np.argsort(a, kind="mergesort"), np.argsort(b, kind="mergesort")
    count = 0
    i = 1
    while i < len(a):
        if holds(b, b_order, a[i]):
            i += 1
            continue
        end = i
        fact = False
        while end < len(a) and end - i < LONGEST_RUN and not holds(b, b_order, a[end]):
            fact = fact or a_facts[end]
            end += 1
        if fact and end < len(a) and holds(b, b_order, a[i - 1]):
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
                    other_fact = other_fact or (b_facts[j] and not holds(a, a_order, b[j]))
                place += 1
            count += 1 if replaced else 0
        i = end
    return count


@jit
def replaced_facts(terms, offsets, facts, left, right):
    """For each pair: fillings of the shorter text that differ in the longer one, per hundred terms of the shorter.

    Parameters
    ----------
    terms : uint64[n_terms], in text order; offsets : int64[n_rows + 1]; facts : bool[n_terms]
    left, right : int64[n_pairs], rows

    Returns
    -------
    (counts int64[n_pairs], densities float64[n_pairs]). Cost: a sort of both rows, a pair.
    """
    counts = np.zeros(len(left), np.int64)
    densities = np.zeros(len(left), np.float64)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        if offsets[b + 1] - offsets[b] < offsets[a + 1] - offsets[a]:
            a, b = b, a
        a_span, b_span = slice(offsets[a], offsets[a + 1]), slice(offsets[b], offsets[b + 1])
        counts[pair] = count_replaced(terms[a_span], facts[a_span], terms[b_span], facts[b_span])
        densities[pair] = 100.0 * counts[pair] / max(1, offsets[a + 1] - offsets[a])
    return counts, densities

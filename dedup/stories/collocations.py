"""Finds phrases: words of a story that are usually neighbours, «مجلس الأمن», «هيومن رايتس ووتش»."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, run_starts

#: Two words are a phrase if they are neighbours in this share of the rarer one's occurrences, and
#: at least ``LEAST`` times.
SHARE, LEAST = 0.6, 2
#: Words of a phrase.
LONGEST = 3

#: A phrase: the candidate and the written form of each word, in order, as numbers.
Phrase = list[tuple[int, int]]


class Bond(Enum):
    """Whether two neighbours can be a phrase: never, if the rarer word is usually beside the other, or if both usually are."""

    NONE, PHRASE, NAME = range(3)


def link_phrases(candidates: Ints, beside: npt.NDArray[np.bool_], written: Ints, bond: Callable[[int, int], Bond]) -> dict[int, Phrase]:
    """Link candidates that are neighbours into phrases, the commonest pairs first.

    Parameters
    ----------
    candidates : int64[n], the candidate of each occurrence, in text order; stories share no
        candidate
    beside : bool[n - 1], whether the next occurrence follows directly
    written : int64[n], the number of each occurrence's written form
    bond : the bond of two written forms

    Returns
    -------
    The phrase of each candidate that is in one.
    """
    if len(candidates) < 2:
        return {}
    first = np.flatnonzero(beside & (candidates[:-1] != candidates[1:]))
    n, n_written = int(candidates.max()) + 1, int(written.max()) + 1
    totals = np.bincount(candidates, minlength=n)
    pairs, pair_of, counts = np.unique(candidates[first] * n + candidates[first + 1], return_inverse=True, return_counts=True)
    forms = _commonest_of(pair_of, written[first] * n_written + written[first + 1], len(pairs))
    left, right = np.divmod(pairs, n)
    rarer, other = np.minimum(totals[left], totals[right]), np.maximum(totals[left], totals[right])
    likely = np.flatnonzero((counts >= LEAST) & (counts >= SHARE * rarer))
    likely = likely[np.lexsort((pairs[likely], -counts[likely]))]
    links = []
    for pair, a, b, form in zip(likely.tolist(), left[likely].tolist(), right[likely].tolist(), forms[likely].tolist(), strict=True):
        one, two = divmod(form, n_written)
        kept = bond(one, two)
        if kept is Bond.PHRASE or (kept is Bond.NAME and counts[pair] >= SHARE * other[pair]):
            links.append(((a, one), (b, two)))
    return _link(links)


def _commonest_of(groups: Ints, values: Ints, n_groups: int) -> Ints:
    """The commonest value of each group, of equally common ones the smallest."""
    if n_groups == 0:
        return np.empty(0, np.int64)
    order = np.lexsort((values, groups))
    groups, values = groups[order], values[order]
    starts = np.flatnonzero(run_starts(groups, values))
    counts = np.diff(np.append(starts, len(groups)))
    groups, values = groups[starts], values[starts]
    order = np.lexsort((values, -counts, groups))
    return values[order[np.searchsorted(groups, np.arange(n_groups))]]


def _link(links: list[tuple[tuple[int, int], tuple[int, int]]]) -> dict[int, Phrase]:
    phrase_of: dict[int, Phrase] = {}
    for first, second in links:
        left_phrase, right_phrase = phrase_of.get(first[0], [first]), phrase_of.get(second[0], [second])
        if (
            left_phrase is right_phrase
            or left_phrase[-1][0] != first[0]
            or right_phrase[0][0] != second[0]
            or len(left_phrase) + len(right_phrase) > LONGEST
        ):
            continue
        joined = left_phrase + right_phrase
        for member, _ in joined:
            phrase_of[member] = joined
    return phrase_of

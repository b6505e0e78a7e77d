"""Words of a story that keep standing side by side: «مجلس الأمن», «هيومن رايتس ووتش»."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
import numpy.typing as npt

from ..arrays.rows import Ints, run_starts

#: Two words are a phrase if one stands beside the other in this share of its occurrences, and at least so often.
SHARE, LEAST = 0.6, 2
#: Words of a phrase.
LONGEST = 3

#: A phrase: of each word, in order, the number of its candidate and of its written form.
Chain = list[tuple[int, int]]


class Bond(Enum):
    """What keeps two neighbours together: nothing; the habit of the rarer one; as a name, that of both."""

    NONE, PHRASE, NAME = range(3)


def chains(candidates: Ints, beside: npt.NDArray[np.bool_], written: Ints, bond: Callable[[int, int], Bond]) -> dict[int, Chain]:
    """Link candidates that stand side by side, the commonest pairs first.

    Parameters
    ----------
    candidates : int64[n], the candidate that each occurrence is one of, in text order; those of other stories have other numbers
    beside : bool[n - 1], whether an occurrence stands right in front of the next one
    written : int64[n], the number of the written form of each
    bond : of two written forms

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
    """The commonest value of each group, of equals the smallest."""
    if n_groups == 0:
        return np.empty(0, np.int64)
    order = np.lexsort((values, groups))
    groups, values = groups[order], values[order]
    starts = np.flatnonzero(run_starts(groups, values))
    counts = np.diff(np.append(starts, len(groups)))
    groups, values = groups[starts], values[starts]
    order = np.lexsort((values, -counts, groups))
    return values[order[np.searchsorted(groups, np.arange(n_groups))]]


def _link(links: list[tuple[tuple[int, int], tuple[int, int]]]) -> dict[int, Chain]:
    chain_of: dict[int, Chain] = {}
    for first, second in links:
        before, behind = chain_of.get(first[0], [first]), chain_of.get(second[0], [second])
        if before is behind or before[-1][0] != first[0] or behind[0][0] != second[0] or len(before) + len(behind) > LONGEST:
            continue
        joined = before + behind
        for member, _ in joined:
            chain_of[member] = joined
    return chain_of

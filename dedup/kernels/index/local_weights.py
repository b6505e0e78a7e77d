"""What is left of a pair's containment when shingles weigh less that one outlet prints again and again, counted in company."""

from __future__ import annotations

import numpy as np

from ..jit import jit


@jit
def distinct_in_company(values, offsets, left, right, first_right, company, company_offsets, sources, common, common_in_source):
    """The distinct containment of pairs.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_rows + 1]
    left, right : int64[n_pairs], rows; those of one ``right`` stand together
    company : int64[n_company], rows; company_offsets : int64[n_right + 1]
        For row ``first_right`` and those behind it, rows that share much with it: among them its shingles are counted.
    sources : int64[n_rows], the outlet of each row, -1 where it is unknown
    common, common_in_source : a shingle in more rows without an outlet, or in more of one outlet, weighs less

    Returns
    -------
    float64[n_pairs]
        The weight of what both share over the weight of the lighter row. A shingle weighs 1, or ``common_in_source`` over the rows of the
        outlet that has most (``common`` over those without one). Cost: the length of the right row for each row of its company.
    """
    out = np.empty(len(left), np.float64)
    longest = 0
    for row in right:
        longest = max(longest, offsets[row + 1] - offsets[row])
    weights = np.ones(longest, np.float64)
    counts = np.zeros(longest, np.int64)
    row_now = np.int64(-1)
    total = 0.0
    for pair in range(len(left)):
        row = right[pair]
        begin, end = offsets[row], offsets[row + 1]
        if row != row_now:
            row_now = row
            own = company[company_offsets[row - first_right] : company_offsets[row - first_right + 1]]
            order = np.argsort(sources[own], kind="mergesort")
            weights[: end - begin] = 1.0
            first = 0
            while first < len(own):
                source = sources[own[order[first]]]
                counts[: end - begin] = np.int64(source == sources[row])
                last = first
                while last < len(own) and sources[own[order[last]]] == source:
                    count_shared(values, begin, end, offsets[own[order[last]]], offsets[own[order[last]] + 1], counts)
                    last += 1
                bound = common if source < 0 else common_in_source
                for i in range(end - begin):
                    if counts[i] > bound:
                        weights[i] = min(weights[i], bound / counts[i])
                first = last
            total = 0.0
            for i in range(end - begin):
                total += weights[i]
        i, j, j_end = begin, offsets[left[pair]], offsets[left[pair] + 1]
        shared, n_shared = 0.0, 0
        while i < end and j < j_end:
            a, b = values[i], values[j]
            if a == b:
                shared += weights[i - begin]
                n_shared += 1
            i += np.int64(a <= b)
            j += np.int64(b <= a)
        other = (j_end - offsets[left[pair]]) - n_shared + shared
        out[pair] = shared / max(min(total, other), 1e-9)
    return out


@jit
def count_shared(values, i, i_end, j, j_end, counts):
    """Add 1 to ``counts[k]`` for each k so that ``values[i + k]`` stands in ``values[j:j_end]`` too; in place."""
    first = i
    while i < i_end and j < j_end:
        a, b = values[i], values[j]
        counts[i - first] += np.int64(a == b)
        i += np.int64(a <= b)
        j += np.int64(b <= a)

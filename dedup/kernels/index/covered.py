"""How much of a row stands in several other rows, all of them together."""

from __future__ import annotations

import numpy as np

from ..jit import jit
from ..rows import first_at_least


@jit
def count_covered(values, offsets, rows, others, counted, starts):
    """Count the values of each row that stand in at least one of its other rows that count.

    Parameters
    ----------
    values : uint64[n_values], sorted and unique in each row; offsets : int64[n_all + 1]
    rows : int64[n], rows; others : int64[n_others], rows; counted : bool[n_others], those that count
    starts : int64[n + 1], the others of each row

    Returns
    -------
    int64[n]. Cost: the length of both rows for each of the others, until the row is covered whole.
    """
    counts = np.zeros(len(rows), np.int64)
    longest = np.int64(0)
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    found = np.empty(longest, np.uint8)
    for place in range(len(rows)):
        if starts[place] == starts[place + 1]:
            continue
        begin, end = offsets[rows[place]], offsets[rows[place] + 1]
        found[: end - begin] = 0
        total = np.int64(0)
        for k in range(starts[place], starts[place + 1]):
            if total == end - begin:
                break
            if not counted[k]:
                continue
            i, j, j_end = begin, offsets[others[k]], offsets[others[k] + 1]
            if (j_end - j) * 32 < end - begin:  # one much shorter: binary search for each value
                while j < j_end:
                    i = first_at_least(values, i, end, values[j])
                    if i < end and values[i] == values[j]:
                        total += np.int64(1 - found[i - begin])
                        found[i - begin] = 1
                    j += 1
                continue
            while i < end and j < j_end:
                a, b = values[i], values[j]
                if a == b:
                    total += np.int64(1 - found[i - begin])
                    found[i - begin] = 1
                i += np.int64(a <= b)
                j += np.int64(b <= a)
        counts[place] = total
    return counts

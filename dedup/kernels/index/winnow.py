"""Fingerprints of a text: a sample of its shingles from which no long enough shared passage can hide."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf


@leaf
def take_minima(hashes, begin, end, window, queue, out, used):
    """Write the smallest of every ``window`` hashes in ``hashes[begin:end]`` to ``out`` from ``used``; returns the new ``used``.

    ``queue`` : int64[at least end - begin], scratch. It holds places whose hashes ascend: those that may yet be a smallest one.
    """
    head, tail = 0, 0
    taken = begin - 1
    for place in range(begin, end):
        value = hashes[place]
        while tail > head and hashes[queue[tail - 1]] >= value:  # of equals the rightmost stays
            tail -= 1
        queue[tail] = place
        tail += 1
        if queue[head] <= place - window:
            head += 1
        # A row shorter than the window is one window.
        if (place - begin >= window - 1 or place == end - 1) and queue[head] != taken:
            taken = queue[head]
            out[used] = hashes[taken]
            used += 1
    return used


@jit
def winnow(hashes, offsets, windows):
    """Winnowing fingerprints of each row (Schleimer, Wilkerson, Aiken, SIGMOD 2003).

    Of every window of neighbouring hashes the smallest is taken, the rightmost of equals. So two rows that share a run as long as the
    wider window of both share a fingerprint, and of random hashes 2 / (window + 1) are taken. The price of smallness: fingerprints are no
    evenly spread hashes any more, small ones are more frequent.

    Parameters
    ----------
    hashes : uint64[n_hashes], in the order of the text; offsets : int64[n_rows + 1]
    windows : int64[n_rows], at least 1, of which all are taken. A row shorter than its window counts as one window.

    Returns
    -------
    (values uint64[n], offsets int64[n_rows + 1]), sorted and unique in each row
        Cost: linear in the hashes, and a sort of what is taken.
    """  # fmt: skip
    n_rows = len(offsets) - 1
    out = np.empty(offsets[-1] - offsets[0], np.uint64)
    out_offsets = np.zeros(n_rows + 1, np.int64)
    longest = 0
    for row in range(n_rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    queue = np.empty(longest, np.int64)
    used = 0
    for row in range(n_rows):
        begin, end = offsets[row], offsets[row + 1]
        first = used
        if windows[row] <= 1:
            for place in range(begin, end):
                out[used] = hashes[place]
                used += 1
        else:
            used = take_minima(hashes, begin, end, windows[row], queue, out, used)
        if used > first:
            out[first:used].sort()
            last = first
            for place in range(first + 1, used):
                if out[place] != out[last]:
                    last += 1
                    out[last] = out[place]
            used = last + 1
        out_offsets[row + 1] = used
    return out[:used].copy(), out_offsets

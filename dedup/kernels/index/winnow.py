"""Winnowing: texts with a long enough common passage share a sampled shingle."""

from __future__ import annotations

import numpy as np

from ..jit import jit, leaf


@leaf
def take_minima(hashes, begin, end, window, queue, out, used):
    """Append the minima of all windows of ``hashes[begin:end]`` to ``out``; the new ``used``.

    ``queue`` int64[at least end - begin] is scratch: places with ascending hashes, each of which
    may still become a minimum.
    """
    head, tail = 0, 0
    taken = begin - 1
    for place in range(begin, end):
        value = hashes[place]
        while tail > head and hashes[queue[tail - 1]] >= value:  # of equal hashes the rightmost stays
            tail -= 1
        queue[tail] = place
        tail += 1
        if queue[head] <= place - window:
            head += 1
        # A row shorter than the window counts as one window.
        if (place - begin >= window - 1 or place == end - 1) and queue[head] != taken:
            taken = queue[head]
            out[used] = hashes[taken]
            used += 1
    return used


@jit
def winnow(hashes, offsets, windows):
    """Winnowing fingerprints of each row (Schleimer, Wilkerson, Aiken, SIGMOD 2003).

    The minimum of every window of adjacent hashes is taken, the rightmost of equal ones. So two
    rows with a common run as long as the wider of their windows share a fingerprint, and 2 /
    (window + 1) of random hashes are taken. Fingerprints are not evenly spread: small ones are more
    frequent.

    Parameters
    ----------
    hashes : uint64[n_hashes], in the order of the text; offsets : int64[n_rows + 1]
    windows : int64[n_rows], at least 1, which takes all hashes; a row shorter than its window
        counts as one window

    Returns
    -------
    (values uint64[n], offsets int64[n_rows + 1]), sorted and unique in each row
        Cost: linear in the hashes, and a sort of the fingerprints.
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

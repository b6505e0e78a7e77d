"""The last characters of texts, without a look at what stands before them."""

from __future__ import annotations

import numpy as np

from .jit import jit


@jit
def last_characters(data, offsets, most):
    """Copy the last ``most`` characters of each text, all of a shorter one.

    Parameters
    ----------
    data : uint8[n_bytes], valid UTF-8; offsets : int64[n_texts + 1]; most : characters

    Returns
    -------
    (data uint8[n], offsets int64[n_texts + 1])
    """
    n_texts = len(offsets) - 1
    out_offsets = np.zeros(n_texts + 1, np.int64)
    for text in range(n_texts):
        at, left = offsets[text + 1], most
        while at > offsets[text] and left > 0:
            at -= 1
            left -= np.int64(data[at] & np.uint8(0xC0) != np.uint8(0x80))  # the other bytes go on with a character
        out_offsets[text + 1] = out_offsets[text] + offsets[text + 1] - at
    out = np.empty(out_offsets[n_texts], np.uint8)
    for text in range(n_texts):
        size = out_offsets[text + 1] - out_offsets[text]
        for i in range(size):
            out[out_offsets[text] + i] = data[offsets[text + 1] - size + i]
    return out, out_offsets

"""Binary search in a part of a sorted array."""

from __future__ import annotations

from .jit import leaf


@leaf
def first_at_least(values, low, high, value):
    """The first place of ``values[low:high]``, which ascend, that is not below ``value``; ``high`` if all are."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low

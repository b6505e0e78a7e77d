"""How many cases a test tries: a share of them in the quick part of the suite, all of them with ``--full``."""

from __future__ import annotations

#: Set by ``--full`` before tests are collected.
full = False


def cases(number: int) -> int:
    """``number``, or a fifth of it in the quick part."""
    return number if full else max(1, number // 5)

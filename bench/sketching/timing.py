"""Seconds of contenders that do one job on one thread.

They take turns, so that a busy spell of the machine falls on all of them, and what is counted is the time that the
thread was given, not the time that passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


def race(contenders: Mapping[str, Callable[[], Any]], rounds: int = 5, *, warm: bool = True) -> dict[str, float]:
    """The best of ``rounds`` turns of each contender, in seconds; ``warm`` runs each once before, to compile it."""
    best = dict.fromkeys(contenders, float("inf"))
    for turn in range(rounds + warm):
        for name, contender in contenders.items():
            begun = time.thread_time()
            contender()
            if turn >= warm:
                best[name] = min(best[name], time.thread_time() - begun)
    return {name: float(f"{seconds:.4g}") for name, seconds in best.items()}

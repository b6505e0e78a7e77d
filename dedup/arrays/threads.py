"""Threads of one process: kernels hold no lock, so threads are enough and nothing is pickled."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")
Answer = TypeVar("Answer")


def thread_count(threads: int) -> int:
    """The number of threads meant: 0 is one per core that this process may use."""
    if threads > 0:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_batches(function: Callable[[Batch], Answer], batches: Iterable[Batch], threads: int) -> Iterator[Answer]:
    """Apply ``function`` to each batch on ``threads`` threads; answers come in the order of the batches.

    At most twice as many batches as threads are held at a time, however slow the consumer is.
    """
    if threads <= 1:
        yield from map(function, batches)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="dedup") as pool:
        waiting: deque[Future[Answer]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(function, batch))
                if len(waiting) >= 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def map_blocks(
    function: Callable[[int, int], Answer], rows: int, threads: int, *, at_least: int = 1024, at_most: int | None = None
) -> list[Answer]:
    """Call ``function(first, last)`` for blocks that cover ``range(rows)``; answers in the order of the rows.

    Blocks are smaller than a thread's share, so that one heavy block does not keep the rest waiting.
    """
    block = max(at_least, -(-rows // (threads * 8)))
    block = min(block, at_most) if at_most else block
    starts = range(0, rows, block)
    return list(map_batches(lambda start: function(start, min(start + block, rows)), starts, threads))

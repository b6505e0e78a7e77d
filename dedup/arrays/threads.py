"""Maps functions over batches on threads.

Kernels release the GIL, so threads suffice and nothing is pickled.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from threading import Lock
from typing import TypeVar

Batch = TypeVar("Batch")
Output = TypeVar("Output")


def thread_count(threads: int) -> int:
    """Resolve the number of threads: 0 means one per core that this process may use."""
    if threads > 0:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def computed_once(load: Callable[[], Output]) -> Callable[[], Output]:
    """Cache the result of a function without arguments.

    Threads that call it at the same time wait for one of them, where ``functools.cache`` would let
    each compute the result.
    """
    lock, results = Lock(), list[Output]()

    @wraps(load)
    def cached() -> Output:
        if not results:
            with lock:
                if not results:
                    results.append(load())
        return results[0]

    return cached


def map_batches(function: Callable[[Batch], Output], batches: Iterable[Batch], threads: int) -> Iterator[Output]:
    """Apply ``function`` to batches on ``threads`` threads; yield results in order of the batches.

    At most twice as many batches as threads are in memory at a time, however slow the consumer is.
    """
    if threads <= 1:
        yield from map(function, batches)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="dedup") as pool:
        waiting: deque[Future[Output]] = deque()
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
    function: Callable[[int, int], Output], rows: int, threads: int, *, at_least: int = 1024, at_most: int | None = None
) -> list[Output]:
    """Call ``function(first, last)`` for blocks that cover ``range(rows)``; results in order.

    Blocks are smaller than a thread's share, so that one slow block does not delay the rest.
    """
    block = max(at_least, -(-rows // (threads * 8)))
    block = min(block, at_most) if at_most else block
    starts = range(0, rows, block)
    return list(map_batches(lambda start: function(start, min(start + block, rows)), starts, threads))

"""Runs all index calls on one worker thread, so that the event loop never blocks.

A request that waits too long leaves the queue before it starts: *busy* means that nothing was
changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..errors import DedupError
from .problems import Problem, busy

logger = logging.getLogger(__name__)

T = TypeVar("T")


class IndexWorker:
    """A bounded queue of index calls and the thread that runs them.

    Parameters
    ----------
    most
        Most calls waiting or in progress.
    timeout
        Seconds that a call may wait for its turn.
    """

    def __init__(self, most: int, timeout: float) -> None:
        self._most = most
        self._timeout = timeout
        #: Calls waiting or in progress.
        self.waiting = 0
        #: Whether the last call failed because of the index.
        self.failing = False
        self.open()

    def open(self) -> None:
        """Start the thread, possibly again: a server may restart an application."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dedup-index")
        self.closed = False

    @property
    def full(self) -> bool:
        """Whether the next call would be refused."""
        return self.waiting >= self._most

    async def do(self, work: Callable[[], T], *, within: float | None = None) -> T:
        """Run a function on the worker thread.

        Parameters
        ----------
        work
            Called without arguments; its result is returned.
        within
            Seconds in which it must start; the timeout of the worker if None.

        Raises
        ------
        Problem
            If the queue is full, the call waited too long or the service is shutting down: then it
            was not started. Or if the index fails.
        """
        if self.closed:
            raise closing()
        if self.full:
            raise busy(f"{self.waiting} requests are already waiting for the index. Try again, or send documents in batches.")
        timeout = self._timeout if within is None else within
        self.waiting += 1
        try:
            task = self._thread.submit(self._run, work)
            result = asyncio.wrap_future(task)
            await asyncio.wait({result}, timeout=timeout)
            if not result.done() and task.cancel():
                if self.closed:
                    raise closing()
                raise busy(f"this request could not start within {timeout:g} seconds. Nothing was changed; try again.")
            try:
                return await result
            except asyncio.CancelledError:
                if self.closed and task.cancelled():
                    raise closing() from None
                raise
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish the call in progress and refuse those that wait."""
        self.closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[], T]) -> T:
        try:
            result = work()
        except DedupError as error:
            self.failing = True
            # Documents were validated before, so it is the index that cannot be read or written.
            # The message names folders and hosts, which belong in the log only.
            logger.error("the index failed: %s", error)
            raise Problem("storage", "the index cannot be read or written at present; see the log of the service.") from error
        self.failing = False
        return result


def closing() -> Problem:
    """Make the problem for requests that arrive during shutdown."""
    return Problem("closing", "the service is shutting down. Nothing was changed.", headers={"Connection": "close"})

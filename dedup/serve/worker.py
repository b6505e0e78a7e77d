"""The one place where the index is asked: one request at a time, in a thread of its own, in the order of their coming.

The event loop is never held up by it, so that the service answers for its health while a batch is worked on. A request that
waited too long is taken out of the queue before it was begun: who is told *busy* knows that nothing was done.
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
    """A queue before the index."""

    def __init__(self, most: int, timeout: float) -> None:
        self._most = most
        self._timeout = timeout
        #: Requests that wait or are worked on.
        self.waiting = 0
        #: Whether the index failed when it was last asked.
        self.failing = False
        self.open()

    def open(self) -> None:
        """Begin, or begin again: a server may start an application anew after it has stopped it."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dedup-index")
        self.closed = False

    @property
    def full(self) -> bool:
        """Whether the next request would be sent away."""
        return self.waiting >= self._most

    async def do(self, work: Callable[[], T], *, within: float | None = None) -> T:
        """Do something with the index when its turn has come; ``within`` so many seconds it must have been begun.

        Raises
        ------
        Problem
            If too many wait, it waited too long or the service is being stopped: then it was not begun. Or if the index fails.
        """
        if self.closed:
            raise closing()
        if self.full:
            raise busy(f"{self.waiting} requests wait for the index already. Try again, or send documents in batches.")
        timeout = self._timeout if within is None else within
        self.waiting += 1
        try:
            task = self._thread.submit(self._asked, work)
            result = asyncio.wrap_future(task)
            await asyncio.wait({result}, timeout=timeout)
            if not result.done() and task.cancel():
                if self.closed:
                    raise closing()
                raise busy(f"the index had no time for this request within {timeout:g} seconds. Nothing was done; try again.")
            try:
                return await result
            except asyncio.CancelledError:
                if self.closed and task.cancelled():
                    raise closing() from None
                raise
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish what is begun, send away who waits."""
        self.closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _asked(self, work: Callable[[], T]) -> T:
        try:
            result = work()
        except DedupError as error:
            self.failing = True
            # Documents are looked at before they come here: it is the index that cannot be read or written. The message names
            # folders and hosts, which are for the log.
            logger.error("the index fails: %s", error)
            raise Problem("storage", "the index cannot be read or written at present; the log of the service tells more.") from error
        self.failing = False
        return result


def closing() -> Problem:
    """What is told to those who come too late."""
    return Problem("closing", "the service is being stopped. Nothing was done.", headers={"Connection": "close"})

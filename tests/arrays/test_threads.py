"""Work on threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from dedup.arrays.threads import computed_once


def test_threads_that_ask_at_the_same_time_compute_a_result_once():
    start, calls = Barrier(4), []

    @computed_once
    def load():
        calls.append(1)
        return object()

    def ask(_):
        start.wait()
        return load()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(ask, range(4)))
    assert len(calls) == 1
    assert all(result is results[0] for result in results)


def test_a_failure_is_not_kept():
    attempts = iter([OSError("not yet"), None])

    @computed_once
    def load():
        if (error := next(attempts)) is not None:
            raise error
        return "loaded"

    with pytest.raises(OSError, match="not yet"):
        load()
    assert load() == "loaded"

"""dedup by the same protocol: raw texts in, verified groups out.

Stages inside ``find_copies`` are timed from outside by wrapping the functions it calls. A missing name is left out; its
seconds count as the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dedup
from dedup.batch import corpus
from dedup.copies import find as copies

from . import Answer, Clock

#: Functions that ``find_copies`` calls, and their stages.
_PARTS = [
    (copies, "band_rows", "sign"),
    (copies, "band_candidates", "candidates"),
    (copies, "posting_candidates", "candidates"),
    (copies, "weigh", "weights"),
    (copies, "verify", "verify"),
    (copies, "match_headlines", "headlines"),
    (copies, "choose", "choose survivors"),
    (copies, "measure_covered", "coverage"),
    (copies, "_matches_of_exact_copies", "list exact copies"),
]
#: Parts of the reading stage run in several threads; their seconds are summed over threads.
_THREADED = [
    (corpus, "documents_of", "split pages (threads added)"),
    (corpus, "fingerprint", "fold, shingle, stem (threads added)"),
]


def run(path: str, clock: Clock, threads: int, threshold: float | None = None) -> Answer:
    """See ``Peer``."""
    inside = _Inside()
    config = dedup.Config().replace({"run.threads": threads})
    with inside.timing(_PARTS + _THREADED):
        begun = time.perf_counter()
        result = dedup.find_copies(path, config)
        total = time.perf_counter() - begun
    known = {stage["stage"]: stage["seconds"] for stage in result.manifest["stages"]}
    parts = {stage: inside.seconds[stage] for _, _, stage in _PARTS if stage in inside.seconds}
    clock.seconds |= {"read, fold and shingle": known["read"], **parts}
    clock.seconds["rest of copies"] = max(known["copies"] - sum(parts.values()), 0.0)
    clock.seconds["tables and the rest"] = total - known["read"] - known["copies"]
    return _answer(result, {stage: inside.seconds[stage] for _, _, stage in _THREADED if stage in inside.seconds})


def _answer(result: dedup.Result, details: dict[str, float]) -> Answer:
    """Pairs that are copies, all listed pairs, and copy groups; headlines are left out."""
    ids = result.documents.column("doc_id").to_pylist()
    row_of = {doc_id: row for row, doc_id in enumerate(ids)}
    columns = (result.matches.column(name).to_pylist() for name in ("doc_id_a", "doc_id_b", "kind"))
    listed = [(row_of[a], row_of[b], kind) for a, b, kind in zip(*columns, strict=True) if kind != "title"]
    return Answer(
        len(ids),
        pairs=[(a, b) for a, b, kind in listed if kind != "partial"],
        listed=[(a, b) for a, b, _ in listed],
        labels=result.documents.column("copy_group").to_pylist(),
        ids=ids,
        details=details,
    )


class _Inside:
    """Seconds inside wrapped functions; calls nested in a timed call of the same thread are not counted twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = threading.Lock()
        self._running = threading.local()

    @contextmanager
    def timing(self, targets: list[tuple[Any, str, str]]) -> Iterator[None]:
        """Time these functions, (module or class, name, stage), inside a ``with`` statement."""
        present = [(owner, name, stage, vars(owner)[name]) for owner, name, stage in targets if name in vars(owner)]
        for owner, name, stage, _ in present:
            setattr(owner, name, self._timed(getattr(owner, name), stage))
        try:
            yield
        finally:
            for owner, name, _, original in present:
                setattr(owner, name, original)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._running, "now", False):
                return function(*args, **kwargs)
            self._running.now = True
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._running.now = False
                with self._lock:
                    self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begun

        return call

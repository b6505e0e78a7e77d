"""What the service counts, in the text format of Prometheus."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from ..version import __version__

TEXT = "text/plain; version=0.0.4; charset=utf-8"
#: Seconds; a check takes less than a millisecond, a batch some tenths.
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: Clients can invent methods: no label is made of what they invent.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The numbers of one service; each has its own registry, so that two in a process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("dedup_http_requests", "Requests answered.", ["method", "path", "status"], registry=registry)
        self._seconds = Histogram(
            "dedup_http_request_seconds",
            "From the head of a request to the end of its answer.",
            ["path"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._verdicts = Counter(
            "dedup_verdicts",
            "Verdicts given, those of further documents in a page too; action reject: rows of batches that are no documents.",
            ["call", "action", "kind"],
            registry=registry,
        )
        self.documents = Gauge("dedup_documents", "Documents in the index, copies too.", registry=registry)
        self.waiting = Gauge("dedup_waiting_requests", "Requests that wait for the index or are worked on.", registry=registry)
        self.held = Gauge("dedup_held_bytes", "Bytes of request bodies in memory.", registry=registry)
        Gauge("dedup_version_info", "The version of dedup that runs.", ["version"], registry=registry).labels(__version__).set(1)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request; ``path`` as the routes have it, so that ids make no labels."""
        self._requests.labels(method if method in _METHODS else "other", path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def judged(self, call: str, verdict: dict[str, Any]) -> None:
        """Count a verdict as it is answered, and those of its parts."""
        self._verdicts.labels(call, verdict["action"], verdict.get("kind") or "none").inc()
        for part in verdict.get("parts", ()):
            self.judged(call, part)

    def text(self) -> bytes:
        """All numbers."""
        return generate_latest(self.registry)

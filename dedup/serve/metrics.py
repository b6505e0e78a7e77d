"""Counters and histograms of the service, in the text format of Prometheus."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from ..version import __version__

TEXT = "text/plain; version=0.0.4; charset=utf-8"
#: In seconds: a check takes less than a millisecond, a batch some tenths of a second.
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: Other methods share one label, since clients can invent any number of them.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("dedup_http_requests", "Requests answered.", ["method", "path", "status"], registry=registry)
        self._seconds = Histogram(
            "dedup_http_request_seconds",
            "Time from the headers of a request to the end of its response.",
            ["path"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._verdicts = Counter(
            "dedup_verdicts",
            "Verdicts, including those of further documents found in a page. Action reject counts rejected rows of batches.",
            ["call", "action", "kind"],
            registry=registry,
        )
        self.documents = Gauge("dedup_documents", "Documents in the index, including copies.", registry=registry)
        self.waiting = Gauge("dedup_waiting_requests", "Requests waiting for the index or in progress.", registry=registry)
        self.buffered = Gauge("dedup_held_bytes", "Bytes of request bodies in memory.", registry=registry)
        Gauge("dedup_version_info", "The running version of dedup.", ["version"], registry=registry).labels(__version__).set(1)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request. ``path`` is that of the route: document ids must not become labels."""
        self._requests.labels(method if method in _METHODS else "other", path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def judged(self, call: str, verdict: dict[str, Any]) -> None:
        """Count a verdict and those of its parts."""
        self._verdicts.labels(call, verdict["action"], verdict.get("kind") or "none").inc()
        for part in verdict.get("parts", ()):
            self.judged(call, part)

    def text(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self.registry)

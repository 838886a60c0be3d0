"""Counts and times for Prometheus, in a registry of the server's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_TIMES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH")


class Metrics:
    """What is counted. Labels have few values, whatever clients send: a path that is no route is `other`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.routes: tuple[str, ...] = ()
        of: Any = {"registry": self.registry, "namespace": "textanchor"}
        self._requests = Counter("requests", "Requests answered.", ("route", "method", "status"), **of)
        self._seconds = Histogram("request_seconds", "Time to an answer.", ("route",), buckets=_TIMES, **of)
        self._items = Counter("items", "Items by what became of them.", ("modality", "outcome"), **of)
        self._batch = Histogram("batch_items", "Items encoded together.", ("modality",), buckets=_SIZES, **of)
        self._gauges = of

    def request(self, path: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        route = path if path in self.routes else "other"
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, modality: str, embedded: int, failed: int) -> None:
        """One batch was encoded."""
        self._batch.labels(modality).observe(embedded + failed)
        self._items.labels(modality, "embedded").inc(embedded)
        self._items.labels(modality, "failed").inc(failed)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Something that is read when it is asked for."""
        Gauge(name, meaning, **self._gauges).set_function(read)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def know(self, routes: Sequence[str]) -> None:
        """The paths that get a label of their own."""
        self.routes = tuple(routes)

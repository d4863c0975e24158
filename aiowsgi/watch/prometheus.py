"""The numbers in Prometheus' text format, by prometheus-client, which is the format's own library.

Every label has few values, whatever clients and applications make up (tally.py), and those that are
known are there from the start, so that a rate has something to begin from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from aiowsgi.errors import ConfigError
from aiowsgi.version import __version__
from aiowsgi.watch.numbers import (
    BOUNDS,
    CONNECTIONS,
    DURATION,
    LOOP_LAG,
    MEMORY,
    QUEUE,
    REQUESTS,
    RESTARTS,
    SHED,
    THREADS,
    TIMEOUTS,
    WAIT,
    Numbers,
)

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_COUNTERS = {
    SHED: ("reason", "Requests that were refused, or clients that were cut, for want of room."),
    TIMEOUTS: ("kind", "Deadlines that passed: a client's, or the application's."),
    RESTARTS: ("reason", "Workers that were replaced."),
}
_HISTOGRAMS = {
    DURATION: "From the whole request until the last byte of its response was sent, in seconds.",
    WAIT: "Of this, the time until a thread was free, in seconds.",
}
_GAUGES = {
    QUEUE: ("", "Requests that wait for a thread."),
    THREADS: ("state", "Places for application code, and streams that have given theirs back."),
    CONNECTIONS: ("state", "Open connections of clients."),
    LOOP_LAG: ("", "How late the loop was, in seconds; of several workers the worst."),
    MEMORY: ("", "Resident memory of the processes that serve, in bytes."),
}


class Exposition:
    """Makes the text whenever it is asked for; of the thread that asks."""

    def __init__(self, numbers: Callable[[], Numbers]) -> None:
        """Raises ConfigError where prometheus-client is not installed."""
        try:
            import prometheus_client
            import prometheus_client.core
            import prometheus_client.exposition
        except ImportError:
            raise ConfigError(
                "metrics: prometheus-client is not installed: pip install 'aiowsgi[metrics]'"
            ) from None
        self._numbers = numbers
        self._core: Any = prometheus_client.core
        self._choose: Any = prometheus_client.exposition.choose_encoder
        self._registry = prometheus_client.CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self, accept: str) -> tuple[bytes, str]:
        """The text and its media type, in the version that `accept` (RFC 9110 12.5.1) asks for."""
        encode, kind = self._choose(accept)
        return encode(self._registry), kind

    def collect(self) -> Iterator[Metric]:
        """What the library asks for."""
        numbers, core = self._numbers(), self._core
        yield core.InfoMetricFamily("aiowsgi", "The server.", {"version": __version__})
        yield self._requests(numbers.counters.get(REQUESTS, {}))
        for family, (label, words) in _COUNTERS.items():
            if family in numbers.counters:
                yield self._labelled(
                    core.CounterMetricFamily, family, words, label, numbers.counters[family]
                )
        for family, words in _HISTOGRAMS.items():
            sizes = numbers.buckets.get(family, [0] * (len(BOUNDS) + 1))
            bounds = [*map(str, BOUNDS), "+Inf"]
            yield core.HistogramMetricFamily(
                f"aiowsgi_{family}",
                words,
                buckets=list(zip(bounds, accumulate(sizes), strict=True)),
                sum_value=numbers.seconds.get(family, 0.0),
            )
        for family, (label, words) in _GAUGES.items():
            values = numbers.gauges.get(family, {})
            yield self._labelled(core.GaugeMetricFamily, family, words, label, values)

    def _requests(self, counts: Mapping[str, int]) -> Metric:
        labels = ["method", "status"]
        family = self._core.CounterMetricFamily(
            "aiowsgi_requests", "Requests that are over.", labels=labels
        )
        for label, count in counts.items():
            family.add_metric(label.split(" "), count)
        return family  # type: ignore[no-any-return]

    def _labelled(
        self, kind: Any, family: str, words: str, label: str, values: Mapping[str, float]
    ) -> Metric:
        metric = kind(f"aiowsgi_{family}", words, labels=[label] if label else [])
        for value, count in values.items():
            metric.add_metric([value] if label else [], count)
        return metric  # type: ignore[no-any-return]

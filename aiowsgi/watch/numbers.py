"""What is counted and measured: in one process, or in several together; plain values.

Counters and histograms only grow, and outlive their process in the sum; gauges are of the moment,
and go with it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Final

# Upper bounds of the histograms in seconds; what is longer than the last has a bucket of its own.
BOUNDS: Final[tuple[float, ...]] = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)

# Counters, each with the labels that it is known to have. The label of REQUESTS is a method and a
# status, `none` where no answer was sent.
REQUESTS: Final = "requests"
SHED: Final = "shed"
TIMEOUTS: Final = "timeouts"
RESTARTS: Final = "worker_restarts"  # a supervisor's
KINDS: Final = {
    SHED: ("queue_full", "queue_timeout", "spool_full", "streams_full"),
    TIMEOUTS: ("handshake", "silent", "request", "send", "application", "keep_alive"),
    RESTARTS: ("died", "stuck", "recycled", "reload"),
}
# Histograms.
DURATION: Final = "request_duration_seconds"
WAIT: Final = "queue_duration_seconds"
# Gauges.
QUEUE: Final = "queue_depth"
THREADS: Final = "threads"
CONNECTIONS: Final = "connections"
MEMORY: Final = "memory_bytes"
LOOP_LAG: Final = "loop_lag_seconds"
_OF_THE_WORST = frozenset({LOOP_LAG})  # gauges of which a sum says nothing


@dataclasses.dataclass
class Numbers:
    """Families of values, each by its label; the label of what needs none is empty.

    `buckets` count how many durations were within each of BOUNDS and not within the one before, and
    then the rest; `seconds` are their sums.
    """

    counters: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    buckets: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    gauges: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)

    def count(self, family: str) -> dict[str, int]:
        """The counter of that name, with a zero for each label that is known."""
        known = dict.fromkeys(KINDS.get(family, ()), 0)
        return self.counters.setdefault(family, known)

    def text(self) -> str:
        """One line, which `read` takes."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    def gauge(self, name: str, label: str = "") -> float:
        """The value of one gauge; 0 where it is not known."""
        return self.gauges.get(name, {}).get(label, 0.0)

    def lasting(self) -> Numbers:
        """What of it outlives its process."""
        return Numbers(self.counters, self.buckets, self.seconds)


def read(text: str) -> Numbers:
    """Make the numbers that `text` says.

    Empty where it is not understood: a reload may have brought a worker of another version of us.
    """
    try:
        found = Numbers(**json.loads(text))
        understood = all(len(sizes) == len(BOUNDS) + 1 for sizes in found.buckets.values())
    except (AttributeError, TypeError, ValueError):
        return Numbers()
    return found if understood else Numbers()


def total(parts: Iterable[Numbers]) -> Numbers:
    """Add up; the worst of a gauge whose sum would say nothing."""
    found = Numbers()
    for part in parts:
        for family, counts in part.counters.items():
            _add(found.counters.setdefault(family, {}), counts)
        for family, sizes in part.buckets.items():
            sums = found.buckets.setdefault(family, [0] * len(sizes))
            found.buckets[family] = [a + b for a, b in zip(sums, sizes, strict=True)]
        for family, seconds in part.seconds.items():
            found.seconds[family] = found.seconds.get(family, 0.0) + seconds
        for family, values in part.gauges.items():
            gauges = found.gauges.setdefault(family, {})
            if family in _OF_THE_WORST:
                gauges[""] = max(gauges.get("", 0.0), values.get("", 0.0))
            else:
                _add(gauges, values)
    return found


def _add(
    sums: dict[str, int] | dict[str, float], values: dict[str, int] | dict[str, float]
) -> None:
    for label, value in values.items():
        sums[label] = sums.get(label, 0) + value  # type: ignore[assignment]

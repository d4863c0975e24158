"""The arithmetic of the report: who runs when, ratios round by round, medians, who is ranked.

A machine that others use gets faster and slower while it measures. So servers take turns, A B C
then C B A, and two of them are compared inside one round only: the ratio of a round is of two runs
that lay close together, and the report shows the median of those.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.workloads import Workload

T = TypeVar("T")

OURS = "aiowsgi"
TOLERATED = 0.001  # socket errors per request that a ranked server may have
LIMIT_OF_OTHERS = 0.05  # parts of a core from which a figure is marked as disturbed
LIMIT_OF_LOAD = 0.95  # share of its core from which the load, not the server, is the limit


@dataclass(frozen=True)
class Sample:
    """One server, one workload, one round. Seconds and bytes; None is what does not apply."""

    figure: float = 0.0  # in the unit of the workload's kind
    p50: float | None = None
    p99: float | None = None
    rss: int | None = None
    cpu: float | None = None  # seconds of the server per request
    busy: float | None = None  # share of its core that the load used
    core: float | None = None  # share of its core that the server used
    others: float | None = None  # what other programs took of both cores, in parts of one
    requests: int = 0
    bad_answers: int = 0
    socket_errors: int = 0
    without: float | None = None  # the figure of the same round without the access log
    failure: str = ""  # why there is no figure

    @property
    def fault(self) -> str:
        """Why this sample may not be compared with others, empty where it may."""
        if self.failure:
            return self.failure
        if self.bad_answers:
            return f"{self.bad_answers} answers were errors"
        if self.socket_errors > TOLERATED * self.requests:
            return f"{self.socket_errors} socket errors in {self.requests} requests"
        return ""


@dataclass
class Series:
    """All samples of one workload: by server, then by round; and who sat it out, and why."""

    workload: Workload
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


def order(items: Sequence[T], round_number: int) -> list[T]:
    """A B C in even rounds (from 0), C B A in odd ones: nobody always runs first."""
    return list(items) if round_number % 2 == 0 else list(reversed(items))


def ratios(ours: Sequence[Sample], peer: Sequence[Sample]) -> list[float]:
    """ours / peer for every round in which both have a figure that may be compared."""
    return [
        a.figure / b.figure
        for a, b in zip(ours, peer, strict=False)
        if not a.fault and not b.fault and b.figure > 0
    ]


def median(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> float | None:
    """The median of what the samples without a failure have of it, None where none has any."""
    numbers = [
        number for sample in samples if not sample.failure and (number := value(sample)) is not None
    ]
    return statistics.median(numbers) if numbers else None


def fault(samples: Sequence[Sample]) -> str:
    """One fault in any round takes a server out of the ranking; the first one is named."""
    return next((sample.fault for sample in samples if sample.fault), "")


def ranked(series: Series) -> list[str]:
    """The servers without a fault, the best median first."""
    sound = [name for name, samples in series.samples.items() if samples and not fault(samples)]
    return sorted(
        sound,
        key=lambda name: median(series.samples[name], lambda sample: sample.figure) or 0.0,
        reverse=not series.workload.kind.less_is_better,
    )


def limited_by_load(samples: Sequence[Sample]) -> bool:
    return (median(samples, lambda sample: sample.busy) or 0.0) >= LIMIT_OF_LOAD


def disturbed(samples: Sequence[Sample]) -> bool:
    return (median(samples, lambda sample: sample.others) or 0.0) >= LIMIT_OF_OTHERS


def share(series: Series, name: str) -> float | None:
    """Of the figure without a log, or of the ideal, where the workload has one of the two."""
    samples = series.samples[name]
    if series.workload.ideal:
        ideal = series.workload.ideal
        return median(samples, lambda sample: sample.figure / ideal)
    return median(samples, lambda s: s.figure / s.without if s.without else None)

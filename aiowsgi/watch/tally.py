"""Counts requests where they end, on the pool thread, without a lock.

Each thread has counts of its own, found by its identity and changed by it alone; whoever wants to
know adds them up. The system gives the identity of a thread that has ended to another: that one
goes on with its counts, so that there are never more of them than there were threads at one time.
"""

from __future__ import annotations

from threading import get_ident
from typing import Final

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.numbers import BOUNDS, DURATION, REQUESTS, SHED, TIMEOUTS, WAIT, Numbers

# Anybody may make up a method: the rest of them is one (RFC 9110 9.1).
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
)
_OTHER: Final = "OTHER"


class _Counts:
    """Those of one thread."""

    __slots__ = ("answers", "durations", "incidents", "seconds", "waited", "waits")

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], int] = {}  # method and status, 0 where nothing was sent
        self.durations = [0] * (len(BOUNDS) + 1)
        self.waits = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0  # the sum of the durations
        self.waited = 0.0  # the sum of the waits
        self.incidents: dict[tuple[str, str], int] = {}


class Tally:
    """All counts of a server; any thread."""

    def __init__(self, patience: float | None = None) -> None:
        """`patience`: seconds that an exchange may wait for a thread; None = no limit."""
        self._patience = patience
        self._counts: dict[int, _Counts] = {}

    def answered(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        counts = self._mine()
        answer = exchange.writer.head
        status = 0 if answer is None else answer.status
        _count(counts, exchange.head.method, status)
        queued = exchange.queued
        if not queued:  # answered before it was
            return
        ended = exchange.writer.ended
        wait = (exchange.started or ended) - queued
        counts.waits[_bucket(wait)] += 1
        counts.waited += wait
        if self._patience is not None and wait > self._patience and exchange.started:
            self.note(SHED, "queue_timeout")  # by the thread that took it too late
        counts.durations[_bucket(ended - queued)] += 1
        counts.seconds += ended - queued

    def rejected(self, error: ProtocolError) -> None:
        """Count a request that was refused before it became an exchange."""
        _count(self._mine(), error.line.partition(b" ")[0].decode("latin-1"), error.status)

    def note(self, family: str, kind: str) -> None:
        """Count something that should not happen: SHED or TIMEOUTS, and of what kind."""
        incidents = self._mine().incidents
        incidents[family, kind] = incidents.get((family, kind), 0) + 1

    def numbers(self) -> Numbers:
        """Add up what was counted so far."""
        found = Numbers(
            buckets={name: [0] * (len(BOUNDS) + 1) for name in (DURATION, WAIT)},
            seconds={DURATION: 0.0, WAIT: 0.0},
        )
        requests = found.count(REQUESTS)
        incidents = {family: found.count(family) for family in (SHED, TIMEOUTS)}
        for counts in list(self._counts.values()):
            for (method, status), count in list(counts.answers.items()):
                label = f"{method} {status or 'none'}"
                requests[label] = requests.get(label, 0) + count
            for (family, kind), count in list(counts.incidents.items()):
                incidents[family][kind] = incidents[family].get(kind, 0) + count
            for name, own in ((DURATION, counts.durations), (WAIT, counts.waits)):
                found.buckets[name] = [a + b for a, b in zip(found.buckets[name], own, strict=True)]
            found.seconds[DURATION] += counts.seconds
            found.seconds[WAIT] += counts.waited
        return found

    def _mine(self) -> _Counts:
        thread = get_ident()
        counts = self._counts.get(thread)
        if counts is None:
            counts = self._counts[thread] = _Counts()
        return counts


def _count(counts: _Counts, method: str, status: int) -> None:
    key = (method if method in _METHODS else _OTHER, status)
    answers = counts.answers
    answers[key] = answers.get(key, 0) + 1


def _bucket(seconds: float) -> int:
    """The first bucket whose bound is not below. Most requests are fast, and few steps away."""
    at = 0
    for bound in BOUNDS:
        if seconds <= bound:
            return at
        at += 1
    return at

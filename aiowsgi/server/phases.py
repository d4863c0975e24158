"""The life of a connection: where it is, since when, and what a deadline does to it.

A pure rule, asked once per sweep: no connection and no request needs a timer of its own (S2).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from aiowsgi.errors import ProtocolError

# A body that has been coming for longer than the body timeout must have come at this rate, in
# bytes per second on average: a byte a second is progress, but not a client.
SLOWEST_BODY: Final = 500
# While the server stops, a connection that says nothing is closed after so many seconds.
LAST_CHANCE = 1.0


class Timeouts(NamedTuple):
    """Deadlines of a connection in seconds; None = none."""

    keep_alive: float | None = 75.0
    header: float | None = 30.0
    body: float | None = 30.0
    send: float | None = 30.0
    linger: float = 2.0  # H21
    queue: float | None = None  # from the request to a thread

    def tick(self) -> float:
        """How often to look at the deadlines, in seconds."""
        return often_enough(self)


def often_enough(deadlines: Iterable[float | None]) -> float:
    """How often to look at some deadlines: once a second, oftener where one is shorter."""
    shortest = min((seconds for seconds in deadlines if seconds is not None), default=1.0)
    return min(1.0, max(shortest / 4, 0.02))


class Phase(Enum):
    """Where a connection is in its life."""

    IDLE = "waits for the first byte of a request"
    HEAD = "has begun to read a head"
    BODY = "reads a body to be buffered"
    UNREAD = "drops the rest of a body whose request has its answer"
    EXCHANGE = "has an exchange under way"
    LINGER = "has said its last word and drops what still comes"
    CLOSING = "sends the rest of its last answer"
    CLOSED = "is gone"


class Verdict(Enum):
    """What becomes of a connection at a sweep."""

    FINE = "goes on"
    CLOSE = "is closed without a word"
    REST = "is closed without a word, since it has said none for too long"
    TIMEOUT = "gets a 408 and is closed"
    ABORT = "is cut"


class Life:
    """The phase of one connection, changed by `enter` alone, and its last progress.

    `since` is when the phase began or last made progress, in monotonic seconds; `fresh` until the
    first request has begun.
    """

    __slots__ = ("_pending", "fresh", "phase", "since")

    def __init__(self, now: float) -> None:
        self.phase = Phase.IDLE
        self.since = now
        self.fresh = True
        self._pending = 0

    def enter(self, phase: Phase, now: float) -> None:
        """Go to another phase; a closed connection stays closed."""
        if self.phase is not Phase.CLOSED:
            self.phase = phase
            self.since = now

    def judge(
        self,
        now: float,
        timeouts: Timeouts,
        *,
        draining: bool,
        pending: int,
        body: tuple[float, int],
    ) -> Verdict:
        """The verdict at a sweep.

        `draining`: the server stops. `pending`: bytes that wait for the client to read them; fewer
        than at the last sweep is progress. `body`: when the body began, and its bytes so far.
        """
        if pending != self._pending:
            self._pending, self.since = pending, now
        waited = now - self.since
        if self.phase is Phase.IDLE:
            limit = timeouts.header if self.fresh else timeouts.keep_alive
            if draining:
                limit = LAST_CHANCE if limit is None else min(limit, LAST_CHANCE)
            return _past(waited, limit, Verdict.CLOSE if draining else Verdict.REST)
        if self.phase is Phase.HEAD:
            return _past(waited, timeouts.header, Verdict.TIMEOUT)
        if self.phase is Phase.BODY or self.phase is Phase.UNREAD:
            return _body(now - body[0], body[1], waited, timeouts.body)
        if pending:
            return _past(waited, timeouts.send, Verdict.ABORT)
        if self.phase is Phase.LINGER:
            return _past(waited, timeouts.linger, Verdict.CLOSE)
        return Verdict.FINE

    def rests(self, now: float) -> bool:
        """Whether it may be closed at once where the server stops.

        One that is new or in use may have a request on its way: `judge` gives it a moment.
        """
        return self.phase is Phase.IDLE and not self.fresh and now - self.since > LAST_CHANCE

    def too_slow(self) -> ProtocolError:
        """What a client is told whose time is over."""
        what = "head" if self.phase is Phase.HEAD else "body"
        return ProtocolError(408, f"the {what} of the request came too slowly")


def _body(seconds: float, received: int, waited: float, limit: float | None) -> Verdict:
    if limit is not None and seconds > limit and received < SLOWEST_BODY * seconds:
        return Verdict.TIMEOUT
    return _past(waited, limit, Verdict.TIMEOUT)


def _past(waited: float, limit: float | None, verdict: Verdict) -> Verdict:
    return Verdict.FINE if limit is None or waited <= limit else verdict

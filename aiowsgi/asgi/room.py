"""What all requests of one middleware on one event loop share: dispatcher, budget, sweep.

A host's loop may end without a word to anybody, so a thread that waits asks once a second whether
it is there (A19).
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import NamedTuple

from aiowsgi.bridge.application import Application
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.threads import ThreadSource
from aiowsgi.server.overdue import Overdue
from aiowsgi.server.waking import wake_queue


class Limits(NamedTuple):
    """How many threads, and what waits where: bytes, seconds; None = no limit."""

    threads: int
    max_streams: int
    stream_after: float | None
    request_buffering: bool
    spool_threshold: int
    response_buffer: int
    response_spool: int | None


class Room:
    """Where the requests of one event loop meet the pool; the loop thread's, but for `alive`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        application: Application,
        source: ThreadSource,
        limits: Limits,
        budget: Budget,
        *,
        patience: float,
    ) -> None:
        self.loop = loop
        self.application = application
        self.limits = limits
        self.budget = budget
        self.wakes = wake_queue(loop)
        self.dispatcher = Dispatcher(
            source,
            limits.threads,
            most_streams=limits.max_streams,
            call_soon=loop.call_soon,
            call_later=loop.call_later,
            clock=time.monotonic,
            busy=time.process_time,
            patience=patience,
        )
        self._overdue = Overdue(self.dispatcher, stream_after=limits.stream_after, timeout=None)
        self.dispatcher.spent = partial(self.wakes.put, self._overdue.make_room)
        self._requests = 0
        self._sweeping = False

    # -- any thread --

    def alive(self) -> bool:
        """Whether somebody turns the loop, or will: at the interpreter's exit nobody does."""
        loop = self.loop
        return not loop.is_closed() and (loop.is_running() or self.dispatcher.source.takes_more())

    # -- loop thread --

    def enter(self) -> None:
        """A request is here: it is looked at once a second, as long as there is one."""
        self._requests += 1
        if not self._sweeping:
            self._sweeping = True
            self.loop.call_later(self._overdue.tick(), self._sweep)

    def leave(self) -> None:
        """A request has its response."""
        self._requests -= 1

    def _sweep(self) -> None:
        now = time.monotonic()
        self._overdue.sweep(now)
        self.dispatcher.source.sweep(now)
        self._sweeping = self._requests > 0 or bool(self.dispatcher.running)
        if self._sweeping:
            self.loop.call_later(self._overdue.tick(), self._sweep)

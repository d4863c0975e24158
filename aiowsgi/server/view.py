"""View: what an operator may see of the server of one process; on the loop thread.

It looks when it is asked, and keeps nothing but how late the loop was. Nothing of it needs a pool
thread, so that it answers with all of them stuck (S17).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiowsgi.bridge.exchange import STREAMS
from aiowsgi.server.phases import Phase
from aiowsgi.server.recycling import resident_memory
from aiowsgi.server.service import Service
from aiowsgi.watch.in_flight import in_flight, other_threads, with_stacks
from aiowsgi.watch.numbers import CONNECTIONS, LOOP_LAG, MEMORY, QUEUE, THREADS, Numbers

_SECOND = 1.0  # from one look at the loop to the next
_STATES = {
    Phase.IDLE: "idle",
    Phase.HEAD: "reading",
    Phase.BODY: "reading",
    Phase.UNREAD: "reading",
    Phase.EXCHANGE: "active",
    Phase.LINGER: "closing",
    Phase.CLOSING: "closing",
}


class View:
    """The view of one service, whose application has so many `threads`."""

    def __init__(self, service: Service, threads: int) -> None:
        self._service = service
        self._threads = threads
        self._lag = 0.0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """See once a second how late the loop is, for as long as the block runs."""
        loop = self._service.loop
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal timer
            self._lag = max(0.0, loop.time() - timer.when())
            timer = loop.call_later(_SECOND, look)

        timer = loop.call_later(_SECOND, look)
        try:
            yield
        finally:
            timer.cancel()

    def numbers(self) -> Numbers:
        """What was counted, and how it is now."""
        found = self._service.tally.numbers()
        found.gauges = {
            QUEUE: {"": self._service.dispatcher.waiting},
            THREADS: self._thread_states(),
            CONNECTIONS: self._connection_states(),
            LOOP_LAG: {"": self._lag},
            MEMORY: {"": _memory()},
        }
        return found

    def table(self, *, stacks: bool) -> dict[str, Any]:
        """The requests that are not over; with `stacks` those of their threads, and the others."""
        service, worker = self._service, os.getpid()
        sent = {}
        for connection in service.connections:
            _, exchange, known = connection.look()
            if exchange is not None and known is not None and exchange.done:
                sent[exchange] = known.client(exchange.head)
        waiting = list(service.dispatcher.queue)  # before the running: in_flight.py says why
        running = service.dispatcher.threads
        rows = in_flight(worker, waiting, running, sent, time.monotonic())
        if not stacks:
            return {"requests": [row._asdict() for row in rows.values()]}
        return {
            "requests": [row._asdict() for row in with_stacks(rows, running)],
            "threads": [thread._asdict() for thread in other_threads(worker, running)],
        }

    def _thread_states(self) -> dict[str, float]:
        running = self._service.dispatcher.running
        streams = sum(each.standing == STREAMS for each in running)
        busy = len(running) - streams
        return {"busy": busy, "idle": max(0, self._threads - busy), "streaming": streams}

    def _connection_states(self) -> dict[str, float]:
        states = dict.fromkeys(_STATES.values(), 0.0)
        phases = Counter(connection.look()[0] for connection in self._service.connections)
        for phase, count in phases.items():
            if phase in _STATES:
                states[_STATES[phase]] += count
        return states


def _memory() -> int:
    try:
        return resident_memory()
    except ImportError:  # Windows
        return 0

"""What all connections of one server share: the application, the limits, the time, each other.

Made by Server from its Config; the loop thread's, but for `application`, which pool threads run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple, Protocol
from wsgiref.handlers import format_date_time

from aiowsgi.bridge.application import Application
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.waiting import withdraw
from aiowsgi.bridge.wake import WakeQueue
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.errors import ProtocolError
from aiowsgi.http11.encoder import ResponseEncoder, error_response
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Endpoints, RequestHead, ResponseDefaults
from aiowsgi.server.asked import Routes
from aiowsgi.server.endpoints import Ends
from aiowsgi.server.gate import Gate
from aiowsgi.server.outbound import Outbound
from aiowsgi.server.overdue import Overdue
from aiowsgi.server.phases import Phase, Timeouts
from aiowsgi.watch.numbers import SHED, TIMEOUTS
from aiowsgi.watch.tally import Tally
from aiowsgi.wsgi.environ import Template

logger = logging.getLogger("aiowsgi.error")


class Spooling(NamedTuple):
    """What waits where: bytes in memory, bytes on disk; None = no limit."""

    request_buffering: bool = True
    request_memory: int = 512 * 1024
    response_memory: int = 1024 * 1024
    response_disk: int | None = 256 * 1024 * 1024


class Swept(Protocol):
    """A connection, as the service sees it."""

    def sweep(self, now: float) -> None:
        """Look at the deadline."""

    def drain(self) -> None:
        """Finish what is under way, and close."""

    def abort(self) -> None:
        """Close at once."""

    def look(self) -> tuple[Phase, Exchange | None, Template | None]:
        """Where it is, its exchange, and who its client is."""


class Shown(Protocol):
    """What operators see at the addresses of clients (server.pages.Pages)."""

    def open(self, routes: Routes) -> None:
        """Answer by these from now on."""

    def take(self, transport: asyncio.Transport, head: RequestHead, ends: Ends) -> bool:
        """Whether this request is for them, and its client is theirs from now on."""

    def end_streams(self) -> None:
        """End the answers that would have no end."""

    def close(self) -> None:
        """Cut everybody off."""


class RequestLog(Protocol):
    """Where requests are noted, each once (watch.access_log.AccessLog); any thread's.

    `timed`: whether it wants to know when the first and the last byte of a response were sent.
    """

    @property
    def timed(self) -> bool:
        """Constant."""

    def answered(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that never became an exchange."""

    def close(self) -> None:
        """Write what waits and end."""


class Service:
    """The one object that every connection of a server holds."""

    __slots__ = (
        "_awaited",
        "_clock",
        "_contested",
        "also",
        "application",
        "budget",
        "coming",
        "connections",
        "defaults",
        "dispatcher",
        "draining",
        "gate",
        "leaving",
        "log",
        "loop",
        "now",
        "overdue",
        "pages",
        "reader",
        "shows_date",
        "spooling",
        "tally",
        "timeouts",
        "wakes",
        "when_left",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        application: Application,
        dispatcher: Dispatcher,
        wakes: WakeQueue,
        *,
        reader: HeadReader,
        timeouts: Timeouts,
        spooling: Spooling,
        defaults: ResponseDefaults,
        overdue: Overdue,
        budget: Budget | None = None,
        gate: Gate | None = None,
        tally: Tally | None = None,
        pages: Shown | None = None,
        shows_date: bool = True,
        log: RequestLog | None = None,
    ) -> None:
        self.loop = loop
        self.application = application
        self.dispatcher = dispatcher
        self._awaited = dispatcher.client_awaited
        self._contested = overdue.answers
        self._clock = application.clock if application.timed else None
        self.overdue = overdue
        self.wakes = wakes
        self.reader = reader
        self.timeouts = timeouts
        self.spooling = spooling
        self.budget = budget or Budget()  # that the spools of all clients share
        self.defaults = defaults
        self.tally = tally or Tally()
        self.gate = gate  # None where it would let all through
        self.pages = pages  # None where operators see nothing here
        self.shows_date = shows_date
        self.log = log
        self.connections: set[Swept] = set()
        self.coming = 0  # clients that were accepted and are not among the connections yet
        self.when_left: Callable[[], None] | None = None  # called when there is room again
        self.also: Callable[[], None] | None = None  # what else is to be looked at in a sweep
        self.draining = False  # no new clients; each answer is the last of its connection
        self.leaving = False  # the service ends here soon: readiness fails
        self.now = time.monotonic()  # as of the last sweep: exact enough for a deadline

    def join(self, connection: Swept) -> None:
        """A client is here."""
        self.connections.add(connection)
        if self.coming:
            self.coming -= 1

    def leave(self, connection: Swept) -> None:
        """A client is gone."""
        self.connections.discard(connection)
        if self.when_left is not None:
            self.when_left()

    def template(self, ends: Endpoints, first: RequestHead) -> Template:
        """Make what the environs of a connection have in common, when its first request is here."""
        return self.application.environ.connection(ends, first)

    def exchange(
        self,
        head: RequestHead,
        template: Template,
        wake: Callable[[], None],
        outbound: Outbound,
    ) -> Exchange:
        """Make the exchange of one request, whose pool thread sends by itself where it may."""
        keep_alive = head.keep_alive and not self.draining
        writer = ResponseWriter(
            ResponseEncoder(head.method, head.version, keep_alive, self.defaults),
            wake,
            outbound.direct(),
            memory=self.spooling.response_memory,
            disk=self.spooling.response_disk,
            awaited=self._awaited,
            contested=self._contested,
            budget=self.budget,
            clock=self._clock,
            lock=outbound.lock,
        )
        return Exchange(self.application, head, writer, template, wake)

    def submit(self, exchange: Exchange) -> None:
        """Have it run by the next free thread, or answered right here where it may not be."""
        if self.draining:  # its end, and the connection's, needs a wake-up
            exchange.settle()
        if self.gate is None or self.gate.admits(exchange, leaving=self.leaving):
            self.dispatcher.submit(exchange)

    def abandon(self, exchange: Exchange, unsent: int = 0) -> None:
        """Its client left: the application learns of it, or is not called any more (S7, S9).

        `unsent`: bytes of the response that the loop had taken and that went nowhere.
        """
        exchange.writer.unsent = unsent
        exchange.abandon("the client left")
        if not (exchange.started or exchange.done) and withdraw(self.dispatcher.queue, exchange):
            exchange.skip()

    def refuse(self, error: ProtocolError, client: str) -> bytes:
        """Note a request that will not become an exchange; the answer to it."""
        logger.info("%d to %s: %s", error.status, client or "a local client", error.reason)
        answer = error_response(error.status, self.defaults)
        self.tally.rejected(error)
        if error.status == HTTPStatus.REQUEST_TIMEOUT:
            self.tally.note(TIMEOUTS, "request")
        elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.tally.note(SHED, "spool_full")
        if self.log is not None:
            self.log.rejected(client, error, len(answer))
        return answer

    def close(self) -> None:
        """At the end: cut operators off, note what it has cut, and write what waits."""
        if self.pages is not None:
            self.pages.close()
        self.wakes.run()
        for connection in self.connections:
            exchange = connection.look()[1]
            if exchange is not None and exchange.done:
                exchange.conclude()
        if self.log is not None:
            self.log.close()

    @property
    def busy(self) -> bool:
        """Whether a client is connected or an exchange is under way."""
        return bool(self.connections or self.dispatcher.waiting or self.dispatcher.running)

    def sweep(self) -> None:
        """Look at every deadline, and make the Date field (H12); one timer for all connections."""
        self.now = time.monotonic()
        if self.shows_date:
            self.defaults.tell(f"Date: {format_date_time(time.time())}\r\n")
        for connection in list(self.connections):
            connection.sweep(self.now)
        self.overdue.sweep(self.now)
        self.dispatcher.source.sweep(self.now)
        if self.gate is not None:
            self.gate.sweep(self.now)
        if self.also is not None:
            self.also()

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Sweep for as long as the block runs."""
        tick = min(self.timeouts.tick(), self.overdue.tick())
        timer: asyncio.TimerHandle

        def again() -> None:
            nonlocal timer
            timer = self.loop.call_later(tick, again)
            self.sweep()

        again()
        try:
            yield
        finally:
            timer.cancel()

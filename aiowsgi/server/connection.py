"""Connection: one client socket and its keep-alive life (RFC 9112 9), on the loop thread alone.

It feeds the parser, gives exchanges to the dispatcher one at a time, ends them, and keeps the
deadlines. It may not call the application, wait, or touch what a pool thread owns.

Call flow: data_received -> RequestParser -> Inbound (body) -> Exchange -> Dispatcher;
wake -> woken -> Outbound.pump -> _over -> the next request, or the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, cast

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.writer import Progress
from aiowsgi.errors import ProtocolError
from aiowsgi.http11.messages import RequestHead
from aiowsgi.http11.parser import END, Event, ParserState, RequestParser
from aiowsgi.server.endpoints import Ends, endpoints
from aiowsgi.server.inbound import Inbound
from aiowsgi.server.outbound import Outbound, nothing
from aiowsgi.server.phases import Life, Phase, Verdict
from aiowsgi.server.service import Service
from aiowsgi.watch.numbers import TIMEOUTS
from aiowsgi.wsgi.environ import Template

_WAITING: Final = 64 * 1024  # pipelined bytes kept before reading pauses (H2)
_HIGH_WATER: Final = 64 * 1024  # bytes in the transport before the loop waits for the client


class Connection(asyncio.Protocol):
    """One client; the loop thread's."""

    __slots__ = (
        "_ends",
        "_eof",
        "_exchange",
        "_inbound",
        "_life",
        "_outbound",
        "_parser",
        "_service",
        "_template",
        "_transport",
        "_wake",
    )

    def __init__(self, service: Service, ends: Ends = endpoints) -> None:
        self._service = service
        self._ends = ends
        self._parser = RequestParser(service.reader)
        self._wake: Callable[[], None] = partial(service.wakes.put, self.woken)
        self._exchange: Exchange | None = None
        self._life = Life(service.now)
        self._template: Template | None = None
        self._eof = False

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER, 0)
        self._inbound = Inbound(self._service, self._transport, self._refuse)
        self._outbound = Outbound(self._service.loop, self._transport, self.woken)
        self._service.join(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a request, or of one that must wait for the exchange under way."""
        if self._exchange is not None:
            self._look_whether_over()
        phase = self._life.phase
        if phase is Phase.IDLE and (head := self._parser.whole(data)) is not None:
            self._begin(head)
        elif phase is Phase.LINGER:
            self._inbound.drop_late(data)
        elif phase is not Phase.CLOSING:
            self._take(self._parser.feed(data))

    def eof_received(self) -> bool:
        """The client shut its side; it still gets the answer to what it asked (H19)."""
        self._eof = True
        self._look_whether_over()
        self._expect_no_more()
        return True

    def pause_writing(self) -> None:
        """The client does not read as fast as we send."""
        self._outbound.paused = True

    def resume_writing(self) -> None:
        """The client has read it all."""
        self._outbound.paused = False
        self.woken()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; an exchange under way learns of it (S7)."""
        self._life.enter(Phase.CLOSED, self._service.now)
        self._service.leave(self)
        self._inbound.close()
        exchange = self._exchange
        if exchange is not None:  # even one that is through may have left us something to send
            self._service.abandon(exchange, self._outbound.pending + self._outbound.lost)
        if exchange is not None and not exchange.settle():
            self._outbound.hang_up()  # released when the pool thread is through: `woken`
        else:
            self._release()

    # -- requests --

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is RequestHead:
                self._begin(event)
            elif type(event) is bytes:
                self._life.since = self._service.now
                if not self._inbound.write(event):
                    return
            elif event is END:
                self._end_of_body()
            elif isinstance(event, ProtocolError):
                self._refuse(event)
                return
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Mind what has come of the request after."""
        phase = self._life.phase
        if phase is Phase.IDLE and self._parser.state is ParserState.HEAD:
            self._life.enter(Phase.HEAD, self._service.now)
        elif phase is Phase.EXCHANGE and self._parser.waiting:
            # Its end needs a wake-up; where it is over, later: not thousands of calls deep.
            if self._exchange is not None and self._exchange.settle():
                self._service.loop.call_soon(self.woken)
            if self._parser.waiting > _WAITING:
                self._inbound.pause()

    def _begin(self, head: RequestHead) -> None:
        pages = self._service.pages
        if pages is not None and pages.take(self._transport, head, self._ends):
            self.connection_lost(None)  # for us: it is theirs from now on
            return
        self._life.fresh = False
        if self._inbound.begin(head):
            self._dispatch(head)
        else:
            self._life.enter(Phase.BODY, self._service.now)

    def _end_of_body(self) -> None:
        head = self._inbound.end()
        if head is not None:
            self._dispatch(head)
        elif self._life.phase is Phase.UNREAD:  # it has been dropped (H9)
            self._next()

    def _dispatch(self, head: RequestHead) -> None:
        service = self._service
        if self._template is None:
            self._template = service.template(self._ends(self._transport), head)
        exchange = service.exchange(head, self._template, self._wake, self._outbound)
        self._inbound.hand_over(exchange)
        self._exchange = exchange
        self._life.enter(Phase.EXCHANGE, self._service.now)
        service.submit(exchange)

    def _refuse(self, error: ProtocolError) -> None:
        """Answer a request that will not become an exchange, and hang up (H8)."""
        if self._life.phase is Phase.EXCHANGE:  # a streamed body broke: its reader is told
            self._inbound.cut(error)
            return
        if self._life.phase is Phase.UNREAD:  # of a request that has its answer
            self._transport.abort()
            return
        self._inbound.close()
        self._transport.write(self._service.refuse(error, self._ends(self._transport).client[0]))
        self._hang_up(lingering=True)

    # -- the end of an exchange --

    def woken(self) -> None:
        """A pool thread has something for us, or the client has read: send it on."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._life.phase is Phase.CLOSED:
            if exchange.settle():
                self._release()
            return
        progress = self._outbound.pump(exchange.writer)
        self._life.since = self._service.now
        if progress is Progress.CUT:
            self._outbound.cut(exchange)
        elif progress is Progress.COMPLETE:
            if exchange.settle():
                self._over(exchange)
            elif not exchange.writer.keep_alive and self._life.phase is Phase.EXCHANGE:
                self._hang_up(lingering=self._unread())

    def _look_whether_over(self) -> None:
        """Notice the end of an exchange that needed no wake-up."""
        exchange = self._exchange
        if exchange is not None and exchange.settle() and exchange.writer.sent:
            self._over(exchange)

    def _over(self, exchange: Exchange) -> None:
        """The response is out and the pool thread is through."""
        exchange.conclude()
        if self._life.phase is not Phase.EXCHANGE:  # hung up before the application was through
            return
        self._exchange = None
        if not exchange.writer.keep_alive:
            self._hang_up(lingering=self._unread())
        elif self._parser.state is ParserState.BODY:
            self._inbound.drop()
            self._life.enter(Phase.UNREAD, self._service.now)
        elif self._parser.state is ParserState.CLOSED:
            self._hang_up(lingering=True)
        else:
            self._next()
        if self._eof:  # what has just begun will not be whole either
            self._expect_no_more()

    def _next(self) -> None:
        """Go on with the next request, which may have come already."""
        self._life.enter(Phase.IDLE, self._service.now)
        self._inbound.resume()
        self._take(self._parser.resume())

    # -- the end of a connection --

    def look(self) -> tuple[Phase, Exchange | None, Template | None]:
        """Where it is, its exchange, and who its client is, for who watches."""
        return self._life.phase, self._exchange, self._template

    def sweep(self, now: float) -> None:
        """Act on the deadline of the phase; called once per tick."""
        self._look_whether_over()
        verdict = self._life.judge(
            now,
            self._service.timeouts,
            draining=self._service.draining,
            pending=self._outbound.pending,
            body=(self._inbound.begun, self._inbound.received),
        )
        if verdict is Verdict.REST:
            self._service.tally.note(TIMEOUTS, "silent" if self._life.fresh else "keep_alive")
        if verdict is Verdict.REST or verdict is Verdict.CLOSE:
            self._hang_up(lingering=False)
        elif verdict is Verdict.ABORT:
            self._service.tally.note(TIMEOUTS, "send")
            self._transport.abort()
        elif verdict is Verdict.TIMEOUT:
            self._refuse(self._life.too_slow())
        else:
            self._inbound.sweep(now - self._life.since)

    def drain(self) -> None:
        """The server stops: finish what is under way, and close."""
        if self._life.phase is Phase.EXCHANGE and self._exchange is not None:
            self._exchange.writer.last_answer()
            self._look_whether_over()
        if self._life.rests(self._service.now):
            self._transport.close()

    def abort(self) -> None:
        """The server's patience is over."""
        self._transport.abort()

    def _expect_no_more(self) -> None:
        """The client has shut its side: what is not here will never come."""
        if self._life.phase is Phase.EXCHANGE:
            self._inbound.shut(self._exchange)
        elif self._life.phase is not Phase.CLOSING:
            self._transport.close()

    def _unread(self) -> bool:
        return self._parser.state is ParserState.BODY or bool(self._parser.waiting)

    def _hang_up(self, *, lingering: bool) -> None:
        """Close when the client has the answer; linger where it may still be sending (H21)."""
        if lingering and not self._eof:
            self._life.enter(Phase.LINGER, self._service.now)
            self._inbound.resume()
            with suppress(OSError, NotImplementedError):  # a reset not read yet; TLS has no half
                self._transport.write_eof()
        else:
            self._life.enter(Phase.CLOSING, self._service.now)
            self._transport.close()

    def _release(self) -> None:
        if self._exchange is not None:
            self._exchange.conclude()
        self._exchange = None
        self._wake = nothing  # freed without the garbage collector (S20)
        self._inbound.release()
        self._outbound.release()

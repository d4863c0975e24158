"""The read half of a connection: where the bytes of a request body go, and when reading pauses.

Buffered, they are spooled and the exchange starts when the body is whole (P19: a truncated upload
never starts the application). Streamed, the exchange starts at the head and reads through an
InputStream. Unread, they are dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from aiowsgi.bridge.body_spool import BodySpool
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.input import InputStream
from aiowsgi.errors import ProtocolError
from aiowsgi.http11.encoder import CONTINUE
from aiowsgi.http11.messages import RequestHead
from aiowsgi.server.service import Service
from aiowsgi.watch.numbers import TIMEOUTS

logger = logging.getLogger("aiowsgi.error")

# A streamed body's unread rest up to this size is read and dropped, to keep the connection (H9).
SMALL_REST: Final = 64 * 1024
# Bytes dropped after the last answer before the connection closes (H21).
LATE: Final = 256 * 1024
# So much of a streamed body may always wait in memory, whatever other bodies hold.
WINDOW: Final = 64 * 1024


class Inbound:
    """Collects one body after the other; the loop thread's, but where a method says otherwise."""

    __slots__ = (
        "_asked",
        "_counted",
        "_exchange",
        "_head",
        "_late",
        "_paused",
        "_refuse",
        "_service",
        "_spool",
        "_stream",
        "_transport",
        "begun",
        "received",
    )

    def __init__(
        self,
        service: Service,
        transport: asyncio.Transport,
        refuse: Callable[[ProtocolError], None],
    ) -> None:
        self._service = service
        self._transport = transport
        self._refuse = refuse
        self._head: RequestHead | None = None  # of the request whose body is on its way
        self._exchange: Exchange | None = None  # that reads the stream
        self._spool: BodySpool | None = None
        self._stream: InputStream | None = None
        self._counted = 0  # bytes that the budget has counted for the stream
        self._paused = False
        self._late = 0
        self.received = 0
        self._asked = 0.0  # when the application last waited for more, as of the last sweep
        self.begun = 0.0  # monotonic seconds, as of the last sweep

    def begin(self, head: RequestHead) -> bool:
        """Expect the body of `head`; whether its exchange can start at once."""
        if not (head.chunked or head.content_length):
            return True
        self._head = head
        self.received = 0
        self.begun = self._service.now
        spooling = self._service.spooling
        if not spooling.request_buffering:
            self._stream = InputStream(
                self._demanded, self._window(head), self._service.dispatcher.client_awaited
            )
            return True
        self._spool = BodySpool(spooling.request_memory, self._service.budget)
        if head.expect_continue:  # after what has come with the head, which makes it needless
            self._service.loop.call_soon(self._continue, head)
        return False

    def _window(self, head: RequestHead) -> int:
        """How much of a streamed body may wait; all of it is counted until its exchange ends."""
        most = self._service.spooling.request_memory
        if head.content_length is not None:
            most = min(most, head.content_length)
        if most > WINDOW and not self._service.budget.take_memory(most):
            return WINDOW
        self._counted = most if most > WINDOW else 0
        return self._service.spooling.request_memory

    def write(self, data: bytes) -> bool:
        """Take body bytes; False: the disk has no room for them, and the request is refused."""
        self.received += len(data)
        if self._spool is not None:
            try:
                self._spool.write(data)
            except OSError as error:
                logger.error("A request body could not be spooled: %s", error)
                self._refuse(ProtocolError(503, "no room for the body"))
                return False
        elif self._stream is not None and not self._stream.feed(data):
            self.pause()
        return True

    def end(self) -> RequestHead | None:
        """The body is complete; its head where the exchange may start only now."""
        head, self._head = self._head, None
        if self._stream is not None:
            self._stream.feed_eof()
            self._stream = None
            self.resume()  # the application, which has it all, will not ask: the next request may
        return head if self._spool is not None else None

    def hand_over(self, exchange: Exchange) -> None:
        """Give the exchange what it reads its body from."""
        if self._stream is not None:
            self._exchange = exchange
            exchange.with_stream(self._stream)
            if self._counted:
                give_back = self._service.budget.give_back
                exchange.give_back = partial(give_back, memory=self._counted)
                self._counted = 0
            exchange.writer.restrict(self._small_rest)
        elif self._spool is not None:
            spool, self._spool = self._spool, None
            exchange.with_body(spool.open(), spool.size)
            if spool.counted:
                exchange.give_back = spool.close

    def cut(self, error: ProtocolError) -> None:
        """The rest of the body will never come; its reader is told, and may still answer."""
        if self._stream is not None:
            if self._exchange is not None:
                self._exchange.refusal = error.status
            self._stream.abort(error.reason)
            self._stream = None

    def shut(self, exchange: Exchange | None) -> None:
        """The client has shut its side: what is not here will never come; it may still read."""
        if exchange is not None:
            exchange.shut()
        self.cut(ProtocolError(400, "the client closed before the end of the body"))

    def drop(self) -> None:
        """Drop what still comes of this body: its exchange is over."""
        self._stream = self._exchange = None
        self.resume()

    def drop_late(self, data: bytes) -> None:
        """Drop what comes after the last answer, and cut a client that never ends (H21)."""
        self._late += len(data)
        if self._late > LATE:
            self._transport.abort()

    def close(self) -> None:
        """The connection is over."""
        self.cut(ProtocolError(400, "the client left before the body was complete"))
        self._head = self._exchange = None
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def release(self) -> None:
        """Let go of the connection, which is gone."""
        self._refuse = _nobody

    def sweep(self, waited: float) -> None:
        """Where the application waits for a streamed body, the body's deadline holds too (S2)."""
        limit = self._service.timeouts.body
        waited = min(waited, self._service.now - self._asked)  # nobody is late before
        if limit is not None and waited > limit and self._stream and self._stream.starving:
            self._service.tally.note(TIMEOUTS, "request")
            self.cut(ProtocolError(408, "the body came too slowly"))

    # -- reading --

    def pause(self) -> None:
        """Read no more for now."""
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _continue(self, head: RequestHead) -> None:
        """Ask for the body of a request that waits for 100 Continue, where none came yet (P42)."""
        if self._head is head and not self.received and not self._transport.is_closing():
            self._transport.write(CONTINUE)

    def _supply(self) -> None:
        """The application waits: ask for more."""
        exchange = self._exchange
        if exchange is not None and self._stream is not None:
            self._asked = self._service.now
            if exchange.head.expect_continue and exchange.writer.head is None:
                self._continue(exchange.head)
            self.resume()

    # -- pool thread --

    def _demanded(self) -> None:
        """The application waits for more of a streamed body."""
        self._service.wakes.put(self._supply)

    def _small_rest(self) -> bool:
        """Whether what is still to come of a streamed body is little enough to be read and dropped.

        Asked when the response starts: a guess that may be overtaken, and then costs a connection.
        """
        head = self._head
        if head is None:
            return True
        if head.content_length is None or (head.expect_continue and not self.received):
            return False
        return head.content_length - self.received <= SMALL_REST


def _nobody(error: ProtocolError) -> None:
    """There is nobody left to refuse."""

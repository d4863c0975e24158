"""The body of one request of an ASGI host, on its way from `receive()` to `wsgi.input`.

Up to `spool_threshold` it is always whole before a thread is taken, so that a slow upload costs
none. A longer one is spooled on to its end or, without `request_buffering`, streamed with
back-pressure: `receive()` is not called while the application has enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aiowsgi.asgi.room import Room
from aiowsgi.bridge.body_spool import BodySpool
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.input import InputStream
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.messages import RequestHead


class RequestBody:
    """Collects one body; the loop thread's, but for `_demanded`."""

    def __init__(self, room: Room, head: RequestHead) -> None:
        self.head = head
        self.whole = False  # all of it is here
        self._room = room
        self._spool: BodySpool | None = None  # made by the first byte
        self._stream: InputStream | None = None
        self._wanted: asyncio.Future[None] | None = None  # done when the application asks for more
        self._left = head.content_length  # bytes still to come, where that was said

    @property
    def ready(self) -> bool:
        """Whether the application may start, though not all of it is here."""
        return self._stream is not None

    async def receive(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bool:
        """Take one message; whether more of the body is to come.

        Raises OSError where there is no room for the body, ClientDisconnected where it is not as
        long as was said.
        """
        if self._wanted is not None:
            await self._wanted
            self._wanted = None
        message = await receive()
        if message["type"] == "http.disconnect":
            self.cut("the client left before the body was complete")
            return False
        data = message.get("body") or b""
        if data:
            self._take(bytes(data))
        if message.get("more_body"):
            return True
        if self._left:  # the host let a truncated body pass, or one was changed on its way (P19)
            reason = "the body has not the length that its Content-Length says"
            self.cut(reason)
            raise ClientDisconnected(reason)
        self.whole = True
        if self._stream is not None:
            self._stream.feed_eof()
        return False

    def _take(self, data: bytes) -> None:
        if self._left is not None:
            self._left -= len(data)
        if self._stream is not None:
            self._feed(self._stream, data)
            return
        limits = self._room.limits
        if self._spool is None:
            self._spool = BodySpool(limits.spool_threshold, self._room.budget)
        if limits.request_buffering or self._spool.size + len(data) <= limits.spool_threshold:
            self._spool.write(data)
            return
        self._stream = InputStream(
            self._demanded,
            limits.spool_threshold,
            self._room.dispatcher.client_awaited,
            self._room.alive,
        )
        before = self._spool.open().read()
        self._spool.close()
        self._spool = None
        self._feed(self._stream, before + data)

    def _feed(self, stream: InputStream, data: bytes) -> None:
        if not stream.feed(data):
            self._wanted = self._room.loop.create_future()

    def hand_over(self, exchange: Exchange) -> None:
        """Give the exchange what it reads its body from."""
        if self._stream is not None:
            exchange.with_stream(self._stream)
        elif self._spool is not None:
            spool, self._spool = self._spool, None
            exchange.with_body(spool.open(), spool.size)
            if spool.counted:
                exchange.give_back = spool.close

    def cut(self, reason: str) -> None:
        """The rest will never come; its reader is told (P19)."""
        if self._stream is not None:
            self._stream.abort(reason)

    def close(self) -> None:
        """Nobody wants it any more."""
        self.cut("the request is over")
        self._stream = None  # which has us called: a cycle
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _supply(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)

    # -- pool thread --

    def _demanded(self) -> None:
        """The application waits for more."""
        self._room.wakes.put(self._supply)

"""The connections of operators: metrics, the status page, the control socket; on a loop thread.

HTTP with the parser and the encoder that clients get, and nothing else of theirs: no pool thread,
no queue, no limit that an overload of the application could reach (S17). A site is a table of
routes and who is connected to it. Answers are never stored by anybody.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address
from typing import Any, cast

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.encoder import ResponseEncoder, error_response
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead, ResponseDefaults, ResponseHead
from aiowsgi.http11.parser import END, RequestParser
from aiowsgi.server.asked import OK, TEXT, Asked, Fields, Question, Routes, Status, answer_by
from aiowsgi.server.audience import is_local
from aiowsgi.server.sockets import Listener

_MOST_CLIENTS = 100
_IDLE = 120.0  # seconds that a client may be silent
_BEHIND = 1024 * 1024  # bytes that a client of a stream may leave unread
_FIELDS = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_DEFAULTS = ResponseDefaults()


class _AskedHere(Asked):
    """A request on a connection of this process."""

    def __init__(self, connection: AdminConnection, head: RequestHead, path: str) -> None:
        accept, host = head.fields.get("HTTP_ACCEPT", ""), head.fields.get("HTTP_HOST", "")
        method = "GET" if head.method == "HEAD" else head.method
        super().__init__(Question(method, path, head.query, accept, host))
        self._connection = connection
        keep_alive = head.keep_alive and not connection.borrowed
        self._encoder = ResponseEncoder(head.method, head.version, keep_alive, _DEFAULTS)

    def answer(
        self, body: bytes, kind: str, *, status: Status = OK, fields: Fields | None = None
    ) -> None:
        lines = [("Content-Type", kind), *_FIELDS, *(fields or ())]
        self._connection.send(self._encoder.whole(ResponseHead(*status, lines), [body]))
        self._connection.over(keep_alive=self._encoder.keep_alive)

    def stream(self, kind: str) -> Callable[[bytes], bool]:
        start = self._encoder.start(ResponseHead(200, "OK", [("Content-Type", kind), *_FIELDS]))
        self._connection.send([start])
        if self._encoder.bodiless:  # asked by HEAD
            self._connection.over(keep_alive=self._encoder.keep_alive)
            return lambda _: False
        self._connection.streams(self._encoder.end)

        def send(piece: bytes) -> bool:
            return self._connection.send(self._encoder.data(piece))

        return send


class Site:
    """Some routes, and who is connected to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, routes: Routes) -> None:
        self.loop = loop
        self.routes = routes
        self.reader = HeadReader(Limits(head=16 * 1024, body=0), FieldNames())
        self.clients: set[AdminConnection] = set()
        self.ending = False  # no stream begins, or goes on

    def answer(self, asked: Asked) -> None:
        """Answer a request, or have it answered."""
        answer_by(self.routes, asked)

    def end_streams(self) -> None:
        """End the answers that would have no end."""
        self.ending = True
        for client in list(self.clients):
            client.end_stream()

    def close(self) -> None:
        """Cut everybody off."""
        for client in list(self.clients):
            client.abort()


class ListeningSite(Site):
    """A site with an address of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: Listener, routes: Routes) -> None:
        super().__init__(loop, routes)
        self.listener = listener
        # Only this machine can connect there, and so can any page in its browsers.
        self._loopback = not listener.unix and _is_loopback(listener.url.partition("//")[2])
        self._accepting: asyncio.AbstractServer | None = None

    def answer(self, asked: Asked) -> None:
        """Answer a request, but for one from a page that has another name for this address."""
        if self._loopback and not is_local(asked.host):
            asked.answer(b"Misdirected Request\n", TEXT, status=(421, "Misdirected Request"))
        else:
            super().answer(asked)

    async def open(self) -> None:
        """Accept from now on."""
        self.listener.socket.setblocking(False)
        create: Callable[..., Awaitable[asyncio.AbstractServer]] = self.loop.create_server
        if self.listener.unix:
            create = self.loop.create_unix_server
            if sys.version_info >= (3, 13):  # the file is the listener's to remove (S15)
                create = partial(create, cleanup_socket=False)
        # A duplicate: the loop closes the one that it is given.
        self._accepting = await create(
            partial(AdminConnection, self), sock=self.listener.socket.dup()
        )

    def close(self) -> None:
        """Accept no more, cut everybody off, and remove the socket's file."""
        if self._accepting is not None:
            self._accepting.close()
        super().close()
        self.listener.close()


class AdminConnection(asyncio.Protocol):
    """One operator's client; a request at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._parser = RequestParser(site.reader)
        self._head: RequestHead | None = None  # of the request that is on its way
        self._timer: asyncio.TimerHandle | None = None
        self._last: Callable[[], bytes] | None = None  # of a stream: what ends it
        self.borrowed = False  # its one request came in elsewhere

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._site.clients) >= _MOST_CLIENTS:
            self._transport.abort()
            return
        self._site.clients.add(self)
        self._wait()

    def take_over(self, transport: asyncio.Transport, head: RequestHead, path: str) -> None:
        """Answer a client of somebody else's, whose connection ends with that.

        `path`: what is asked for, by the name that it has here.
        """
        self.borrowed = True
        transport.set_protocol(self)
        self.connection_made(transport)
        if not transport.is_closing():
            self._wait_no_more()
            self._site.answer(_AskedHere(self, head, path))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._site.clients.discard(self)
        self._wait_no_more()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request came; after the one of a borrowed connection nobody wants more."""
        if self.borrowed:
            return
        if self._parser.waiting + len(data) > _BEHIND:
            self.abort()
            return
        self._take(self._parser.feed(data))

    def send(self, buffers: Any) -> bool:
        """Send some bytes; False where nobody takes them."""
        if self._transport.is_closing():
            return False
        self._transport.writelines(buffers)
        if self._transport.get_write_buffer_size() > _BEHIND:
            self.abort()
        return not self._transport.is_closing()

    def streams(self, last: Callable[[], bytes]) -> None:
        """What follows has no end; where it is ended all the same, by what `last` returns."""
        self._last = last
        if self._site.ending:
            self.end_stream()

    def end_stream(self) -> None:
        """End a stream, and the connection with it."""
        if self._last is not None:
            self.send([self._last()])
            self._transport.close()

    def over(self, *, keep_alive: bool) -> None:
        """The answer is out: go on with the next request, in a turn of its own, or close."""
        self._wait()  # for it to read, too
        if not keep_alive:
            self._transport.close()
            return
        self._site.loop.call_soon(self._go_on)

    def abort(self) -> None:
        """Cut it."""
        self._transport.abort()

    def _go_on(self) -> None:
        self._take(self._parser.resume())

    def _take(self, events: list[Any]) -> None:
        for event in events:
            if type(event) is RequestHead:
                self._head = event
            elif isinstance(event, ProtocolError):
                self._transport.write(error_response(event.status, _DEFAULTS))
                self._transport.close()
            elif event is END:
                self._end()

    def _end(self) -> None:
        self._wait_no_more()
        head, self._head = self._head, None
        if head is not None:
            self._site.answer(_AskedHere(self, head, head.path))

    def _wait(self) -> None:
        self._wait_no_more()
        self._timer = self._site.loop.call_later(_IDLE, self.abort)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False

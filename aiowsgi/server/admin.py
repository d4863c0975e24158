"""The listeners for operators: metrics, the status page, the control socket; on a loop thread.

HTTP with the parser and the encoder that clients get, and nothing else of theirs: no pool thread,
no queue, no limit that an overload of the application could reach (S17). A site is a table of
routes; a route may answer at once, later, or bit by bit. Answers are never stored by anybody.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import parse_qsl

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.encoder import ResponseEncoder, error_response
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead, ResponseDefaults, ResponseHead
from aiowsgi.http11.parser import END, RequestParser
from aiowsgi.server.sockets import Listener

_MOST_CLIENTS = 100
_IDLE = 120.0  # seconds that a client may be silent
_BEHIND = 1024 * 1024  # bytes that a client of a stream may leave unread
_FIELDS = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_DEFAULTS = ResponseDefaults()

JSON, TEXT, EVENTS = "application/json", "text/plain; charset=utf-8", "text/event-stream"


class Asked:
    """One request of an operator: `answer` it once, or `stream` to it."""

    def __init__(self, connection: _AdminConnection, head: RequestHead) -> None:
        self._connection = connection
        self.path = head.path
        self.query = dict(parse_qsl(head.query, keep_blank_values=True))
        self.accept = head.fields.get("HTTP_ACCEPT", "")
        keep_alive = head.keep_alive
        self._encoder = ResponseEncoder(head.method, head.version, keep_alive, _DEFAULTS)

    def answer(
        self,
        body: bytes,
        kind: str,
        *,
        status: tuple[int, str] = (200, "OK"),
        fields: list[tuple[str, str]] | None = None,
    ) -> None:
        """Send the whole answer; `kind` is its media type."""
        lines = [("Content-Type", kind), *_FIELDS, *(fields or ())]
        self._connection.send(self._encoder.whole(ResponseHead(*status, lines), [body]))
        self._connection.over(keep_alive=self._encoder.keep_alive)

    def answer_json(self, value: Any, status: tuple[int, str] = (200, "OK")) -> None:
        """Send a value as JSON."""
        self.answer(json.dumps(value).encode() + b"\n", JSON, status=status)

    def refuse(self, message: str) -> None:
        """Say why what was asked for is not done."""
        self.answer_json({"error": message}, (409, "Conflict"))

    def stream(self, kind: str) -> Callable[[bytes], bool]:
        """Begin an answer without an end; what sends a piece of it, and says whether to go on."""
        start = self._encoder.start(ResponseHead(200, "OK", [("Content-Type", kind), *_FIELDS]))
        self._connection.send([start])
        if self._encoder.bodiless:  # asked by HEAD
            self._connection.over(keep_alive=self._encoder.keep_alive)
            return lambda _: False

        def send(piece: bytes) -> bool:
            return self._connection.send(self._encoder.data(piece))

        return send


Route = Callable[[Asked], None]
# By method and path; a path that ends in /* takes whatever follows.
Routes = Mapping[tuple[str, str], Route]


class Site:
    """The routes of one listener, and who is connected."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: Listener, routes: Routes) -> None:
        self.loop = loop
        self.listener = listener
        self._routes = routes
        # Only this machine can connect there, and so can any page in its browsers.
        self._loopback = not listener.unix and _is_loopback(listener.url.partition("//")[2])
        self._accepting: asyncio.AbstractServer | None = None
        self.reader = HeadReader(Limits(head=16 * 1024, body=0), FieldNames())
        self.clients: set[_AdminConnection] = set()

    def answer(self, asked: Asked, head: RequestHead) -> None:
        """Find the route of a request."""
        if self._loopback and not _is_local(head.fields.get("HTTP_HOST", "")):
            # Another name for this address is how a page from elsewhere would read ours.
            asked.answer(b"Misdirected Request\n", TEXT, status=(421, "Misdirected Request"))
            return
        stem = head.path.rpartition("/")[0]
        method = "GET" if head.method == "HEAD" else head.method
        route = self._routes.get((method, head.path)) or self._routes.get((method, stem + "/*"))
        if route is None:
            asked.answer(b"Not Found\n", TEXT, status=(404, "Not Found"))
        else:
            route(asked)

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
            partial(_AdminConnection, self), sock=self.listener.socket.dup()
        )

    def close(self) -> None:
        """Accept no more, cut everybody off, and remove the socket's file."""
        if self._accepting is not None:
            self._accepting.close()
        for client in list(self.clients):
            client.abort()
        self.listener.close()


class _AdminConnection(asyncio.Protocol):
    """One operator's client; a request at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._parser = RequestParser(site.reader)
        self._head: RequestHead | None = None  # of the request that is on its way
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if len(self._site.clients) >= _MOST_CLIENTS:
            self._transport.abort()
            return
        self._site.clients.add(self)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._site.clients.discard(self)
        self._wait_no_more()

    def data_received(self, data: bytes) -> None:
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

    def over(self, *, keep_alive: bool) -> None:
        """The answer is out: go on with the next request, in a turn of its own, or close."""
        if not keep_alive:
            self._transport.close()
            return
        self._wait()
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
            self._site.answer(Asked(self, head), head)

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


def _is_local(host: str) -> bool:
    """Whether this name of a host (with a port) is an address, or this machine's own name."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").lower()
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return False

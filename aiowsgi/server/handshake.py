"""How clients come through TLS, under one deadline (S16); on the loop thread.

No pool thread ever meets a client that has not finished a handshake. Before it begins, the first
bytes are looked at where they are, in the socket: a client that speaks HTTP is told so, in plain
HTTP, and one that leaves without a word, as a balancer's check does, is no failure of anybody.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiowsgi.errors import ProtocolError
from aiowsgi.server.alerts import newcomer
from aiowsgi.server.certificates import Certificates
from aiowsgi.server.connection import Connection
from aiowsgi.server.inbound import LATE
from aiowsgi.server.service import Service
from aiowsgi.watch.numbers import TIMEOUTS

logger = logging.getLogger("aiowsgi.error")

_LONGEST = 60.0  # seconds for a handshake where the operator sets no limit, as asyncio
_ALMOST_NOTHING = 0.001  # a deadline that is over; asyncio takes no zero
_LOOK = 2048  # bytes: the beginning of a request line
# A record of TLS begins with its type, a number below 32; a request with a letter or an empty line.
_NOT_HTTP = b"\x16"
_TOO_LONG = (asyncio.TimeoutError, ConnectionAbortedError)  # ours, and the loop's word for it
_speaks_http = re.compile(rb"[A-Za-z\r\n]").match


class Handshake:
    """Takes clients through TLS; the loop thread's.

    `patience`: seconds for a whole handshake, `parting`: for the end of TLS; None = as asyncio.
    """

    def __init__(
        self,
        service: Service,
        certificates: Certificates,
        patience: float | None,
        parting: float | None,
    ) -> None:
        self._service = service
        self._loop = service.loop
        self._certificates = certificates
        self._patience = _LONGEST if patience is None else patience
        self._parting = parting

    def arguments(self) -> dict[str, Any]:
        """What the loop wants to know of TLS where it takes a client."""
        found = {"ssl": self._certificates.context, "ssl_handshake_timeout": self._patience}
        if sys.version_info >= (3, 11):
            found["ssl_shutdown_timeout"] = self._parting
        return found

    async def take(self, make: Callable[[], Connection], client: socket.socket) -> None:
        """Return when the client is through, and `make` was called, or it was closed."""
        deadline = self._loop.time() + self._patience
        address = _address(client)
        try:
            first = await self._first(client, deadline)
            if not first:
                client.close()
            elif _speaks_http(first):
                await self._refuse(client, address, first)
            else:
                await self._shake_hands(make, client, deadline)
        except (OSError, asyncio.TimeoutError) as error:
            client.close()
            if isinstance(error, _TOO_LONG):
                self._service.tally.note(TIMEOUTS, "handshake")
            logger.info("No TLS with %s: %s", address or "a local client", _why(error))
        except BaseException:
            client.close()
            raise

    async def _first(self, client: socket.socket, deadline: float) -> bytes:
        """Look at what the client says first and leave it there; nothing where it has left."""
        while True:
            with suppress(BlockingIOError):
                return client.recv(_LOOK, socket.MSG_PEEK)
            readable = self._loop.create_future()
            try:
                self._loop.add_reader(client, _set, readable)
            except NotImplementedError:  # Windows
                return _NOT_HTTP
            try:
                await asyncio.wait_for(readable, self._left(deadline))
            finally:
                self._loop.remove_reader(client)

    async def _shake_hands(
        self, make: Callable[[], Connection], client: socket.socket, deadline: float
    ) -> None:
        newcomer.set(client)
        arguments = {**self.arguments(), "ssl_handshake_timeout": self._left(deadline)}
        await self._loop.connect_accepted_socket(make, client, **arguments)

    async def _refuse(self, client: socket.socket, address: str, first: bytes) -> None:
        """Answer in plain HTTP, and have the client read it before the end (H21)."""
        line = first.partition(b"\r\n")[0]
        error = ProtocolError(400, "a client speaks HTTP to an HTTPS port", line)
        answer = self._service.refuse(error, address)
        with client, suppress(OSError, asyncio.TimeoutError):
            client.send(answer)  # whole: nothing is before it
            client.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(self._drop(client), self._service.timeouts.linger)

    async def _drop(self, client: socket.socket) -> None:
        dropped = 0
        while dropped < LATE and (data := await self._loop.sock_recv(client, LATE)):
            dropped += len(data)

    def _left(self, deadline: float) -> float:
        return max(deadline - self._loop.time(), _ALMOST_NOTHING)


def _set(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


def _address(client: socket.socket) -> str:
    """The client's, for the log; empty for a unix socket, or one that has left already."""
    with suppress(OSError):
        name = client.getpeername()
        return str(name[0]) if isinstance(name, tuple) else ""
    return ""


def _why(error: BaseException) -> str:
    """What went wrong, in the words of OpenSSL where it has some."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, _TOO_LONG):
        return "the handshake took too long"
    return "the client left in the middle of the handshake"

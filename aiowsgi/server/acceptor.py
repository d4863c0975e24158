"""From listening sockets to connections, over TLS or not; on the loop thread.

No client is lost at the end: what the kernel, the loop or a handshake had already accepted when the
server was told to stop is served (S8). A handshake is a task of ours, since asyncio tells nobody of
those that are under way or have failed.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from aiowsgi.server.connection import Connection
from aiowsgi.server.service import Service
from aiowsgi.server.sockets import Listener
from aiowsgi.server.tls import SecureConnection

logger = logging.getLogger("aiowsgi.error")

_TURNS = 5  # of the loop; asyncio needs three from accept to connection_made
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_REST = 1.0  # seconds until we accept again where the system had nothing left, as asyncio


class Acceptor:
    """Takes clients in for one server; the loop thread's.

    `tls` is what `tls.arguments` returned.
    """

    def __init__(self, service: Service, tls: dict[str, Any]) -> None:
        self._service = service
        self._loop = service.loop
        self._tls = tls
        self._connection: Callable[[], Connection] = partial(
            SecureConnection if tls else Connection, service
        )
        self._accepting: list[asyncio.AbstractServer] = []
        self._watched: set[socket.socket] = set()
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def shaking_hands(self) -> bool:
        """Whether a client that was accepted is not through its handshake yet."""
        return bool(self._handshakes)

    async def open(self, listener: Listener, backlog: int) -> None:
        """Accept on this socket from now on."""
        listener.socket.setblocking(False)
        if self._tls and self._watch(listener.socket):
            return
        # A duplicate: the loop closes the one it is given, and we drain the queue of ours (S8).
        own = listener.socket.dup()
        own.setblocking(False)
        create: Callable[..., Awaitable[asyncio.AbstractServer]] = (
            self._loop.create_unix_server if listener.unix else self._loop.create_server
        )
        self._accepting.append(
            await create(self._connection, sock=own, backlog=backlog, **self._tls)
        )

    async def take(self, client: socket.socket) -> None:
        """Serve a client that was accepted elsewhere; returns when it is through its handshake."""
        client.setblocking(False)
        with suppress(OSError):  # a handshake that failed; the connection is closed
            await self._loop.connect_accepted_socket(self._connection, client, **self._tls)

    async def take_waiting(self, listener: Listener, go_on: Callable[[], bool]) -> None:
        """Accept what the kernel has already accepted for us: those clients have sent requests."""
        while go_on():
            try:
                client, _ = listener.socket.accept()
            except OSError:
                return
            if self._tls:
                self._shake_hands(client)
            else:
                await self.take(client)

    async def accept_no_more(self) -> None:
        """Have the loop stop accepting, and tell us of all that it has accepted.

        asyncio drops a connection, unanswered and open, where its server is closed in the turns
        between accept and connection_made: it has to stop looking first.
        """
        self._look_away()
        for accepting in self._accepting:
            for listening in getattr(accepting, "sockets", ()):
                with suppress(NotImplementedError):  # Windows
                    self._loop.remove_reader(listening.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._close()

    def give_up(self) -> None:
        """Accept nobody, and cut who is not through the handshake."""
        self._look_away()
        self._close()
        for task in self._handshakes:
            task.cancel()

    # -- TLS --

    def _watch(self, listening: socket.socket) -> bool:
        """Accept by ourselves; False where the loop cannot tell us when (Windows)."""
        try:
            self._loop.add_reader(listening, self._accept, listening)
        except NotImplementedError:
            return False
        self._watched.add(listening)
        return True

    def _accept(self, listening: socket.socket) -> None:
        """Accept one client; one in a turn of the loop, so that others have theirs."""
        try:
            client, _ = listening.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                logger.warning("Cannot accept for a moment: %s", error.strerror)
                self._loop.remove_reader(listening)
                self._loop.call_later(_REST, self._look_again, listening)
            return
        self._shake_hands(client)

    def _look_again(self, listening: socket.socket) -> None:
        if listening in self._watched:
            self._watch(listening)

    def _look_away(self) -> None:
        while self._watched:
            self._loop.remove_reader(self._watched.pop())

    def _shake_hands(self, client: socket.socket) -> None:
        task = self._loop.create_task(self.take(client))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    def _close(self) -> None:
        for accepting in self._accepting:
            accepting.close()

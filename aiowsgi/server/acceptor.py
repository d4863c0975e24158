"""From listening sockets to connections, over TLS or not; on the loop thread.

No client is lost at the end: what the kernel, the loop or a handshake had already accepted when the
server was told to stop is served (S8). A handshake is a task of ours, since asyncio tells nobody of
those that are under way or have failed.

Where as many connections are open as may be, nothing is accepted until one closes: clients wait in
the kernel's queue. The loop's own way of accepting is the fastest, and cannot be paused: it is left
for good when that happens for the first time, and from then on we accept by ourselves.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from aiowsgi.server.connection import Connection
from aiowsgi.server.door import EXHAUSTED, Door, asks
from aiowsgi.server.handshake import Handshake
from aiowsgi.server.proxied import ProxyProtocol
from aiowsgi.server.secure import SecureConnection
from aiowsgi.server.service import Service
from aiowsgi.server.sockets import Listener

logger = logging.getLogger("aiowsgi.error")

# uvloop accepts one client of each socket in a turn: with several of one, a crowd comes in at once.
_DOORS = 4
_TURNS = 5  # of the loop; asyncio needs three from accept to connection_made
_SILENCE = 60.0  # seconds from one line in the log that says that clients wait to the next
_REST = 1.0  # seconds until we accept again where the system had nothing left, as asyncio


class Acceptor:
    """Takes clients in for one server; the loop thread's.

    `tls`: how clients come through it, None for plain HTTP; `limit`: how many connections may be
    open, None = any; `proxies`: None where no client comes with a PROXY header.
    """

    def __init__(
        self,
        service: Service,
        tls: Handshake | None = None,
        limit: int | None = None,
        proxies: ProxyProtocol | None = None,
    ) -> None:
        self._service = service
        self._loop = service.loop
        self._tls = tls
        self._proxies = proxies
        self._connection: Callable[..., Connection] = partial(
            Connection if tls is None else SecureConnection, service
        )
        self._limit = limit
        # No more than the limit, which they may pass in one turn else.
        self._doors = 1 if asks(self._loop) else min(_DOORS, limit or _DOORS)
        self._listening: list[socket.socket] = []
        self._paused = False
        self._told = -_SILENCE  # when it was last said that clients wait, in monotonic seconds
        self._accepting: list[asyncio.AbstractServer] = []
        self._watched: set[socket.socket] = set()
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def shaking_hands(self) -> bool:
        """Whether a client that was accepted is not through its handshake yet."""
        return bool(self._handshakes)

    @property
    def _greets(self) -> bool:
        """Whether something comes before HTTP, which takes a task of its own."""
        return self._tls is not None or self._proxies is not None

    async def open(self, listener: Listener, backlog: int) -> None:
        """Accept on this socket from now on."""
        listener.socket.setblocking(False)
        self._listening.append(listener.socket)
        if self._greets and self._watch(listener.socket):
            return
        create: Callable[..., Awaitable[asyncio.AbstractServer]] = self._loop.create_server
        if listener.unix:
            create = self._loop.create_unix_server
            if sys.version_info >= (3, 13):  # the file is the listener's to remove (S15)
                create = partial(create, cleanup_socket=False)
        arguments = {} if self._tls is None else self._tls.arguments()
        for _ in range(self._doors):
            # A duplicate: the loop closes the one it is given, and we drain the queue of ours (S8).
            own = Door(listener.socket, self._refuses, self._comes, self._exhausted)
            own.setblocking(False)
            self._accepting.append(
                await create(self._factory(), sock=own, backlog=backlog, **arguments)
            )

    async def take(self, client: socket.socket) -> None:
        """Serve a client that was accepted elsewhere; returns when it is through its handshake."""
        client.setblocking(False)
        make = self._connection
        with suppress(OSError):  # it has left, or its header is refused; the connection is closed
            if self._proxies is not None:
                make = partial(make, await self._proxies.ends(client))
            if self._tls is None:
                await self._loop.connect_accepted_socket(make, client)
            else:
                await self._tls.take(make, client)

    async def take_waiting(self, listener: Listener, go_on: Callable[[], bool]) -> None:
        """Accept what the kernel has already accepted for us: those clients have sent requests."""
        while go_on():
            try:
                client, _ = listener.socket.accept()
            except OSError:
                return
            if self._greets:
                self._shake_hands(client)
            else:
                await self.take(client)

    async def accept_no_more(self) -> None:
        """Have the loop stop accepting, and tell us of all that it has accepted.

        asyncio drops a connection, unanswered and open, where its server is closed in the turns
        between accept and connection_made: it has to stop looking first.
        """
        self._end()
        for accepting in self._accepting:
            for listening in getattr(accepting, "sockets", ()):
                with suppress(NotImplementedError):  # Windows
                    self._loop.remove_reader(listening.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._close()

    def give_up(self) -> None:
        """Accept nobody, and cut who is not through the handshake."""
        self._end()
        self._close()
        for task in self._handshakes:
            task.cancel()

    # -- the limit of connections --

    @property
    def _room(self) -> float:
        service = self._service
        taken = len(service.connections) + service.coming + len(self._handshakes)
        return math.inf if self._limit is None else self._limit - taken

    def _full(self) -> bool:
        return self._room <= 0

    def _factory(self) -> Callable[[], Connection]:
        # asyncio asks the Door before it accepts. On Windows there is no limit: nothing can be
        # paused there.
        return self._connection if asks(self._loop) or sys.platform == "win32" else self._connect

    def _connect(self) -> Connection:
        """Make a connection for a client that uvloop has accepted without asking."""
        self._comes()
        if self._room < self._doors:
            self._loop.call_soon(self._narrow)  # not here: uvloop is not through with this one
        return self._connection()

    def _narrow(self) -> None:
        """Accept by ourselves from now on: in one turn the loop could let in one too many."""
        self._leave_to_us()
        self._pause()
        if not self._paused:
            for listening in self._listening:
                self._watch(listening)

    def _refuses(self) -> bool:
        """Whether nobody may be accepted now; asyncio asks before each."""
        self._pause()
        return self._paused

    def _comes(self) -> None:
        self._service.coming += 1

    def _pause(self) -> None:
        """Where there is no room, accept nobody until a connection closes."""
        if not self._full():
            return
        self._look_away()
        self._leave_to_us()
        if self._paused:
            return
        self._paused = True
        self._service.when_left = self._go_on
        if self._service.now - self._told > _SILENCE:
            self._told = self._service.now
            logger.warning("%s connections are open: new clients have to wait", self._limit)

    def _leave_to_us(self) -> None:
        """Have the loop stop accepting by itself."""
        for accepting in self._accepting:
            if not asks(self._loop):
                accepting.close()
                continue
            # Left open: asyncio would drop the clients that are on their way from it.
            for listening in getattr(accepting, "sockets", ()):
                self._loop.remove_reader(listening.fileno())

    def _go_on(self) -> None:
        if self._paused and not self._full():
            self._paused = False
            self._service.when_left = None
            for listening in self._listening:
                self._watch(listening)

    # -- accepting by ourselves --

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
        if self._refuses():
            return
        try:
            client, _ = listening.accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._exhausted(error)
            return
        self._shake_hands(client)

    def _exhausted(self, error: OSError) -> None:
        """Accept nobody for a moment; asyncio would try, and tell, once for each in the backlog."""
        logger.warning("Cannot accept for a moment: %s", error.strerror)
        self._look_away()
        self._leave_to_us()
        for listening in self._listening:
            self._watched.add(listening)
            self._loop.call_later(_REST, self._look_again, listening)

    def _look_again(self, listening: socket.socket) -> None:
        if listening in self._watched:
            self._watch(listening)

    def _look_away(self) -> None:
        while self._watched:
            self._loop.remove_reader(self._watched.pop())

    def _shake_hands(self, client: socket.socket) -> None:
        task = self._loop.create_task(self.take(client))
        self._handshakes.add(task)
        task.add_done_callback(self._through)

    def _through(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        self._go_on()

    def _end(self) -> None:
        self._look_away()
        self._listening.clear()  # nobody goes on any more
        self._service.when_left = None

    def _close(self) -> None:
        for accepting in self._accepting:
            accepting.close()

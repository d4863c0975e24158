"""Hostile clients on plain sockets, many in one process; the slow ones move a byte a second."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial

from tests.live import Live
from tests.server.http_client import GET, get, post

BEAT = 1.0  # seconds between two bytes of a slow client
ANNOUNCED = 1_000_000  # bytes of an upload that never ends
ARRIVED = 70_000  # of which so many come at once, where they come at all
BUFFER = 4096  # of those that read too slowly


class Crowd:
    """Every client is opened by the test's thread; the crowd's own thread moves the slow ones."""

    def __init__(self, server: Live) -> None:
        self._port = server.port
        self._lock = threading.Lock()  # guards the three lists
        self._still: list[socket.socket] = []
        self._writers: list[socket.socket] = []
        self._readers: list[socket.socket] = []
        self._end = threading.Event()
        self.beats = 0
        self.lost: list[str] = []  # what became of slow clients that the server let go
        self._thread = threading.Thread(target=self._move, name="crowd")

    # -- how each kind joins --

    def idle(self) -> None:
        self._add(self._still, b"")

    def half_head(self) -> None:
        self._add(self._still, GET[:-7])

    def stalled_upload(self) -> None:
        self._add(self._still, post(ANNOUNCED, body=b"x" * ARRIVED))

    def slow_upload(self) -> None:
        self._add(self._writers, post(ANNOUNCED))

    def slow_reader(self, path: bytes) -> None:
        self._add(self._readers, get(target=path), BUFFER)

    def listener(self) -> None:
        """Hears events as they come, as long as they come."""
        self._add(self._readers, get(target=b"/events"))

    def departed(self, *, abruptly: bool) -> None:
        """Asks for a body without end, sees it begin, and leaves: by RST or by FIN."""
        client = self._open(get(target=b"/endless"))
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        if abruptly:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def _open(self, raw: bytes, buffer: int | None = None) -> socket.socket:
        client = socket.socket()
        if buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(10)
        client.connect(("127.0.0.1", self._port))
        client.sendall(raw)
        return client

    def _add(self, kind: list[socket.socket], raw: bytes, buffer: int | None = None) -> None:
        client = self._open(raw, buffer)
        with self._lock:
            kind.append(client)

    # -- the crowd's thread --

    def _move(self) -> None:
        while not self._end.wait(BEAT):
            with self._lock:
                writers, readers = self._writers[:], self._readers[:]
            for client in writers:
                self._let(partial(client.send, b"x", socket.MSG_DONTWAIT))
            for client in readers:
                self._let(partial(client.recv, 1, socket.MSG_DONTWAIT))
            self.beats += 1

    def _let(self, move: Callable[[], int | bytes]) -> None:
        try:
            if not move():
                self.lost.append("closed")
        except BlockingIOError:
            pass
        except OSError as error:
            self.lost.append(repr(error))

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """Everybody goes."""
        self._end.set()
        self._thread.join()
        for client in [*self._still, *self._writers, *self._readers]:
            client.close()


@contextlib.contextmanager
def crowd(server: Live) -> Iterator[Crowd]:
    """A crowd that has left when the block ends."""
    gathered = Crowd(server)
    gathered.start()
    try:
        yield gathered
    finally:
        gathered.leave()

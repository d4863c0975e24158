"""A server in a thread of its own, for tests that talk to it over a real socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiowsgi.testing import LiveServer
from aiowsgi.wsgi.types import WSGIApplication

LOOK = 0.005  # seconds from one look at a condition to the next


class Live(LiveServer):
    """A running server, with what tests of bytes and of time want of it."""

    def connect(self, timeout: float = 10) -> socket.socket:
        """Open a plain connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def wait(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until `condition` holds; looks often, since the loop has nothing to tell us.

        Looks are counted, not seconds: where the machine does something else for a while, neither
        we nor the server have come any further.
        """
        for _ in range(int(seconds / LOOK)):
            if condition():
                return
            time.sleep(LOOK)
        raise AssertionError("it did not come to hold")

    def talk(self, raw: bytes, timeout: float = 10) -> bytes:
        """Send bytes and return everything that comes until the server closes."""
        with self.connect(timeout) as client:
            client.sendall(raw)
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Read until the other side closes."""
    data = b""
    try:
        while chunk := client.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


@contextmanager
def live(app: WSGIApplication, **options: Any) -> Iterator[Live]:
    """Serve `app` on a free port for as long as the block runs."""
    log = options.pop("log", None)
    server = Live(app, **options)
    server.server.log = log
    with server:
        yield server

"""A server in a thread of its own, for tests that talk to it over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiowsgi.config import Config
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import WSGIApplication


class Live:
    """A running server; `url` and `port` say where."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.port = int(server.url.rpartition(":")[2]) if not server.url.startswith("unix") else 0

    def connect(self, timeout: float = 10) -> socket.socket:
        """Open a plain connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def wait(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until `condition` holds; looks often, since the loop has nothing to tell us."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.005)

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
    executor, log = options.pop("executor", None), options.pop("log", None)
    options.setdefault("access_log", False)
    if not options.keys() & {"bind", "host", "uds", "fd"}:
        options.setdefault("port", 0)
    server = Server(app, Config(**options), executor=executor)
    server.log = log
    server.bind()
    started = threading.Event()

    async def main() -> None:
        async with server:
            started.set()
            await server.stopped()

    loop = new_loop(server.config.loop)
    thread = threading.Thread(target=run, args=(main(), loop), name="live-server")
    thread.start()
    try:
        assert started.wait(10)
        yield Live(server)
    finally:
        server.stop()
        thread.join(40)
        assert not thread.is_alive()

"""What an exchange left to be sent goes with its client, at whatever moment that is (S6, S7)."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.descriptors import LISTED, held, more_than
from tests.live import live


@pytest.mark.skipif(not LISTED, reason="descriptors are not listed here")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("how", ["file", "spool"])
def test_a_client_that_resets_leaves_no_descriptor(how: str, loop: str, tmp_path: Path) -> None:
    """The application is through before, while or after the loop learns of the reset."""
    path = tmp_path / "big"
    path.write_bytes(b"x" * 3_000_000)
    over = threading.Semaphore(0)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        over.release()
        if how == "file":
            wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](path.open("rb"))
            return wrapped
        return [path.read_bytes()]

    options = {"loop": loop, "threads": 2, "response_buffer": 1000}
    with live(app, **options) as server:
        server.talk(b"HEAD / HTTP/1.0\r\n\r\n")
        before = held()
        for turn in range(300):
            client = server.connect()
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            if turn % 3:
                assert over.acquire(timeout=10)
            if turn % 3 == 2:
                client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        server.wait(lambda: not server.server.busy)
        server.wait(lambda: not more_than(before))

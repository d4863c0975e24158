"""Many clients, some of which leave at random: each answer is its own request's, and nothing leaks.

Cites P2, P19, H1, H2, S6, S7.
"""

from __future__ import annotations

import hashlib
import random
import socket
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.descriptors import held, more_than
from tests.live import Live, live
from tests.switching import switching

CLIENTS, REQUESTS = 50, 40


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the digest of the body, the request's name, and a pad of the size asked for."""
    body = environ["wsgi.input"].read()
    name = environ["QUERY_STRING"]
    answer = f"{name} {hashlib.md5(body, usedforsecurity=False).hexdigest()} ".encode()
    answer += b"x" * int(environ.get("HTTP_X_PAD", "0"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["HTTP_X_HOW"] == "list":
        return [answer]
    return (answer[at : at + 1000] for at in range(0, len(answer), 1000))


def request(seeded: random.Random, name: str) -> tuple[bytes, bytes]:
    """A request and what its answer must be."""
    body, framing = b"", b""
    if seeded.random() < 0.5:
        body = seeded.randbytes(seeded.choice([1, 100, 5_000, 70_000]))
        if seeded.random() < 0.5:
            framing = b"Content-Length: %d\r\n" % len(body)
            wire = body
        else:
            framing = b"Transfer-Encoding: chunked\r\n"
            at = range(0, len(body), 999)
            pieces = [body[start : start + 999] for start in at]
            wire = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    else:
        wire = b""
    pad = seeded.choice([0, 10, 3_000, 200_000])
    how = seeded.choice([b"list", b"blocks"])
    head = b"POST /?%b HTTP/1.1\r\nHost: a\r\nX-Pad: %d\r\nX-How: %b\r\n%b\r\n"
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    expected = f"{name} {digest} ".encode() + b"x" * pad
    return head % (name.encode(), pad, how, framing) + wire, expected


def read_answer(stream: Any) -> bytes:
    """Read one response by its framing; its body."""
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
    length = None
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length is not None:
        return bytes(stream.read(length))
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        assert stream.readline() == b"\r\n"
    assert stream.readline() == b"\r\n"
    return body


class Client(threading.Thread):
    """Sends its requests one by one on a connection of its own; leaves some of them unfinished."""

    def __init__(self, server: Live, number: int) -> None:
        super().__init__(name=f"client-{number}")
        self._server = server
        self._number = number
        self._seeded = random.Random(number)
        self.answered = self.left = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._talk()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            self.error = error

    def _talk(self) -> None:
        sock = self._server.connect(60)
        stream = sock.makefile("rb")
        for turn in range(REQUESTS):
            raw, expected = request(self._seeded, f"{self._number}-{turn}")
            if self._seeded.random() < 0.1:
                self._leave(sock, raw)
                stream.close()
                sock = self._server.connect(60)
                stream = sock.makefile("rb")
                continue
            sock.sendall(raw)
            assert read_answer(stream) == expected
            self.answered += 1
        stream.close()
        sock.close()

    def _leave(self, sock: socket.socket, raw: bytes) -> None:
        """Send a part, read a part perhaps, and go: by FIN or by RST, as close finds it."""
        sock.sendall(raw[: self._seeded.randrange(len(raw) + 1)])
        if self._seeded.random() < 0.5:
            sock.settimeout(0.001)
            try:
                sock.recv(100)
            except TimeoutError:
                pass
        sock.close()
        self.left += 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
def test_each_answer_is_its_own_and_nothing_is_left(loop: str, buffering: bool) -> None:
    with live(app, loop=loop):
        pass  # what a loop opens once per process is not a leak
    before, threads = held(), set(threading.enumerate())
    with (
        switching(1e-5),
        live(
            app,
            loop=loop,
            request_buffering=buffering,
            threads=8,
            spool_threshold=10_000,
            response_buffer=50_000,
        ) as server,
    ):
        clients = [Client(server, number) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert [client.error for client in clients if client.error] == []
        assert sum(client.answered + client.left for client in clients) == CLIENTS * REQUESTS
        assert sum(client.left for client in clients) > CLIENTS
        with server.connect() as last:
            raw, expected = request(random.Random(0), "last")
            last.sendall(raw)
            assert read_answer(last.makefile("rb")) == expected
    assert not more_than(before)
    assert set(threading.enumerate()) <= threads

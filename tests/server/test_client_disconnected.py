"""An application learns at once, over real sockets, that its client has left (S7)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live, read_all
from tests.server.http_client import LOOPS
from tests.server.wsgi_client import Client

KEY = "aiowsgi.client_disconnected"


class Working:
    """An application that works until its client has left, and is told so in two ways."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.told = threading.Semaphore(0)
        self.seen: list[bool] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/small":
            return [b"small"]
        left = threading.Event()
        environ[KEY].add_callback(left.set)
        self.entered.release()
        assert left.wait(10)
        self.seen.append(environ[KEY]())
        self.told.release()
        return [b"for nobody"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_client_that_leaves_is_known_to_have_left(how: str, loop: str) -> None:
    """Every thread works for a client that leaves: the callbacks need none of the pool's."""
    app = Working()
    with live(app, loop=loop, threads=2) as server:
        clients = [Client(server) for _ in range(2)]
        for client in clients:
            client.send()
        for _ in clients:
            assert app.entered.acquire(timeout=10)
        for client in clients:
            if how == "resets":
                client.reset()
            client.close()
        for _ in clients:
            assert app.told.acquire(timeout=10)
        with Client(server) as other:
            assert other.ask(target="/small").body == b"small"
    assert app.seen == [True, True]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_shut_its_side_counts_as_gone_and_has_its_answer(loop: str) -> None:
    """H19: what the server cannot tell apart it does not decide for the application."""
    app = Working()
    with live(app, loop=loop) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).endswith(b"\r\n\r\nfor nobody")
    assert app.seen == [True]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_can_ask_before_each_block_and_end_by_itself(loop: str) -> None:
    ended = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        while not environ[KEY]():
            ended.wait(0.001)
        ended.set()

    with live(app, loop=loop, threads=1) as server:
        with Client(server) as client:
            client.send()
            client.head()
            assert client.chunk() == b"first"
            assert not ended.is_set()
        assert ended.wait(10)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_left_an_upload_is_known_to_have_left(loop: str) -> None:
    """The application works on, without a read that would tell it."""
    app = Working()
    with live(app, loop=loop, request_buffering=False) as server:
        with Client(server) as client:
            client.send("POST", fields=["Content-Length: 10"], body=b"half")
            assert app.entered.acquire(timeout=10)
        assert app.told.acquire(timeout=10)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_waits_for_its_answer_has_not_left(loop: str) -> None:
    """Nor has one on a connection that served others before, or has asked for more."""
    seen: list[bool] = []
    called: list[int] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/":
            environ[KEY].add_callback(lambda: called.append(1))
            seen.append(environ[KEY]())
        start_response("200 OK", [])
        return [b"body"]

    with live(app, loop=loop) as server:
        with Client(server) as client:
            for _ in range(3):
                assert client.ask().body == b"body"
            client.send()
            client.send()
            assert [client.read().body for _ in range(2)] == [b"body", b"body"]
            # One at a time: with an answer to this one, those before are over, and it may leave.
            assert client.ask(target="/last").body == b"body"
    assert (seen, called) == ([False] * 5, [])

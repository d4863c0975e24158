"""The last answer of a connection: its end is seen at once, and the connection goes (H1, S6)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live, read_all
from tests.server.http_client import get, same
from tests.server.wsgi_client import LOOPS

LAST = get(b"Connection: close")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_never_closes_its_side_is_let_go(loop: str) -> None:
    """S6."""
    with live(same, loop=loop) as server, server.connect() as client:
        client.sendall(LAST)
        assert read_all(client).startswith(b"HTTP/1.1 200 OK\r\n")
        service = server.server._service
        assert service is not None
        server.wait(lambda: not service.connections)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_end_is_there_before_close_has_run(loop: str) -> None:
    """The client does not wait for the application's close()."""
    closing, go = threading.Event(), threading.Event()

    class Slow(list[bytes]):
        def close(self) -> None:
            closing.set()
            assert go.wait(10)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Slow([b"all"])

    with live(app, loop=loop) as server:
        with server.connect() as client:
            client.sendall(LAST)
            assert read_all(client).endswith(b"all")
            assert closing.wait(10)
        go.set()
        service = server.server._service
        assert service is not None
        server.wait(lambda: not service.connections)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_is_sent_by_its_own_thread_once_it_has_begun(loop: str) -> None:
    """H14: also where each block has gone before the next, and the client reads slowly."""
    blocks = [bytes([number]) * 50_000 for number in range(100)]

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield from blocks

    with live(app, loop=loop) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := client.recv(3000):
            answer += piece
    assert answer.partition(b"\r\n\r\n")[2] == b"".join(blocks)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_ends_with_the_connection_ends(loop: str) -> None:
    """H14: HTTP/1.0, a generator, no length."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    with live(app, loop=loop) as server:
        answer = server.talk(b"GET / HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nab")

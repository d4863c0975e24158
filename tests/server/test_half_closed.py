"""A client that has shut its side is answered for what is whole, and no more (H19, P19)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

import pytest

from aiowsgi.server.connection import Connection
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live, read_all

FIRST = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"


def saw_end(connection: object) -> bool:
    assert isinstance(connection, Connection)
    return connection._eof


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
def test_half_a_request_behind_the_end_is_cut_when_its_turn_comes(
    loop: str, buffering: bool
) -> None:
    """The first waits in the application until the end and half of the second are in the server."""
    entered, go, over = threading.Event(), threading.Event(), threading.Event()
    called: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/first":
            entered.set()
            assert go.wait(10)
        else:
            with pytest.raises(ConnectionError):
                environ["wsgi.input"].read()
            over.set()
        start_response("200 OK", [])
        return [b"whole"]

    options = {"loop": loop, "request_buffering": buffering, "body_timeout": 30}
    with live(app, **options) as server, server.connect() as client:
        client.sendall(FIRST + HALF)
        client.shutdown(socket.SHUT_WR)
        assert entered.wait(10)
        service = server.server._service
        assert service is not None
        # Nothing outside tells that the end has come: the connection itself is looked at.
        server.wait(lambda: any(saw_end(each) for each in list(service.connections)))
        go.set()
        answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        if buffering:
            assert called == ["/first"]
        else:
            assert over.wait(20)  # not the thirty seconds of the body's deadline

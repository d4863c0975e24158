"""A line is written when the client has all that it will get, and says what that was."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live, read_all
from tests.server.tls_client import connect, served
from tests.server.wsgi_client import LOOPS, TEXT
from tests.watch.lines import Kept

MIB = 1024 * 1024
LARGE = 12 * MIB  # more than the buffers of two sockets
FORMAT = "%(U)s %(s)s %(B)s %(X)s %(L)s %(F)s %(Q)s %(x)s"


class App:
    """Answers by the path; `held` until it is let go."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/held":
            self.entered.set()
            assert self.go_on.wait(20)
        start_response("200 OK", TEXT)
        if path == "/file":
            opened = self.file.open("rb")
            wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
            return wrapped
        if path == "/broken":
            return self.broken()
        return [b"x" * (LARGE if path == "/large" else 5)]

    def broken(self) -> Iterator[bytes]:
        yield b"12345"
        raise ValueError("broken")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    file = tmp_path / "file"
    with file.open("wb") as opened:
        opened.truncate(LARGE)
    made = App(file)
    yield made
    made.go_on.set()


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest, app: App, kept: Kept) -> Iterator[Live]:
    with serving(app, loop=request.param) as running:
        yield running


def serving(app: App, **options: Any) -> Any:
    return live(app, access_log=True, access_logformat=FORMAT, response_buffer=32 * MIB, **options)


def get(path: str, close: bool = False) -> bytes:
    last = "Connection: close\r\n" if close else ""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{last}\r\n".encode()


def lines(server: Live, kept: Kept, number: int = 1) -> list[list[str]]:
    """Wait for so many lines; their words."""
    server.wait(lambda: len(kept.lines) >= number)
    return [line.split(" ") for line in kept.lines]


def until_the_thread_is_free(server: Live) -> None:
    service = server.server._service
    assert service is not None
    server.wait(lambda: bool(service.connections) and not service.dispatcher.running)
    server.wait(lambda: not service.dispatcher.waiting)


def test_an_ordinary_line_has_its_times_and_says_that_the_connection_stays(
    server: Live, kept: Kept
) -> None:
    with server.connect() as client:
        body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n1234567"
        client.sendall(body)
        assert client.recv(4096).endswith(b"xxxxx")
        [[path, status, sent, end, seconds, first, queued, received]] = lines(server, kept)
    assert (path, status, sent, end, received) == ("/", "200", "5", "+", "7")
    assert 0 <= float(queued) <= float(first) <= float(seconds) < 20


@pytest.mark.parametrize("path", ["/large", "/file"])
def test_no_line_is_written_before_a_slow_client_has_it_all(
    server: Live, kept: Kept, path: str
) -> None:
    """Though the thread is free long before: the line has the time of the last byte."""
    with server.connect() as client:
        client.sendall(get(path, close=True))
        assert client.recv(1)
        until_the_thread_is_free(server)
        assert kept.lines == []
        rest = read_all(client)
    assert len(rest.partition(b"\r\n\r\n")[2]) == LARGE
    [[_, status, sent, end, seconds, first, *_]] = lines(server, kept)
    assert (status, sent, end) == ("200", str(LARGE), "-")
    assert float(first) < float(seconds)


@pytest.mark.parametrize("path", ["/large", "/file"])
def test_a_client_that_leaves_in_the_middle_is_marked_with_the_bytes_that_it_was_sent(
    server: Live, kept: Kept, path: str
) -> None:
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(get(path))
        read = 0
        while read < MIB:
            read += len(client.recv(65536))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    [[_, status, sent, end, *_]] = lines(server, kept)
    assert (status, end) == ("200", "X")
    assert MIB - 4096 <= int(sent) < LARGE


def test_a_response_that_breaks_is_marked(server: Live, kept: Kept) -> None:
    server.talk(get("/broken"))
    [[_, status, sent, end, *_]] = lines(server, kept)
    assert (status, sent, end) == ("200", "5", "X")


def test_a_client_that_had_no_answer_is_a_499(server: Live, app: App, kept: Kept) -> None:
    with server.connect() as client:
        client.sendall(get("/held"))
        assert app.entered.wait(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    service = server.server._service
    assert service is not None
    server.wait(lambda: not service.connections)
    assert kept.lines == []
    app.go_on.set()
    [[_, status, sent, end, *_]] = lines(server, kept)
    assert (status, sent, end) == ("499", "0", "X")


def test_what_is_refused_before_it_is_a_request_has_a_line_too(server: Live, kept: Kept) -> None:
    server.talk(b"GET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    server.talk(b"\x16\x03\x01")
    found = lines(server, kept, 2)
    assert [line[1] for line in found] == ["400", "400"]
    assert [line[4:7] for line in found] == [["-"] * 3] * 2


@pytest.mark.parametrize("loop", LOOPS)
def test_over_tls_it_is_the_same(loop: str, app: App, kept: Kept) -> None:
    with serving(app, loop=loop, **served()) as server:
        with connect(server) as client:
            client.sendall(get("/"))
            assert client.recv(4096)
            client.sendall(get("/large"))
            assert client.recv(4096)
            until_the_thread_is_free(server)
            assert len(lines(server, kept)) == 1
        found = lines(server, kept, 2)
    assert found[0][1:4] == ["200", "5", "+"]
    assert found[1][3] == "X"
    assert int(found[1][2]) < LARGE


@pytest.mark.parametrize("loop", LOOPS)
def test_what_the_end_of_the_server_cuts_has_its_line(loop: str, app: App, kept: Kept) -> None:
    with serving(app, loop=loop, graceful_timeout=0.1) as server, server.connect() as client:
        client.sendall(get("/large"))
        assert client.recv(1)
        until_the_thread_is_free(server)
        server.server.stop()
        server.wait(lambda: not server.server.busy)
        [[_, status, sent, end, *_]] = lines(server, kept)
    assert (status, end) == ("200", "X")
    assert int(sent) < LARGE

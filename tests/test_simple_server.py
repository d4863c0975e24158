"""make_server has the face and the ways of wsgiref.simple_server's."""

from __future__ import annotations

import select
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

import aiowsgi
from aiowsgi.errors import ConfigError
from aiowsgi.simple_server import SimpleServer, make_server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import read_all

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def saying(text: bytes) -> Any:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text]

    return app


def connect(server: SimpleServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), 10)


def ask(server: SimpleServer) -> bytes:
    with connect(server) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return read_all(client)


def refused(server: SimpleServer) -> bool:
    try:
        connect(server).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.fixture(params=["uvloop", "asyncio"])
def server(request: pytest.FixtureRequest) -> Iterator[SimpleServer]:
    with make_server("127.0.0.1", 0, saying(b"hello"), loop=request.param) as made:
        yield made


@contextmanager
def serving(server: SimpleServer) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield thread
    finally:
        server.shutdown()
        thread.join(10)
        assert not thread.is_alive()


def test_it_is_a_public_name() -> None:
    assert aiowsgi.make_server is make_server


def test_serve_forever_ends_with_shutdown_from_another_thread(server: SimpleServer) -> None:
    with serving(server) as thread:
        assert ask(server).endswith(b"hello")
        server.shutdown()
        thread.join(10)
        assert not thread.is_alive()


def test_shutdown_at_any_moment_ends_a_serve_forever_that_has_been_started(
    server: SimpleServer,
) -> None:
    """As with wsgiref: also where the thread has not come to it yet."""
    for _ in range(20):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.shutdown()
        thread.join(10)
        assert not thread.is_alive()


def test_it_can_serve_again_and_what_came_between_waits(server: SimpleServer) -> None:
    with serving(server):
        assert ask(server).endswith(b"hello")
    with connect(server) as client:
        client.sendall(GET)
        with serving(server):
            assert client.recv(65536).endswith(b"hello")


def test_poll_interval_is_taken_as_wsgiref_takes_it(server: SimpleServer) -> None:
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    assert ask(server).endswith(b"hello")
    server.shutdown()
    thread.join(10)
    assert not thread.is_alive()


def test_handle_request_serves_one_request_each(server: SimpleServer) -> None:
    clients = [connect(server) for _ in range(2)]
    for client in clients:
        client.sendall(GET)
    for number, client in enumerate(clients):
        server.handle_request()
        raw = read_all(client)  # to the end: the connection is not kept for a second one
        assert raw.endswith(b"hello")
        assert b"\r\nConnection: close\r\n" in raw
        client.close()
        if number == 0:
            clients[1].setblocking(False)
            with pytest.raises(BlockingIOError):
                clients[1].recv(1)
            clients[1].settimeout(10)


def test_handle_request_returns_after_its_timeout_without_a_client(server: SimpleServer) -> None:
    server.timeout = 0.05
    server.handle_request()
    with connect(server) as client:  # and serves the next one
        client.sendall(GET)
        server.handle_request()
        assert read_all(client).endswith(b"hello")


def test_handle_request_and_serve_forever_take_turns(server: SimpleServer) -> None:
    for _ in range(2):
        with connect(server) as client:
            client.sendall(GET)
            server.handle_request()
            assert read_all(client).endswith(b"hello")
        with serving(server):
            assert ask(server).endswith(b"hello")


def test_set_app_serves_another_application_from_the_next_request_on(
    server: SimpleServer,
) -> None:
    other = saying(b"other")
    with serving(server), connect(server) as client:
        client.sendall(GET)
        assert client.recv(65536).endswith(b"hello")
        server.set_app(other)
        assert server.get_app() is other
        client.sendall(GET)
        assert client.recv(65536).endswith(b"other")


def test_it_listens_from_the_start_to_server_close(server: SimpleServer) -> None:
    assert not refused(server)
    with serving(server):
        pass
    assert not refused(server)
    server.server_close()
    assert refused(server)
    server.server_close()


def test_the_end_of_the_block_closes_it() -> None:
    with make_server("127.0.0.1", 0, saying(b"hello")) as server:
        assert not refused(server)
    assert refused(server)
    assert server.fileno() == -1


def test_its_names_are_those_of_wsgiref(server: SimpleServer) -> None:
    with WSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as theirs:
        assert server.server_name == theirs.server_name
        assert type(server.server_port) is type(theirs.server_port)
        assert server.server_address[0] == theirs.server_address[0]
    assert server.server_address == ("127.0.0.1", server.server_port)
    assert server.socket.fileno() == server.fileno()
    ready, _, _ = select.select([server], [], [], 0)
    assert ready == []
    with connect(server):
        ready, _, _ = select.select([server], [], [], 10)
        assert ready == [server]


def test_wsgirefs_classes_are_taken_and_options_are_those_of_run() -> None:
    with make_server(
        "127.0.0.1",
        0,
        saying(b"hello"),
        server_class=WSGIServer,
        handler_class=WSGIRequestHandler,
        threads=3,
    ) as server:
        assert server.server_port > 0
    with pytest.raises(ConfigError, match="threads"):
        make_server("127.0.0.1", 0, saying(b""), thread=3)


def test_a_port_in_use_is_a_config_error(server: SimpleServer) -> None:
    with pytest.raises(ConfigError, match="in use") as caught:
        make_server("127.0.0.1", server.server_port, saying(b""))
    assert caught.value.exit_code == 1


def test_an_empty_host_is_every_interface() -> None:
    with make_server("", 0, saying(b"hello")) as server, serving(server):
        assert ask(server).endswith(b"hello")


def interrupt_at_the_first_request(number: int) -> Any:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        signal.raise_signal(number)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"last"]

    return app


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """As in a shell's foreground: in its background a process starts with INT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_keyboardinterrupt_goes_through_serve_forever(loop: str) -> None:
    """As with wsgiref; the socket listens on, and nothing is left of the pool."""
    before = set(threading.enumerate())
    app = interrupt_at_the_first_request(signal.SIGINT)
    with make_server("127.0.0.1", 0, app, loop=loop) as server, connect(server) as client:
        client.sendall(GET)
        with pytest.raises(KeyboardInterrupt):
            server.serve_forever()
        assert not refused(server)
        server.shutdown()  # returns: nothing serves
    for thread in set(threading.enumerate()) - before:  # that ran the application meanwhile
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="no signals here")
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_term_ends_serve_forever_gracefully(loop: str) -> None:
    app = interrupt_at_the_first_request(signal.SIGTERM)
    old = signal.getsignal(signal.SIGTERM)
    with make_server("127.0.0.1", 0, app, loop=loop) as server, connect(server) as client:
        client.sendall(GET)
        server.serve_forever()
        assert client.recv(65536).endswith(b"last")
    assert signal.getsignal(signal.SIGTERM) is old

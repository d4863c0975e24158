"""The graceful end: who is answered, who is told, who is closed, and who is cut (S8, S6)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.server import drain, phases
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.phases import Timeouts
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import read_all
from tests.server.wsgi_client import LOOPS, TEXT, hello

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Main = Callable[[Coroutine[Any, Any, None]], None]


def quiet(**options: Any) -> Config:
    return Config(**{"port": 0, "access_log": False, **options})


def connect(server: Server) -> socket.socket:
    port = int(server.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), 10)


def answer(client: socket.socket) -> bytes:
    """Read the head and the body of `hello` or Slow: five bytes."""
    data = b""
    while not data.endswith(b"\r\n\r\nhello"):
        piece = client.recv(65536)
        assert piece, data
        data += piece
    return data


def until_refused(server: Server) -> None:
    """Connect until the loop has seen the stop: what the kernel's queue takes is not refused."""
    while True:
        try:
            connect(server).close()
        except (ConnectionRefusedError, ConnectionResetError):  # or refused in the handshake
            return


def read_and_close(client: socket.socket) -> bytes:
    with client:
        return read_all(client)


async def elsewhere(call: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(call, *arguments)


@pytest.fixture(params=LOOPS)
def main(request: pytest.FixtureRequest) -> Main:
    """Run a coroutine on one of the loops, to its end."""

    async def whole(coroutine: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(coroutine, 30)
        await asyncio.get_running_loop().shutdown_default_executor()  # of our own to_thread

    return lambda coroutine: run(whole(coroutine), new_loop(request.param))


class Slow:
    """Says when it was entered, and answers when it is released."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.entered.release()
        assert self.release.wait(20)
        if environ["PATH_INFO"] == "/stream":
            start_response("200 OK", [*TEXT, ("Content-Length", "5")])
            return iter([b"he", b"llo"])
        start_response("200 OK", TEXT)
        return [b"hello"]

    async def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert await elsewhere(self.entered.acquire, True, 10)


def test_exchanges_under_way_finish_and_say_close_and_new_connections_are_refused(
    main: Main,
) -> None:
    async def block() -> None:
        app = Slow()
        server = Server(app, quiet(threads=2))
        server.bind()
        serving = asyncio.ensure_future(server.serve())
        # Two run, two wait for a thread.
        clients = [await elsewhere(connect, server) for _ in range(4)]
        for number, client in enumerate(clients):
            client.sendall(REQUEST if number % 2 else REQUEST.replace(b"/", b"/stream", 1))
        await app.wait(2)
        server.stop()
        await elsewhere(until_refused, server)
        assert not serving.done()
        app.release.set()
        for client in clients:
            raw = await elsewhere(read_all, client)  # to the end: it is closed after the answer
            assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nConnection: close\r\n" in raw
            assert raw.endswith(b"\r\n\r\nhello")
            client.close()
        await serving
        assert server.stuck == []

    main(block())


def test_connections_that_were_idle_for_long_are_closed_at_once(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the sweep of the deadlines finds them, which never comes here."""
    monkeypatch.setattr(Timeouts, "tick", lambda self: 3600.0)

    async def block() -> None:
        async with Server(hello, quiet()) as server:
            idle = [await elsewhere(connect, server) for _ in range(5)]
            for client in idle:
                client.sendall(REQUEST)
                assert b"Connection" not in await elsewhere(answer, client)
            for client in idle[:3]:  # the loop has looked at some of them since, and not at others
                client.sendall(b"\r\n")
            await elsewhere(ask_once, server)
            service = server._service
            assert service is not None
            service.now += 5.0
            monkeypatch.setattr(drain, "LAST_CHANCE", 3600.0)
        for client in idle:
            assert client.recv(1) == b""
            client.close()

    main(block())


def test_a_request_on_its_way_on_a_connection_in_use_is_answered(main: Main) -> None:
    """Its client was told that the connection stays, and has not seen the stop yet (S8)."""

    async def block() -> None:
        server = Server(hello, quiet())
        server.bind()
        serving = asyncio.ensure_future(server.serve())
        clients = [await elsewhere(connect, server) for _ in range(3)]
        for client in clients:
            client.sendall(REQUEST)
            assert b"Connection" not in await elsewhere(answer, client)
        server.stop()
        await drain.until(lambda: server._listeners[0].socket.fileno() < 0)
        for client in clients[1:]:
            client.sendall(REQUEST)
            raw = await elsewhere(read_and_close, client)
            assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nConnection: close\r\n" in raw
        await serving
        assert read_and_close(clients[0]) == b""  # nobody waits for long

    main(block())


@pytest.mark.parametrize("iterations", range(8))
def test_a_connection_that_the_kernel_has_accepted_is_answered(
    main: Main, iterations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far the loop has come with accepting it when the stop comes."""
    for module in (drain, phases):  # where they were answered before it, they need not wait long
        monkeypatch.setattr(module, "LAST_CHANCE", 0.1)

    async def block() -> None:
        async with Server(hello, quiet()) as server:
            clients = [connect(server) for _ in range(3)]  # the loop stands still meanwhile
            for client in clients:
                client.sendall(REQUEST)
            for _ in range(iterations):
                await asyncio.sleep(0)
        for client in clients:
            client.settimeout(10)
            raw = read_all(client)
            assert raw.startswith(b"HTTP/1.1 200 OK\r\n"), raw
            assert raw.endswith(b"\r\n\r\nhello")
            client.close()

    main(block())


def test_a_request_that_waits_behind_another_on_its_connection_is_not_begun(main: Main) -> None:
    """The first answer said that it is the last (RFC 9112 9.6)."""

    async def block() -> None:
        app = Slow()
        async with Server(app, quiet()) as server:
            client = await elsewhere(connect, server)
            client.sendall(REQUEST * 2)
            await app.wait()
            server.stop()
            reading = asyncio.ensure_future(elsewhere(read_and_close, client))
            asyncio.get_running_loop().call_later(0.1, app.release.set)
        raw = await reading
        assert raw.count(b"HTTP/1.1 200 OK") == 1
        assert b"Connection: close" in raw

    main(block())


def test_an_upload_that_is_on_its_way_is_taken_to_its_end(main: Main) -> None:
    async def block() -> None:
        async with Server(hello, quiet()) as server:
            client = await elsewhere(connect, server)
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
            await elsewhere(ask_once, server)  # by now the first bytes have been read
            asyncio.get_running_loop().call_later(0.1, client.sendall, b"67890")
        assert read_all(client).endswith(b"\r\n\r\nhello")
        client.close()

    main(block())


def ask_once(server: Server) -> None:
    with connect(server) as client:
        client.sendall(REQUEST)
        answer(client)


def test_the_graceful_timeout_is_hard(main: Main, caplog: pytest.LogCaptureFixture) -> None:
    """A stuck view is named, its client is cut, and the threads are not joined."""

    async def block(app: Slow) -> None:
        async with Server(app, quiet(graceful_timeout=0.05, threads=2)) as server:
            clients = [await elsewhere(connect, server) for _ in range(3)]
            for client in clients:
                client.sendall(REQUEST.replace(b"/", b"/stuck?secret", 1))
            await app.wait(2)
        assert [exchange.head.path for exchange in server.stuck] == ["/stuck"] * 2
        assert not app.release.is_set()
        for client in clients:  # the third never ran, and is not left waiting either
            assert await elsewhere(read_and_close, client) == b""
        app.release.set()
        for thread in set(threading.enumerate()) - others:
            if thread.name.startswith("aiowsgi_"):
                await elsewhere(thread.join, 10)

    others = set(threading.enumerate())  # such as those of a middleware, which nobody ends
    app = Slow()
    try:
        main(block(app))
    finally:
        app.release.set()
    assert app.entered.acquire(blocking=False) is False
    named = [
        record.getMessage() for record in caplog.records if "GET /stuck" in record.getMessage()
    ]
    assert len([text for text in named if text.startswith("Still running")]) == 2
    assert "secret" not in " ".join(named)


def test_stop_now_ends_a_drain_that_waits(main: Main) -> None:
    """The second signal."""

    async def block(app: Slow, executor: ThreadPoolExecutor) -> None:
        server = Server(app, quiet(), executor=executor)
        server.bind()
        serving = asyncio.ensure_future(server.serve())
        client = await elsewhere(connect, server)
        client.sendall(REQUEST)
        await app.wait()
        server.stop()
        assert not serving.done()
        await elsewhere(lambda: server.stop(now=True))
        await serving
        assert len(server.stuck) == 1
        assert await elsewhere(read_and_close, client) == b""
        app.release.set()
        await elsewhere(executor.shutdown)

    app = Slow()
    try:
        main(block(app, ThreadPoolExecutor(1)))
    finally:
        app.release.set()

"""Server in the hands of a program: in its loop, in a thread, with its executor (S8, S6)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import read_all
from tests.server.wsgi_client import LOOPS, TEXT, hello

Main = Callable[[Coroutine[Any, Any, None]], None]
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def quiet(**options: Any) -> Config:
    return Config(**{"port": 0, "access_log": False, **options})


def ask(server: Server) -> bytes:
    """Ask the first address for a page; from another thread than the loop's."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(GET)
        return read_all(client)


def refused(server: Server) -> bool:
    port = int(server.url.rpartition(":")[2])
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.fixture(params=LOOPS)
def main(request: pytest.FixtureRequest) -> Main:
    """Run a coroutine on one of the loops, to its end."""

    async def whole(coroutine: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(coroutine, 20)
        await asyncio.get_running_loop().shutdown_default_executor()  # of our own to_thread

    return lambda coroutine: run(whole(coroutine), new_loop(request.param))


def test_async_with_serves_in_the_running_loop_until_the_block_ends(main: Main) -> None:
    async def block() -> None:
        async with Server(hello, quiet()) as server:
            assert server.url.startswith("http://127.0.0.1:")
            assert server.urls == [server.url]
            assert (await asyncio.to_thread(ask, server)).endswith(b"hello")
            assert not refused(server)
        assert refused(server)

    before = set(threading.enumerate())
    main(block())
    assert set(threading.enumerate()) <= before


def test_two_servers_share_a_loop(main: Main) -> None:
    async def block() -> None:
        async with Server(hello, quiet()) as one, Server(hello, quiet()) as two:
            assert one.url != two.url
            for server in (one, two):
                assert (await asyncio.to_thread(ask, server)).endswith(b"hello")

    main(block())


@pytest.mark.parametrize("thread", [True, False], ids=["another thread", "the loop"])
def test_serve_ends_when_stop_is_called(main: Main, thread: bool) -> None:
    async def block() -> None:
        server = Server(hello, quiet())
        server.bind()
        serving = asyncio.ensure_future(server.serve())
        assert (await asyncio.to_thread(ask, server)).endswith(b"hello")
        if thread:
            await asyncio.to_thread(server.stop)
        else:
            server.stop()
        await serving
        assert refused(server)

    main(block())


def test_stop_before_the_start_ends_serve_at_once(main: Main) -> None:
    """A signal, or a program's own decision, may come that early."""
    server = Server(hello, quiet())
    server.stop()
    main(server.serve())
    assert refused(server)


def test_stop_may_be_called_again_and_after_the_end(main: Main) -> None:
    server = Server(hello, quiet())

    async def block() -> None:
        async with server:
            server.stop()
            server.stop()
            await server.stopped()
            server.stop()
        server.stop()

    main(block())
    server.stop()
    server.stop(now=True)


def test_a_server_serves_once(main: Main) -> None:
    async def block() -> None:
        server = Server(hello, quiet())
        async with server:
            with pytest.raises(RuntimeError, match="make a new one"):
                await server.serve()
            assert (await asyncio.to_thread(ask, server)).endswith(b"hello")
        with pytest.raises(RuntimeError, match="is over"):
            await server.serve()
        with pytest.raises(RuntimeError, match="is over"):
            async with server:
                pass

    main(block())


async def test_what_needs_a_start_says_so() -> None:
    server = Server(hello, quiet())
    with pytest.raises(RuntimeError, match="no address yet"):
        server.url  # noqa: B018 - the property raises
    with pytest.raises(RuntimeError, match="not started"):
        await server.stopped()
    assert server.urls == []


def test_bind_tells_the_address_before_the_start_and_once(main: Main) -> None:
    server = Server(hello, quiet())
    urls = server.bind()
    assert server.bind() == urls == [server.url]

    async def block() -> None:
        async with server:
            assert server.urls == urls
            assert (await asyncio.to_thread(ask, server)).endswith(b"hello")

    main(block())


def test_an_address_that_is_taken_fails_the_start_and_leaves_nothing(main: Main) -> None:
    """The server can be tried again when it is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(hello, quiet(port=taken.getsockname()[1]))

        async def fails() -> None:
            with pytest.raises(ConfigError) as caught:
                await server.serve()
            assert caught.value.exit_code == 1

        before = set(threading.enumerate())
        main(fails())
        assert set(threading.enumerate()) <= before
        assert server.urls == []

    async def serves() -> None:
        async with server:
            assert (await asyncio.to_thread(ask, server)).endswith(b"hello")

    main(serves())


def test_an_executor_of_ones_own_runs_the_application_and_is_not_shut_down(main: Main) -> None:
    names: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        names.append(threading.current_thread().name)
        start_response("200 OK", TEXT)
        return [b"mine"]

    async def block(executor: ThreadPoolExecutor) -> None:
        async with Server(app, quiet(), executor=executor) as server:
            assert (await asyncio.to_thread(ask, server)).endswith(b"mine")

    with ThreadPoolExecutor(1, "mine") as executor:
        main(block(executor))
        main(block(executor))
        assert executor.submit(lambda: "still there").result(10) == "still there"
    assert names == ["mine_0", "mine_0"]


def test_an_executor_that_was_shut_down_cuts_its_clients_and_nothing_hangs(main: Main) -> None:
    """Every accepted request is answered or its connection is cut."""

    async def block() -> None:
        executor = ThreadPoolExecutor(1)
        async with Server(hello, quiet(), executor=executor) as server:
            executor.shutdown()
            assert await asyncio.to_thread(ask, server) == b""

    main(block())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_in_a_thread_is_stopped_from_another(loop: str) -> None:
    server = Server(hello, quiet(loop=loop))
    server.bind()
    thread = threading.Thread(target=server.run)
    thread.start()
    assert ask(server).endswith(b"hello")
    server.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert refused(server)


def test_cancelling_serve_stops_at_once_and_closes_everything(main: Main) -> None:
    """With a request under way that would take for ever: it is named, not waited for."""
    entered, release, over = threading.Event(), threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        entered.set()
        release.wait(20)
        over.set()
        start_response("200 OK", TEXT)
        return []

    async def block(executor: ThreadPoolExecutor) -> None:
        server = Server(app, quiet(), executor=executor)
        server.bind()
        serving = asyncio.ensure_future(server.serve())
        asking = asyncio.ensure_future(asyncio.to_thread(ask, server))
        await asyncio.to_thread(entered.wait, 10)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert not over.is_set()
        assert [exchange.head.path for exchange in server.stuck] == ["/"]
        assert await asking == b""
        assert refused(server)
        release.set()
        await asyncio.to_thread(executor.shutdown)
        assert over.is_set()

    try:
        main(block(ThreadPoolExecutor(1)))
    finally:
        release.set()


def test_an_error_in_the_block_drains_and_goes_on(main: Main) -> None:
    async def block() -> None:
        with pytest.raises(ValueError, match="of the program"):
            async with Server(hello, quiet()) as server:
                raise ValueError("of the program")
        assert refused(server)

    main(block())


def test_the_port_is_free_when_the_server_has_ended(main: Main) -> None:
    """S6: the next one can have it at once."""
    port = 0
    for _ in range(3):
        server = Server(hello, quiet(port=port))

        async def block(server: Server = server) -> None:
            async with server:
                assert (await asyncio.to_thread(ask, server)).endswith(b"hello")

        main(block())
        port = int(server.url.rpartition(":")[2])

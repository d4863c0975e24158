"""A WSGI application behind the ASGI door: messages, bodies, other scopes (A1 to A5, A12, A14)."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.asgi.host import Host, ask, scope


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hel", b"lo"]


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [body]


async def test_a_list_is_two_messages() -> None:
    """A4, A5, P6."""
    host = await ask(WSGIMiddleware(hello), scope())
    assert host.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")],
        },
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]


async def test_a_list_of_a_mebibyte_is_two_messages_and_not_copied() -> None:
    block = os.urandom(1024 * 1024)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return (block,)

    host = await ask(WSGIMiddleware(app), scope())
    assert len(host.sent) == 2
    assert host.sent[1]["body"] is block


async def test_a_block_leaves_before_the_next_is_made() -> None:
    """P36."""
    go_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"first"
        assert go_on.wait(10)
        yield b"second"

    host = Host()
    call = asyncio.ensure_future(WSGIMiddleware(app)(scope(), host.receive, host.send))
    await host.until(5)
    assert host.body == b"first"
    go_on.set()
    await asyncio.wait_for(call, 10)
    assert host.body == b"firstsecond"
    assert host.over


async def test_write_sends_the_head_before_there_is_a_body() -> None:
    go_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"")
        assert go_on.wait(10)
        return [b"late"]

    host = Host()
    call = asyncio.ensure_future(WSGIMiddleware(app)(scope(), host.receive, host.send))
    async with host.news:
        await asyncio.wait_for(host.news.wait_for(lambda: host.sent), 10)
    go_on.set()
    await asyncio.wait_for(call, 10)
    assert host.body == b"late"


@pytest.mark.parametrize(
    ("method", "status", "length", "body"),
    [("HEAD", "200 OK", b"5", b""), ("GET", "304 Not Modified", b"5", b"")],
)
async def test_who_has_no_body_keeps_what_get_would_say(
    method: str, status: str, length: bytes, body: bytes
) -> None:
    """P41."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [("Content-Length", "5")])
        return [b"hello"]

    host = await ask(WSGIMiddleware(app), scope(method=method))
    assert (host.headers[b"content-length"], host.body) == (length, body)


@pytest.mark.parametrize("parts", [[b""], [b"abc"], [b"a", b"", b"bc"]])
@pytest.mark.parametrize("buffering", [True, False])
async def test_a_short_body_is_whole_before_a_thread_is_taken(
    parts: list[bytes], buffering: bool
) -> None:
    """P25: so its length is known, however it came."""
    app = WSGIMiddleware(echo, request_buffering=buffering)
    host = await ask(app, scope(method="POST"), parts)
    assert host.body == b"".join(parts)
    assert host.headers.get(b"x-length") == (b"%d" % len(host.body) if host.body else b"none")


@pytest.mark.parametrize("buffering", [True, False])
async def test_a_long_body_is_exact(buffering: bool) -> None:
    parts = [os.urandom(3000) for _ in range(100)]
    app = WSGIMiddleware(echo, request_buffering=buffering, spool_threshold=10_000)
    assert (await ask(app, scope(method="POST"), parts)).body == b"".join(parts)


async def test_a_streamed_body_is_received_as_the_application_reads() -> None:
    """Back-pressure: `receive()` is not called while there is enough (P18)."""
    begun, go_on = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        begun.set()
        assert go_on.wait(10)
        size = len(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"%d" % size]

    host = Host(*[b"x" * 1000] * 100)
    middleware = WSGIMiddleware(app, request_buffering=False, spool_threshold=5000)
    call = asyncio.ensure_future(middleware(scope(method="POST"), host.receive, host.send))
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(20):
        await asyncio.sleep(0)
    assert host.received < 10
    go_on.set()
    await asyncio.wait_for(call, 10)
    assert host.body == b"100000"


async def test_a_body_that_was_cut_starts_no_application() -> None:
    """P19."""
    called: list[int] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(1)
        return hello(environ, start_response)

    host = Host(b"half", truncated=True)
    await WSGIMiddleware(app)(scope(method="POST"), host.receive, host.send)
    assert not called
    assert host.sent == []


@pytest.mark.parametrize("length", [b"2", b"8"])
async def test_a_body_that_belies_its_length_is_an_error_of_the_hosts(length: bytes) -> None:
    """P19: something between the client and us has changed one and not the other."""
    host = Host(b"half")
    of = scope(method="POST", headers=[(b"content-length", length)])
    with pytest.raises(ClientDisconnected, match="Content-Length"):
        await WSGIMiddleware(echo)(of, host.receive, host.send)
    assert host.sent == []


async def test_a_streamed_body_that_was_cut_raises_where_it_is_read() -> None:
    """P19."""
    raised: list[BaseException] = []
    through = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            raised.append(error)
            raise
        finally:
            through.set()
        return []

    host = Host(b"x" * 2000, truncated=True)
    middleware = WSGIMiddleware(app, request_buffering=False, spool_threshold=1000)
    await middleware(scope(method="POST"), host.receive, host.send)
    assert await asyncio.to_thread(through.wait, 10)
    assert len(raised) == 1


async def test_lifespan_is_acknowledged() -> None:
    """A2."""
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await WSGIMiddleware(hello)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_closed_before_it_is_accepted() -> None:
    """A3."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await WSGIMiddleware(hello)({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close"}]


async def test_an_unknown_scope_raises() -> None:
    """A1."""
    host = Host()
    with pytest.raises(ValueError, match="'carrier pigeon'"):
        await WSGIMiddleware(hello)({"type": "carrier pigeon"}, host.receive, host.send)


async def test_connection_close_is_for_hosts_that_may_say_it() -> None:
    """P32; RFC 9113 8.2.2 forbids it in HTTP/2."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Connection", "close")])
        return [b""]

    said = await ask(WSGIMiddleware(app), scope())
    assert said.headers[b"connection"] == b"close"
    unsaid = await ask(WSGIMiddleware(app), scope(http_version="2"))
    assert b"connection" not in unsaid.headers


async def test_the_scope_is_in_environ_and_nothing_of_the_server() -> None:
    seen: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ)
        return hello(environ, start_response)

    of = scope("/m/a", root_path="/m", scheme="https", http_version="2")
    await ask(WSGIMiddleware(app, threads=3), of)
    environ = seen[0]
    assert environ["asgi.scope"] is of
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("192.0.2.2", "8080")
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.1", "40000")
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on")
    assert environ["SERVER_PROTOCOL"] == "HTTP/2"
    assert environ["wsgi.multithread"] is True


async def test_an_executor_of_ones_own_runs_it() -> None:
    names: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        names.append(threading.current_thread().name)
        return hello(environ, start_response)

    with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
        await ask(WSGIMiddleware(app, executor=executor), scope())
    assert names[0].startswith("mine")


def test_the_words_of_others_are_taken() -> None:
    """One import changed from a2wsgi."""
    assert WSGIMiddleware(hello, workers=3, send_queue_size=10)._limits.threads == 3
    assert WSGIMiddleware(hello, 4)._limits.threads == 4


@pytest.mark.parametrize(("threads", "workers"), [(0, None), (None, -1), (1, 2)])
def test_numbers_that_cannot_be_are_refused(threads: int | None, workers: int | None) -> None:
    with pytest.raises(ValueError, match="threads"):
        WSGIMiddleware(hello, threads, workers=workers)


def test_what_is_no_application_is_refused() -> None:
    with pytest.raises(TypeError, match="not str"):
        WSGIMiddleware("app")  # type: ignore[arg-type]

"""Clients that leave, hosts that cancel, loops that end (A6, A7, A16, A17, A19; S3, S6, S7)."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.asgi.host import Host, ask, scope
from tests.switching import switching


class Endless:
    """Yields until it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.has_left: Callable[[], bool] = bool

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        self.has_left = environ["aiowsgi.client_disconnected"]
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 1000
        finally:
            self.closed.set()


async def test_a_generator_is_closed_when_the_client_leaves_and_send_says_nothing() -> None:
    """A6, A7: the disconnect alone ends it."""
    app = Endless()
    host = Host()
    call = asyncio.ensure_future(WSGIMiddleware(app)(scope(), host.receive, host.send))
    await host.until(5000)
    host.leave()
    await asyncio.wait_for(call, 10)
    assert await asyncio.to_thread(app.closed.wait, 10)
    assert app.has_left()


@pytest.mark.parametrize("size", [100, 1_000_000])
async def test_a_response_without_end_leaves_others_their_turn_though_send_never_waits(
    size: int,
) -> None:
    """A7: with a `send` that is a silent no-op the loop must still come to see the client leave."""
    seen = 0
    blocks = threading.Semaphore(0)

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        while True:
            yield b"x" * size
            blocks.release()

    async def send(message: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            host.leave()
        for _ in range(3):  # the application is always ahead, so that there is something to send
            blocks.acquire(timeout=10)

    host = Host()
    await asyncio.wait_for(WSGIMiddleware(app)(scope(), host.receive, send), 10)


async def test_a_generator_is_closed_when_send_raises() -> None:
    """A7."""
    app = Endless()
    host = Host()

    async def send(message: Any) -> None:
        if len(host.body) > 3000:
            raise OSError("gone")
        await host.send(message)

    with pytest.raises(OSError, match="gone"):
        await WSGIMiddleware(app)(scope(), host.receive, send)
    assert await asyncio.to_thread(app.closed.wait, 10)


async def test_cancellation_is_passed_on_at_once() -> None:
    """A17: though the application does not look."""
    entered, release = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        entered.set()
        release.wait(10)
        start_response("200 OK", [])
        return [b"too late"]

    host = Host()
    call = asyncio.ensure_future(WSGIMiddleware(app)(scope(), host.receive, host.send))
    assert await asyncio.to_thread(entered.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    release.set()
    assert host.sent == []


async def test_an_exchange_abandoned_while_queued_never_calls_the_application() -> None:
    """A16."""
    entered, release = threading.Event(), threading.Event()
    calls: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        calls.append(environ["PATH_INFO"])
        entered.set()
        release.wait(10)
        start_response("200 OK", [])
        return [b""]

    middleware = WSGIMiddleware(app, threads=1)
    first, second = Host(), Host()
    running = asyncio.ensure_future(middleware(scope("/1"), first.receive, first.send))
    assert await asyncio.to_thread(entered.wait, 10)
    waiting = asyncio.ensure_future(middleware(scope("/2"), second.receive, second.send))
    await second.asked(2)  # its body is here: it is queued
    second.leave()
    await asyncio.wait_for(waiting, 10)
    release.set()
    await asyncio.wait_for(running, 10)
    await ask(middleware, scope("/3"))
    assert calls == ["/1", "/3"]


async def test_a_slow_client_holds_no_thread() -> None:
    """S3: its response waits in the spool."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return (b"x" * 10_000 for _ in range(300))

    middleware = WSGIMiddleware(app, threads=1, response_buffer=100_000)
    slow = Host()
    slow.hold()
    call = asyncio.ensure_future(middleware(scope(), slow.receive, slow.send))
    async with slow.news:
        await asyncio.wait_for(slow.news.wait_for(lambda: slow.sent), 10)
    assert len((await ask(middleware, scope())).body) == 3_000_000
    slow.read_on()
    await asyncio.wait_for(call, 10)
    assert len(slow.body) == 3_000_000


async def test_where_the_spool_is_full_the_application_waits_and_its_place_is_anothers() -> None:
    """S3: back-pressure counts bytes."""
    yielded: list[int] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(1000 if environ["PATH_INFO"] == "/long" else 1):
            yielded.append(number)
            yield b"x" * 1000

    middleware = WSGIMiddleware(app, threads=1, response_buffer=10_000, response_spool=20_000)
    slow = Host()
    slow.hold()
    call = asyncio.ensure_future(middleware(scope("/long"), slow.receive, slow.send))
    async with slow.news:
        await asyncio.wait_for(slow.news.wait_for(lambda: slow.sent), 10)
    assert len((await ask(middleware, scope())).body) == 1000
    assert len(yielded) < 100
    slow.read_on()
    await asyncio.wait_for(call, 10)
    assert len(slow.body) == 1_000_000


async def test_each_answer_is_its_own_whoever_leaves() -> None:
    """S6: hundreds of requests, many of whose clients leave or are cancelled at any moment."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        whole = environ["PATH_INFO"].encode() + body
        return [whole] if len(body) % 2 else iter([whole[:5], whole[5:]])

    middleware = WSGIMiddleware(app, threads=4)

    async def one(number: int) -> None:
        path, body = f"/{number:05}", b"b" * chance.randrange(20)
        host = Host(body)
        call = asyncio.ensure_future(
            middleware(scope(path, method="POST"), host.receive, host.send)
        )
        fate = chance.random()
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        if fate < 0.2:
            host.leave()
        elif fate < 0.4:
            call.cancel()
        await asyncio.wait([call], timeout=20)
        assert call.done(), seed
        if fate >= 0.4:
            call.result()
            assert (host.over, host.body) == (True, path.encode() + body), seed

    with switching(1e-5):
        for start in range(0, 1000, 50):
            await asyncio.gather(*map(one, range(start, start + 50)))
    room = middleware._rooms[asyncio.get_running_loop()]
    for _ in range(1000):
        if not room.dispatcher.running:
            break
        await asyncio.sleep(0.005)
    assert (room.dispatcher.running, room.dispatcher.waiting) == ([], 0)
    assert (room.budget.memory, room.budget.disk) == (0, 0)


def test_one_instance_serves_several_loops() -> None:
    """Test clients and hosts that restart their loop."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"again"]

    middleware = WSGIMiddleware(app)
    for _ in range(3):
        assert asyncio.run(ask(middleware, scope())).body == b"again"
    assert len(middleware._rooms) <= 2


STRANDED = """
import asyncio
from aiowsgi.asgi import WSGIMiddleware
from tests.asgi.host import Host, scope

def writes(environ, start_response):
    start_response("200 OK", [])
    while True:
        yield b"x" * 10_000

def reads(environ, start_response):
    environ["wsgi.input"].read()

loop = asyncio.new_event_loop()

async def main():
    slow = Host()
    slow.hold()
    middleware = WSGIMiddleware(writes, response_buffer=10_000, response_spool=10_000)
    loop.create_task(middleware(scope(), slow.receive, slow.send))
    late = Host(b"x" * 20_000, b"never")
    late._body.pop()
    streaming = WSGIMiddleware(reads, request_buffering=False, spool_threshold=10_000)
    late._body[0]["more_body"] = True
    loop.create_task(streaming(scope(method="POST"), late.receive, late.send))
    await asyncio.wait_for(asyncio.shield(slow.until(0)), 10)
    while not (slow.sent and late.received > 1):
        await asyncio.sleep(0)
    for app in (middleware, streaming):
        while not any(each.awaits_client for each in app._rooms[loop].dispatcher.running):
            await asyncio.sleep(0.01)

loop.run_until_complete(main())
print("ends")
"""


def test_a_dead_loop_strands_no_thread_and_no_exit() -> None:
    """A19: threads wait for a client whose loop nobody turns any more, and the process ends."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STRANDED], capture_output=True, timeout=40, text=True
    )
    assert (done.returncode, done.stdout) == (0, "ends\n"), done.stderr

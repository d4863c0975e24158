"""close() exactly once, however an exchange ends, and one context for all of it (P7, P8, P46)."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")
FOREVER = 10**9


class Body:
    """An iterable whose close() is counted, and whose iterator has one that must not be called."""

    def __init__(self, blocks: int = 3, *, fail_at: int = -1, size: int = 5) -> None:
        self.closed = 0
        self.iterated = 0
        self.iterator_closed = 0
        self.gave = threading.Event()
        self.over = threading.Event()
        self._blocks, self._fail_at, self._size = blocks, fail_at, size

    def __iter__(self) -> Body.Blocks:
        self.iterated += 1
        return Body.Blocks(self)

    def close(self) -> None:
        self.closed += 1
        self.over.set()

    class Blocks:
        """The iterator of a Body."""

        def __init__(self, body: Body) -> None:
            self._body, self._at = body, 0

        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            body = self._body
            if self._at == body._fail_at:
                raise ValueError("broken on purpose")
            if self._at == body._blocks:
                raise StopIteration
            self._at += 1
            body.gave.set()
            return b"x" * body._size

        def close(self) -> None:
            self._body.iterator_closed += 1


def serving(body: Body, status: str = "200 OK", length: int | None = None) -> Any:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        fields = TEXT if length is None else [*TEXT, ("Content-Length", str(length))]
        start_response(status, fields)
        return body

    return app


# The method, the status, how many blocks there are, which of them fails, and the Content-Length.
ENDS: dict[str, tuple[str, str, int, int, int | None]] = {
    "normal end": ("GET", "200 OK", 3, -1, None),
    "no block": ("GET", "200 OK", 0, -1, None),
    "error at once": ("GET", "200 OK", 3, 0, None),
    "error half way": ("GET", "200 OK", 3, 2, None),
    "HEAD": ("HEAD", "200 OK", 3, -1, None),
    "HEAD, endless": ("HEAD", "200 OK", FOREVER, -1, None),
    "304": ("GET", "304 Not Modified", 3, -1, None),
    "204, endless": ("GET", "204 No Content", FOREVER, -1, None),
    "too long": ("GET", "200 OK", FOREVER, -1, 12),
    "too short": ("GET", "200 OK", 2, -1, 12),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ENDS)
def test_the_iterable_is_closed_once_and_its_iterator_never(end: str, loop: str) -> None:
    """P7, P8: an endless body of which nobody wants more is closed, too."""
    method, status, blocks, fail_at, length = ENDS[end]
    body = Body(blocks, fail_at=fail_at)
    with live(serving(body, status, length), loop=loop) as server, Client(server) as client:
        client.ask(method)
        assert body.over.wait(10)
    assert (body.closed, body.iterator_closed) == (1, 0)
    assert body.iterated <= 1


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("how", ["close", "reset", "reads nothing"])
def test_a_client_that_leaves_ends_the_iteration(loop: str, version: str, how: str) -> None:
    """P7, S7: also where the application waits for it to read."""
    body = Body(FOREVER, size=100_000)
    options: dict[str, Any] = {"response_buffer": 1000, "response_spool": 300_000, "loop": loop}
    with live(serving(body), **options) as server, Client(server) as client:
        client.send(version=version)
        if how != "reads nothing":
            assert client.head()[0] == 200
        assert body.gave.wait(10)
        if how == "reset":
            client.reset()
        else:
            client.close()
        assert body.over.wait(10)
        with Client(server) as other:  # and its thread is free
            other.send()
            assert other.head()[0] == 200
    assert body.closed == 2


def test_a_list_that_can_be_closed_is_closed_once() -> None:
    """P7: after its body has left."""
    may_close, closed = threading.Event(), threading.Semaphore(0)

    class Closing(list[bytes]):
        def close(self) -> None:
            assert may_close.wait(10)
            closed.release()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return Closing([b"a", b"b"])

    with live(app) as server, Client(server) as client:
        assert client.ask().body == b"ab"  # while close() still waits
        may_close.set()
        assert closed.acquire(timeout=10)
        assert not closed.acquire(blocking=False)
        assert client.ask().body == b"ab"


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_an_error_of_close_after_the_body_is_only_logged(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """P7: the client has its answer, and may keep its connection."""

    class Failing(list[bytes]):
        def close(self) -> None:
            raise error("from close")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return Failing([b"body"])

    with live(app) as server, Client(server) as client:
        for _ in range(2):
            answer = client.ask()
            assert (answer.status, answer.body) == (200, b"body")
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.exc_info[0] for record in logged if record.exc_info] == [error, error]


def test_a_generator_sees_generatorexit_once_when_its_client_leaves() -> None:
    """P7: its finally runs on the thread that ran it."""
    seen: list[tuple[str, int]] = []
    over = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        seen.append(("begins", threading.get_ident()))
        try:
            while True:
                yield b"x" * 100_000
        except GeneratorExit:
            seen.append(("left", threading.get_ident()))
            raise
        finally:
            over.set()

    with live(app, response_buffer=1000, response_spool=1000) as server, Client(server) as client:
        client.send()
        client.head()
        client.close()
        assert over.wait(10)
    assert [name for name, _ in seen] == ["begins", "left"]
    assert len({thread for _, thread in seen}) == 1


class InContext:
    """Notes what VARIABLE is at each step of a request."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = threading.Semaphore(0)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(VARIABLE.get())
        VARIABLE.set(environ["PATH_INFO"])
        start_response("200 OK", TEXT)
        return self

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(2):
            self.seen.append(VARIABLE.get())
            yield b"x"

    def close(self) -> None:
        self.seen.append(VARIABLE.get())
        self.closed.release()


def ask_twice(port: int, app: InContext) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        for path in (b"/1", b"/2"):
            client.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
            assert app.closed.acquire(timeout=10)


def test_each_request_has_a_context_of_its_own_from_the_call_to_close() -> None:
    """P46: one thread runs both, and the second sees nothing of the first."""
    app = InContext()
    with live(app, threads=1) as server:
        ask_twice(server.port, app)
    assert app.seen == ["unset", "/1", "/1", "/1", "unset", "/2", "/2", "/2"]


async def test_the_context_in_which_the_server_was_started_is_the_ground_of_each() -> None:
    """P46: what a program set up before it serves, its requests see."""
    app = InContext()
    VARIABLE.set("before")
    async with Server(app, Config(port=0, access_log=False, threads=1)) as server:
        VARIABLE.set("after")
        port = int(server.url.rpartition(":")[2])
        await asyncio.to_thread(ask_twice, port, app)
    assert app.seen == ["before", "/1", "/1", "/1", "before", "/2", "/2", "/2"]

"""One exchange from start to end, whatever the application does in it (P43, P44, P46, S7)."""

from __future__ import annotations

import contextvars
import io
import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from aiowsgi.bridge.application import Application
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.input import InputStream
from aiowsgi.bridge.writer import Progress, ResponseWriter
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import Endpoints, RequestHead, ResponseDefaults
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.bridge.test_writer import Kernel

ENDPOINTS = Endpoints(("192.0.2.1", "5"), ("127.0.0.1", "80"))


class Around:
    """An exchange and what is around it: the kernel, the loop's wake-ups, the notes of its end."""

    def __init__(self, app: WSGIApplication, method: str = "GET", version: str = "1.1") -> None:
        self.kernel = Kernel()
        self.wakes = 0
        self.ended: list[Exchange] = []
        builder = EnvironBuilder()
        ticks = itertools.count(1)

        def clock() -> float:
            return float(next(ticks))

        application = Application(
            app,
            builder,
            context=contextvars.copy_context(),
            clock=clock,
            request_ids=map(str, itertools.count()),
            on_end=(self.ended.append,),
        )
        encoder = ResponseEncoder(method, version, True, ResponseDefaults())
        writer = ResponseWriter(
            encoder, self._wake, self.kernel.send_now, memory=1000, disk=None, clock=clock
        )
        head = RequestHead(method, "/p?secret", "/p", "secret", version, {})
        self.exchange = Exchange(
            application, head, writer, builder.connection(ENDPOINTS), self._wake
        )

    def _wake(self) -> None:
        self.wakes += 1

    @property
    def progress(self) -> Progress:
        return self.exchange.writer.take(10).progress


def returning(*blocks: bytes) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return list(blocks)

    return app


def test_an_exchange_ends_with_its_answer_sent_and_without_a_wake_up() -> None:
    around = Around(returning(b"body"))
    assert not around.exchange.done
    around.exchange.run()
    assert around.exchange.done
    assert around.kernel.sent.endswith(b"\r\n\r\nbody")
    assert around.exchange.writer.sent
    assert (around.wakes, around.ended) == (0, [around.exchange])
    assert around.exchange.writer.ended > 0


def test_settle_before_the_end_asks_for_one_wake_up() -> None:
    around = Around(returning(b"body"))
    assert not around.exchange.settle()
    around.exchange.run()
    assert around.wakes == 1
    assert around.exchange.settle()


def test_the_end_is_never_lost_between_settle_and_the_pool_thread() -> None:
    """Either settle() says that it is over, or a wake-up comes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(300):
            around = Around(returning(b"x"))
            thread = threading.Thread(target=around.exchange.run)
            thread.start()
            over = around.exchange.settle()
            thread.join(10)
            assert over or around.wakes == 1
    finally:
        sys.setswitchinterval(before)


class LockBefore:
    """A lock that does something as soon as it was released for the first time."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._then: Callable[[], None] | None = then

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()
        then, self._then = self._then, None
        if then is not None:
            then()


def test_whoever_comes_right_after_the_end_finds_it() -> None:
    """That it is over and that somebody wants to know is one look under the lock."""
    around = Around(returning(b"x"))
    found: list[bool] = []
    lock = LockBefore(lambda: found.append(around.exchange.settle()))
    around.exchange._lock = lock  # type: ignore[assignment]
    around.exchange.run()
    assert found == [True]


ENDING = [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError, ValueError]


@pytest.mark.parametrize("error", ENDING)
def test_whatever_the_application_raises_run_returns_and_the_client_has_a_500(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """P44, S13; and the log shows no query, which may hold secrets."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error("internal")

    around = Around(app)
    around.exchange.run()
    assert around.kernel.sent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"internal" not in around.kernel.sent
    assert around.exchange.writer.sent
    [record] = caplog.records
    assert record.getMessage() == "Error in GET /p"
    assert record.exc_info is not None
    assert record.exc_info[0] is error


@pytest.mark.parametrize("error", ENDING)
def test_whatever_is_raised_after_the_head_cuts(error: type[BaseException]) -> None:
    """P43, P44."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"begun")
        raise error

    around = Around(app)
    around.exchange.run()
    assert around.kernel.sent.endswith(b"5\r\nbegun\r\n")
    assert around.progress is Progress.CUT
    assert around.wakes == 1


def test_an_exchange_whose_client_left_in_the_queue_never_calls_the_application() -> None:
    """A16: but it ends, and its body is closed."""
    called: list[int] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(1)
        return []

    around = Around(app)
    body = io.BytesIO(b"body")
    around.exchange.with_body(body, 4)
    around.exchange.abandon("left")
    around.exchange.run()
    assert (called, body.closed, around.exchange.done) == ([], True, True)


def test_a_skipped_exchange_is_cut_and_over() -> None:
    around = Around(returning(b"never"))
    assert not around.exchange.settle()
    around.exchange.skip()
    assert around.kernel.sent == b""
    assert around.progress is Progress.CUT
    assert around.exchange.done
    assert around.wakes == 2  # the cut, and the end that settle() asked for


def test_a_reader_of_a_cut_body_raises_and_its_client_is_told_400() -> None:
    """P19: the exception is the application's to catch; uncaught, it is the client's fault."""
    raised: list[BaseException] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            raised.append(error)
            raise
        return []

    around = Around(app)
    stream = InputStream(lambda: None, 100)
    around.exchange.with_stream(stream)
    stream.feed(b"half")
    stream.abort("cut")
    around.exchange.run()
    assert [type(error) for error in raised] == [ClientDisconnected]
    assert around.kernel.sent.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nConnection: close\r\n" in around.kernel.sent


def test_abandon_frees_an_application_that_waits_for_its_body() -> None:
    """S7."""
    waiting = threading.Event()
    around = Around(lambda environ, start_response: [environ["wsgi.input"].read()])
    around.exchange.with_stream(InputStream(waiting.set, 100))
    thread = threading.Thread(target=around.exchange.run)
    thread.start()
    assert waiting.wait(10)
    around.exchange.abandon("left")
    thread.join(10)
    assert not thread.is_alive()
    assert around.kernel.sent == b""
    assert around.progress is Progress.CUT


def test_the_context_of_an_exchange_is_its_own() -> None:
    """P46."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        seen.append(variable.get())
        variable.set("mine")
        start_response("200 OK", [])
        yield b"a"
        seen.append(variable.get())

    around = Around(app)
    around.exchange.run()
    assert seen == ["unset", "mine"]
    assert variable.get() == "unset"

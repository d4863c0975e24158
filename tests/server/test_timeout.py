"""An application past its deadline: a 504, its stack, and its place for another (S10)."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, connections, get, post

SOON = 0.5  # seconds: more than a quick answer takes on a machine that has much else to do


class Slow:
    """Holds what is not `/` until the gate opens; says what its writes raised then."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.raised: list[BaseException | None] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/":
            start_response("200 OK", [])
            return [b"quick"]
        if path == "/hints":
            environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
        secret = environ["QUERY_STRING"]  # in the frame, and not in the log
        if path == "/begun":
            start_response("200 OK", [("Content-Length", "10")])
            return self.begun(environ)
        self.hold()
        write = start_response("200 OK", [])
        self.attempt(lambda: write(b"late"))
        del secret
        return [b"late"]

    def begun(self, environ: Environ) -> Iterator[bytes]:
        yield b"01234"
        self.hold()
        try:
            yield b"56789"
        except GeneratorExit:
            self.raised.append(None)
            raise

    def hold(self) -> None:
        self.entered.release()
        self.gate.wait(20)

    def attempt(self, call: Any) -> None:
        try:
            call()
        except ClientDisconnected as error:
            self.raised.append(error)
            raise
        self.raised.append(None)


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dispatcher(server: Live) -> Dispatcher:
    service: Any = server.server._service
    return service.dispatcher  # type: ignore[no-any-return]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_the_client_gets_504_the_log_the_stack_and_another_thread_the_place(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Slow()
    with live(app, loop=loop, threads=1, timeout=SOON) as server, Peer(server) as peer:
        try:
            answer = peer.ask(get(target=b"/slow?password"))
            assert (answer.status, answer.body) == (504, b"Gateway Timeout\n")
            assert answer.fields["connection"] == "close"
            assert peer.rest() == b""
            with Peer(server) as other:  # with one thread, which is still inside
                assert other.ask(GET).body == b"quick"
            server.wait(lambda: len(dispatcher(server).threads) == 1)
            (line,) = errors(caplog)
            assert re.match(r"<Exchange GET /slow> has run for \d", line)
            assert "in hold\n    self.gate.wait(20)\n" in line
            assert "password" not in line
            assert "concurrent" not in line
        finally:
            app.gate.set()
        server.wait(lambda: not dispatcher(server).threads and not connections(server))
        assert type(app.raised[0]) is ClientDisconnected
        assert len(errors(caplog)) == 1
        with Peer(server) as other:
            assert other.ask(GET).body == b"quick"


def test_every_request_in_turn_has_its_own_deadline(loop: str) -> None:
    """More stuck calls than threads, up to --max-streams."""
    app = Slow()
    with live(app, loop=loop, threads=1, max_streams=3, timeout=SOON) as server:
        peers = [Peer(server) for _ in range(3)]
        try:
            for peer in peers:
                peer.send(get(target=b"/slow"))
            assert [peer.answer().status for peer in peers] == [504] * 3
            with Peer(server) as other:
                assert other.ask(GET).body == b"quick"
        finally:
            app.gate.set()
            for peer in peers:
                peer.__exit__(None, None, None)


def test_where_no_place_is_left_the_clients_still_get_their_504(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Slow()
    with live(app, loop=loop, threads=1, max_streams=0, timeout=SOON) as server:
        try:
            with Peer(server) as peer, Peer(server) as other:
                assert peer.ask(get(target=b"/slow")).status == 504
                other.send(GET)
                server.wait(lambda: any("stuck in all of them" in e for e in errors(caplog)))
                service: Any = server.server._service
                then = service.now
                server.wait(lambda: service.now > then + SOON)  # some sweeps, each of which asks
                app.gate.set()
                assert other.answer().body == b"quick"
        finally:
            app.gate.set()
        assert sum("stuck in all of them" in e for e in errors(caplog)) == 1


def test_what_has_begun_is_cut_and_never_looks_complete(loop: str) -> None:
    """It computes between its blocks, and is no stream yet."""
    app = Slow()
    with live(app, loop=loop, threads=1, timeout=SOON) as server, Peer(server) as peer:
        try:
            peer.send(get(target=b"/begun"))
            assert app.entered.acquire(timeout=10)
            assert peer.peek_until(b"01234")
            try:
                answer = peer.answer()
            except ConnectionResetError:
                pass
            else:
                assert (answer.body, answer.whole) == (b"01234", False)
            with Peer(server) as other:
                assert other.ask(GET).body == b"quick"
        finally:
            app.gate.set()
        server.wait(lambda: not dispatcher(server).threads)
        assert app.raised == [None]  # the iterable was closed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_answer_fits_the_request(loop: str, method: str) -> None:
    app = Slow()
    with live(app, loop=loop, threads=1, timeout=SOON) as server, Peer(server) as peer:
        try:
            raw = get(target=b"/slow").replace(b"GET", method.encode())
            if method == "POST":
                raw = post(3, body=b"abc").replace(b"POST / ", b"POST /slow ")
            assert peer.ask(raw, method).status == 504
            assert peer.rest() == b""
        finally:
            app.gate.set()


def test_hints_come_before_it(loop: str) -> None:
    app = Slow()
    with live(app, loop=loop, threads=1, timeout=SOON) as server, Peer(server) as peer:
        try:
            hints = peer.ask(get(target=b"/hints"))
            assert (hints.status, hints.fields["link"]) == (103, "</a.css>; rel=preload")
            assert peer.answer().status == 504
            assert peer.rest() == b""
        finally:
            app.gate.set()


def test_an_upload_that_stalls_is_not_the_applications_fault(loop: str) -> None:
    """Whoever waits for a client is a stream, and not counted."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]

    with live(app, loop=loop, threads=1, timeout=SOON, request_buffering=False) as server:
        with Peer(server) as peer:
            peer.send(post(6, body=b"abc"))
            assert not peer.readable(2 * SOON)
            assert peer.ask(b"def").body == b"abcdef"

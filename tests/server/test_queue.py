"""A request too many, or too old, gets a 503 and never a hang; the application is spared (S9)."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import pytest

from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Answer, Peer, connections, get, post
from tests.server.stuck import Stuck, all_stuck

UP = {"health_path": "/up"}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dispatcher(server: Live) -> Dispatcher:
    service: Any = server.server._service
    found: Dispatcher = service.dispatcher
    return found


def queue(server: Live, stack: ExitStack, *paths: bytes) -> list[Peer]:
    """Clients whose requests wait for a thread when this returns."""
    peers = []
    for path in paths:
        before = dispatcher(server).waiting
        peer = stack.enter_context(Peer(server))
        peer.send(get(target=path))
        server.wait(lambda before=before: dispatcher(server).waiting == before + 1)  # type: ignore[misc]
        peers.append(peer)
    return peers


def assert_refused(peer: Peer, answer: Answer) -> None:
    assert (answer.status, answer.body) == (503, b"Service Unavailable\n")
    assert answer.fields["retry-after"].isdigit()
    assert answer.fields["connection"] == "close"
    assert peer.rest() == b""


def test_a_request_that_comes_when_the_queue_is_full_gets_a_503(loop: str) -> None:
    app = Stuck()
    with all_stuck(app, 1, loop=loop, limit_queue=2) as (server, running), ExitStack() as stack:
        waiting = queue(server, stack, b"/1", b"/2")
        for raw in (GET, post(5, body=b"hello"), get(target=b"/3") * 5):
            with Peer(server) as peer:
                assert_refused(peer, peer.ask(raw))
        assert dispatcher(server).waiting == 2
        app.release.set()
        assert [peer.answer().body for peer in running + waiting] == [b"late"] * 3
        assert waiting[0].ask(GET).status == 200
    assert app.called == ["/stuck", "/1", "/2", "/"]


def test_a_connection_is_no_request(loop: str) -> None:
    """An idle keep-alive connection counts for nothing; its next request does."""
    app = Stuck()
    with live(app, loop=loop, threads=1, limit_queue=1) as server, ExitStack() as stack:
        stack.enter_context(app)
        app.release.set()
        idle = [stack.enter_context(Peer(server)) for _ in range(5)]
        assert [peer.ask(GET).status for peer in idle] == [200] * 5
        app.release.clear()
        idle[0].send(GET)
        for _ in range(6):
            assert app.entered.acquire(timeout=10)
        idle[1].send(GET)
        server.wait(lambda: dispatcher(server).waiting == 1)
        assert_refused(idle[2], idle[2].ask(GET))
        app.release.set()
        assert [peer.answer().status for peer in idle[:2]] == [200, 200]


def test_what_free_threads_will_take_at_once_does_not_wait(loop: str) -> None:
    """A crowd in one turn of the loop is not refused while there is a thread for each."""
    together = threading.Barrier(8, timeout=10)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        together.wait()
        start_response("200 OK", [])
        return []

    with live(app, loop=loop, threads=8, limit_queue=0) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server)) for _ in range(8)]
        server.wait(lambda: len(connections(server)) == 8)
        service: Any = server.server._service
        service.wakes.put(lambda: time.sleep(0.2))  # the loop reads them in one turn
        for peer in peers:
            peer.send(GET)
        assert [peer.answer().status for peer in peers] == [200] * 8


def test_without_a_queue_a_request_is_refused_where_no_thread_is_free(loop: str) -> None:
    with all_stuck(Stuck(), 1, loop=loop, limit_queue=0) as (server, _), Peer(server) as peer:
        assert_refused(peer, peer.ask(GET))


def test_a_client_that_has_left_does_not_count(loop: str) -> None:
    """And nothing of it stays behind."""
    app = Stuck()
    with all_stuck(app, 1, loop=loop, limit_queue=1) as (server, _), ExitStack() as stack:
        [leaver] = queue(server, stack, b"/left")
        leaver.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        leaver.__exit__(None, None, None)
        server.wait(lambda: dispatcher(server).waiting == 0)
        server.wait(lambda: len(connections(server)) == 1)
        [patient] = queue(server, stack, b"/patient")
        app.release.set()
        assert patient.answer().status == 200
    assert app.called == ["/stuck", "/patient"]


def test_readiness_fails_while_requests_are_refused_and_health_does_not(loop: str) -> None:
    """S17."""
    app = Stuck()
    with all_stuck(app, 1, loop=loop, limit_queue=1, **UP) as (server, running):
        with Peer(server) as probe, ExitStack() as stack:
            assert probe.ask(get(target=b"/up?ready")).status == 200
            waiting = queue(server, stack, b"/1")
            answer = probe.ask(get(target=b"/up?ready"))
            assert (answer.status, answer.body) == (503, b"shedding")
            assert probe.ask(get(target=b"/up")).status == 200
            app.release.set()
            assert [peer.answer().status for peer in running + waiting] == [200, 200]
            assert probe.ask(get(target=b"/up?ready")).status == 200


def test_a_request_that_waits_too_long_gets_a_503_and_is_not_run(loop: str) -> None:
    app = Stuck()
    with all_stuck(app, 1, loop=loop, queue_timeout=1.0) as (server, running):
        with Peer(server) as first, Peer(server) as second:
            first.send(get(target=b"/late"))
            second.send(post(5, body=b"hello") + GET)
            assert_refused(first, first.answer())
            assert_refused(second, second.answer())
        assert dispatcher(server).waiting == 0
        app.release.set()
        assert running[0].answer().body == b"late"  # one that runs has all the time it wants
        assert running[0].ask(GET).status == 200
    assert app.called == ["/stuck", "/"]


def test_a_streamed_upload_that_waits_too_long_gets_a_503(loop: str) -> None:
    """H9: without a look at its body, which was not even asked for (P42)."""
    app, options = Stuck(), {"queue_timeout": 0.2, "request_buffering": False}
    with all_stuck(app, 1, loop=loop, **options) as (server, _), Peer(server) as peer:
        assert_refused(peer, peer.ask(post(5, b"Expect: 100-continue")))
    assert app.called == ["/stuck"]


def test_refusals_are_told_once_per_sweep(caplog: pytest.LogCaptureFixture) -> None:
    def refused() -> int:
        told = [record.getMessage() for record in caplog.records]
        return sum(int(line.split()[5]) for line in told if line.startswith("No thread was"))

    with caplog.at_level(logging.WARNING, "aiowsgi.error"):
        with all_stuck(Stuck(), 1, limit_queue=0) as (server, _):
            for _ in range(20):
                with Peer(server) as peer:
                    assert peer.ask(GET).status == 503
            server.wait(lambda: refused() == 20)
    assert len(caplog.records) < 10

"""An application that takes long is named in the log while it still runs, once."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import LOOPS, Peer, get


class Held:
    """Holds each call until the gate opens."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.gate.wait(20)
        start_response("200 OK", [])
        return [b"late"]


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def sweeps(server: Live, count: int) -> None:
    """Wait for so many sweeps."""
    service = server.server._service
    assert service is not None
    for _ in range(count):
        then = service.now
        server.wait(lambda then=then: service.now > then)  # type: ignore[misc]


def test_it_is_warned_of_once_with_its_stack_and_answered_all_the_same(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Held()
    with live(app, loop=loop, slow_request=0.05) as server, Peer(server) as peer:
        try:
            for turn in (1, 2):
                peer.send(get(target=b"/a%0a?password"))
                server.wait(lambda turn=turn: len(warnings(caplog)) == turn)  # type: ignore[misc]
                sweeps(server, 3)
                app.gate.set()
                assert peer.answer().body == b"late"
                app.gate.clear()
        finally:
            app.gate.set()
    lines = warnings(caplog)
    assert len(lines) == 2
    assert re.match(r"<Exchange GET /a%0a> is slow: \d", lines[0])
    assert "in __call__\n    self.gate.wait(20)\n" in lines[0]
    assert "password" not in "".join(lines)


def test_it_is_not_warned_of_without_the_option(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Held()
    with live(app, loop=loop, stream_after=0.05) as server, Peer(server) as peer:
        try:
            peer.send(get())
            sweeps(server, 5)
            assert warnings(caplog) == []
        finally:
            app.gate.set()
        assert peer.answer().body == b"late"


def test_a_stream_is_not_slow(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"data: 1\n\n"
        gate.wait(20)

    with live(app, loop=loop, slow_request=0.5) as server, Peer(server) as peer:
        try:
            peer.send(get())
            assert peer.peek_until(b"data: 1")
            sweeps(server, 6)  # of which each is a quarter of that after the one before
            assert warnings(caplog) == []
        finally:
            gate.set()

"""What a closed connection held is freed without the garbage collector (S20, P30)."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Iterable

import pytest

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.input import InputStream
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.server.connection import Connection
from aiowsgi.server.inbound import Inbound
from aiowsgi.server.outbound import Outbound
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.switching import switching

OURS = {Connection, Exchange, ResponseWriter, Inbound, Outbound, Call, InputStream}


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    size = len(environ["wsgi.input"].read())
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError("on purpose")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/blocks":
        return (b"x" * size for _ in range(3))
    return [b"x" * size]


def alive() -> Counter[str]:
    # Nobody else runs meanwhile: what they are just making would not bear that we know of it.
    with switching(10):
        kinds = (type(thing) for thing in gc.get_objects())
        return Counter(kind.__name__ for kind in kinds if kind in OURS)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
def test_nothing_of_a_closed_connection_stays(
    loop: str, buffering: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A record of the log that pytest captures would keep the traceback and all its frames.
    monkeypatch.setattr(logging.getLogger("aiowsgi.error"), "disabled", True)
    body = b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n%b\r\nabc"
    paths = [b"", b"blocks", b"raise", b"missing"]
    gc.collect()
    before = alive()  # what a failure of another test keeps, with its frames
    with live(app, loop=loop, request_buffering=buffering, threads=2) as server:
        server.talk(b"GET / HTTP/1.0\r\n\r\n")
        gc.collect()
        gc.disable()
        try:
            for path in paths * 3:
                raw = body % (path, b"") * 2 + body % (path, b"Connection: close\r\n")
                assert server.talk(raw).count(b"HTTP/1.1 ") == 3
            with server.connect() as client:  # one that leaves in the middle
                client.sendall(body[:40])
            server.talk(b"GET / HTTP/1.0\r\n\r\n")
            # Waited for, since the loop may still be in the last call of the last connection.
            server.wait(lambda: not alive() - before)
        finally:
            gc.enable()

"""Requests that came together are answered one by one, without a timer's help (P2, H2)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.server.phases import Timeouts
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client


@pytest.fixture(autouse=True)
def _no_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep of all deadlines would bring a forgotten connection to life: let it be far away."""
    monkeypatch.setattr(Timeouts, "tick", lambda self: 3600.0)


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["PATH_INFO"].encode() + environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [body] if environ["QUERY_STRING"] != "blocks" else iter([body[:1], body[1:]])


REQUESTS = {
    "no body": b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n",
    "blocks": b"GET /%d?blocks HTTP/1.1\r\nHost: a\r\n\r\n",
    "sized": b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
    "chunked": b"POST /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nbody\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_of_one_packet_are_answered_in_order(
    loop: str, buffering: bool, kind: str
) -> None:
    """H2: the end of each wakes the loop for the next."""
    with live(echo, loop=loop, request_buffering=buffering) as server, Client(server) as client:
        client.socket.sendall(b"".join(REQUESTS[kind] % number for number in range(50)))
        for number in range(50):
            answer = client.read()
            assert (answer.status, answer.body[: len(b"/%d" % number)]) == (200, b"/%d" % number)
        assert client.ask("GET", "/after").body == b"/after"


def test_thousands_of_requests_in_one_read_are_not_thousands_of_calls_deep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """H2: even where the pool is so fast that each is over before its submission returns."""
    monkeypatch.setattr(Dispatcher, "submit", lambda self, exchange: exchange.run())
    with live(echo) as server, Client(server) as client:
        client.socket.sendall(REQUESTS["no body"] % 1 * 2000)
        assert {client.read().body for _ in range(2000)} == {b"/1"}


def test_a_request_that_came_during_an_exchange_is_answered_after_it() -> None:
    """H2, for more than is kept unparsed: reading pauses and goes on."""
    with live(echo) as server, Client(server) as client:
        request = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n" + b"b" * 30000
        client.socket.sendall(request)
        client.socket.sendall(request * 20)
        for _ in range(21):
            assert client.read().body == b"/x" + b"b" * 30000


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("framing", ["sized", "chunked"])
def test_reading_goes_on_after_a_streamed_body_that_had_made_it_pause(
    loop: str, framing: str
) -> None:
    """H1: the body was more than is held at once, and its end came with it."""
    options = {"loop": loop, "request_buffering": False, "spool_threshold": 64}
    with live(echo, **options) as server, Client(server) as client:
        for size in (1000, 100, 100_000):
            answer = client.upload(b"b" * size, chunked=framing == "chunked")
            assert answer.body == b"/" + b"b" * size

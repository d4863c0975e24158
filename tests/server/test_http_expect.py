"""100 Continue: sent when the body is wanted, and not a moment before (P42, H10)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.http_client import (
    GET,
    LOOPS,
    Answer,
    Peer,
    deaf,
    get,
    post,
    same,
    turn_of_the_loop,
)

EXPECT = b"Expect: 100-continue"
CONTINUE = Answer(100, {}, b"")
WAYS: list[dict[str, Any]] = [{}, {"request_buffering": False}]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("options", WAYS, ids=["buffered", "streamed"])
def test_a_body_that_is_wanted_is_asked_for_once(loop: str, options: dict[str, Any]) -> None:
    """P42: one 100 per request, on every request of the connection."""
    with live(same, loop=loop, **options) as server, Peer(server) as peer:
        for _ in range(3):
            assert peer.ask(post(5, EXPECT)) == CONTINUE
            peer.send(b"he")
            peer.send(b"llo")
            assert peer.answer().body == b"hello"
        chunks = get(EXPECT, b"Transfer-Encoding: chunked")
        assert peer.ask(chunks) == CONTINUE
        assert peer.ask(b"2\r\nhi\r\n0\r\n\r\n").body == b"hi"


@pytest.mark.parametrize("options", WAYS, ids=["buffered", "streamed"])
@pytest.mark.parametrize(
    "raw",
    [
        post(5, EXPECT, body=b"hello"),
        get(EXPECT, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
        post(5, EXPECT, body=b"hello").replace(b"1.1", b"1.0"),
    ],
)
def test_a_body_that_is_here_is_not_asked_for(raw: bytes, options: dict[str, Any]) -> None:
    """P42, RFC 9110 10.1.1: and HTTP/1.0 knows no 100."""
    with live(same, **options) as server, Peer(server) as peer:
        answer = peer.ask(raw)
        assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize("options", WAYS, ids=["buffered", "streamed"])
def test_a_body_that_has_begun_is_not_asked_for(options: dict[str, Any]) -> None:
    """RFC 9110 10.1.1: its client does not wait."""
    with live(same, **options) as server, Peer(server) as peer:
        peer.send(post(5, EXPECT, body=b"he"))
        turn_of_the_loop(server)
        answer = peer.ask(b"llo")
        assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize("options", WAYS, ids=["buffered", "streamed"])
def test_nothing_is_asked_for_where_there_is_no_body(options: dict[str, Any]) -> None:
    """P42."""
    with live(same, **options) as server, Peer(server) as peer:
        for raw in (get(EXPECT), post(0, EXPECT)) * 2:
            assert peer.ask(raw).status == 200


@pytest.mark.parametrize("loop", LOOPS)
def test_streamed_the_first_read_asks(loop: str) -> None:
    """P42: lazily; the application may look at the head as long as it likes."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return same(environ, start_response)

    with live(app, loop=loop, request_buffering=False) as server, Peer(server) as peer:
        peer.send(post(5, EXPECT))
        turn_of_the_loop(server)
        assert not peer.readable()
        going_on.set()
        assert peer.answer() == CONTINUE
        assert peer.ask(b"hello").body == b"hello"


@pytest.mark.parametrize("loop", LOOPS)
def test_streamed_an_answer_without_a_read_asks_for_nothing_and_closes(loop: str) -> None:
    """P42, H9: whether the body still comes cannot be known."""
    with live(deaf, loop=loop, request_buffering=False) as server, Peer(server) as peer:
        answer = peer.ask(post(5, EXPECT))
        assert (answer.status, answer.body) == (200, b"heard nothing")
        assert answer.fields["connection"] == "close"
        assert peer.rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_streamed_no_100_after_the_answer_has_begun(loop: str) -> None:
    """P42: the client would take it for the next answer's."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"first ")
        return [environ["wsgi.input"].read()]

    with live(app, loop=loop, request_buffering=False) as server, Peer(server) as peer:
        peer.send(post(4, EXPECT))
        assert peer.peek_until(b"first ").startswith(b"HTTP/1.1 200 OK\r\n")
        peer.send(b"then")
        answer = peer.answer()
        assert (answer.body, answer.whole) == (b"first then", True)


@pytest.mark.parametrize("options", WAYS, ids=["buffered", "streamed"])
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (post(11, EXPECT), 413),
        (get(b"Expect: a-miracle"), 417),
        (post(5, EXPECT, b"Expect: a-miracle"), 417),
        (get(EXPECT, b"Transfer-Encoding: gzip"), 501),
    ],
)
def test_a_refused_body_is_not_asked_for(raw: bytes, status: int, options: dict[str, Any]) -> None:
    """P42, H10, S1: the answer is known."""
    with live(same, limit_request_body=10, **options) as server, Peer(server) as peer:
        assert peer.ask(raw).status == status
        assert peer.rest() == b""


def test_a_pipelined_body_is_asked_for_after_the_answer_before_it() -> None:
    """P42, H2: an interim response belongs to its own request's turn."""
    with live(same) as server, Peer(server) as peer:
        peer.send(post(3, body=b"one") + post(3, EXPECT))
        assert peer.answer().body == b"one"
        assert peer.answer() == CONTINUE
        assert peer.ask(b"two").body == b"two"
        assert peer.ask(GET).status == 200

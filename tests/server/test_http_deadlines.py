"""Deadlines of a connection, waited for on the socket that they close (S2, H21).

A silent connection is the clock of these tests: the server closes it after `header_timeout`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import pytest

from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, deaf, get, post, same, turn_of_the_loop

SOON: dict[str, Any] = {
    "keep_alive": 0.2,
    "header_timeout": 0.2,
    "body_timeout": 0.2,
    "send_timeout": 0.2,
}
NEVER: dict[str, Any] = dict.fromkeys(SOON, 600)
WAYS = pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])


def only(**short: float) -> dict[str, Any]:
    """One short deadline, and the others out of the way."""
    return {**NEVER, **short}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def time_passes(server: Live) -> None:
    """Return when the header timeout of a connection made now is over."""
    with Peer(server) as silent:
        assert silent.rest() == b""


def drip(peer: Peer, raw: Iterable[bytes]) -> None:
    """Send the pieces with a little time between, until the server says something."""
    for piece in raw:
        peer.send(piece)
        if peer.readable(0.05):
            return
    raise AssertionError("the server has taken it all")


def test_a_client_that_never_speaks_is_closed_without_a_word(loop: str) -> None:
    with live(deaf, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        assert peer.rest() == b""


def test_half_a_head_gets_a_408(loop: str) -> None:
    """And the connection is closed."""
    with live(deaf, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        answer = peer.ask(GET[:-2])
        assert (answer.status, answer.fields["connection"]) == (408, "close")
        assert peer.rest() == b""


def test_half_a_head_after_an_answer_gets_a_408(loop: str) -> None:
    """The first byte ends the idle time and begins the head's."""
    with live(deaf, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        assert peer.ask(GET).status == 200
        assert peer.ask(GET[:-2]).status == 408
        assert peer.rest() == b""


def test_half_a_head_that_came_during_an_exchange_gets_a_408(loop: str) -> None:
    """Its time begins when its turn has come."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return deaf(environ, start_response)

    with live(app, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        peer.send(GET + GET[:-2])
        turn_of_the_loop(server)
        going_on.set()
        assert peer.answer().status == 200
        assert peer.answer().status == 408


def test_drips_do_not_extend_the_time_of_a_head(loop: str) -> None:
    with live(deaf, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        drip(peer, [b"GET / HTTP/1.1\r\nX: ", *repeat(b"y", 200)])
        assert peer.answer().status == 408


def test_an_idle_connection_is_closed_without_a_word(loop: str) -> None:
    """And only then: not before its first answer."""
    with live(deaf, loop=loop, **only(keep_alive=0.2)) as server, Peer(server) as peer:
        for _ in range(3):
            assert peer.ask(GET).status == 200
        assert peer.rest() == b""


def test_an_idle_connection_has_its_own_deadline_and_not_the_heads(loop: str) -> None:
    with live(deaf, loop=loop, **only(header_timeout=0.2)) as server, Peer(server) as peer:
        assert peer.ask(GET).status == 200
        for _ in range(2):
            time_passes(server)
            assert peer.ask(GET).status == 200


def test_a_body_that_stops_gets_a_408_and_starts_nothing(loop: str) -> None:
    """P19."""
    called: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ["PATH_INFO"])
        return deaf(environ, start_response)

    with live(app, loop=loop, **only(body_timeout=0.2)) as server, Peer(server) as peer:
        answer = peer.ask(post(10, body=b"half"))
        assert (answer.status, answer.fields["connection"]) == (408, "close")
        assert peer.rest() == b""
    assert called == []


def test_a_streamed_body_that_stops_ends_the_read_and_gets_a_408(loop: str) -> None:
    """P19: read() raises."""
    ended: list[object] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            ended.append(type(error))
            raise
        return deaf(environ, start_response)

    options = {**only(body_timeout=0.2), "request_buffering": False}
    with live(app, loop=loop, **options) as server, Peer(server) as peer:
        answer = peer.ask(post(10, body=b"half"))
        assert (answer.status, answer.fields["connection"]) == (408, "close")
        assert peer.rest() == b""
    assert ended == [ClientDisconnected]


def test_a_body_that_drips_gets_a_408(loop: str) -> None:
    """500 bytes a second on average, once the body timeout is over."""
    with live(same, loop=loop, **only(body_timeout=0.3)) as server, Peer(server) as peer:
        drip(peer, [post(1000), *repeat(b"x", 400)])
        assert peer.answer().status == 408


@WAYS
def test_a_body_that_comes_fast_enough_may_take_longer_than_its_timeout(
    loop: str, buffering: bool
) -> None:
    options = {**SOON, "body_timeout": 0.8, "request_buffering": buffering}
    with live(same, loop=loop, **options) as server, Peer(server) as peer:
        peer.send(post(40_000))
        for _ in range(5):
            peer.send(b"x" * 8_000)
            time_passes(server)
        assert len(peer.answer().body) == 40_000


def test_the_unread_rest_of_a_body_has_the_deadline_too(loop: str) -> None:
    """H9: the request has its answer, so there is no 408."""
    options = {**only(body_timeout=0.2), "request_buffering": False}
    with live(deaf, loop=loop, **options) as server, Peer(server) as peer:
        assert peer.ask(post(10, body=b"half")).status == 200
        assert peer.rest() == b""


@WAYS
def test_an_application_may_take_its_time(loop: str, buffering: bool) -> None:
    """Never while a request of it is queued or under way."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return same(environ, start_response)

    with live(app, loop=loop, threads=1, request_buffering=buffering, **SOON) as server:
        with Peer(server) as peer, Peer(server) as queued:
            peer.send(post(5, body=b"hello"))
            queued.send(post(5, body=b"other"))
            for _ in range(2):
                time_passes(server)
            going_on.set()
            assert peer.answer().body == b"hello"
            assert queued.answer().body == b"other"


def test_a_body_that_was_never_asked_for_is_not_late(loop: str) -> None:
    """P42, S2: the time counts from the 100, and not from the head."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return same(environ, start_response)

    options = {**SOON, "keep_alive": 600, "body_timeout": 0.8, "request_buffering": False}
    with live(app, loop=loop, **options) as server, Peer(server) as peer:
        peer.send(post(5, b"Expect: 100-continue"))
        for _ in range(4):
            time_passes(server)
        going_on.set()
        assert peer.answer().status == 100
        time_passes(server)
        assert peer.ask(b"hello").body == b"hello"


def test_a_client_that_does_not_read_is_cut(loop: str) -> None:
    """S7: the application learns of it, and its iterable is closed."""
    closed = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield from repeat(b"x" * 100_000)
        finally:
            closed.set()

    options = {**only(send_timeout=0.3), "response_buffer": 100_000, "response_spool": 1_000_000}
    with live(app, loop=loop, **options) as server, Peer(server, receive=4096) as peer:
        peer.send(GET)
        assert closed.wait(10)
        assert not peer.answer().whole


def test_a_client_that_reads_slowly_is_not_cut(loop: str) -> None:
    """Progress is enough."""
    size = 20_000_000

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * size]

    options = {**SOON, "send_timeout": 0.8}
    with live(app, loop=loop, **options) as server, Peer(server, receive=4096) as peer:
        peer.send(GET)
        peer.peek_until(b"\r\n\r\n")
        for _ in range(5):
            taken = sum(len(peer.socket.recv(65536)) for _ in range(40))
            assert taken
            time_passes(server)


LATE = {  # what is sent first, and what is sent when it would be late
    "keep_alive": (GET, GET),
    "header_timeout": (GET[:-2], GET[-2:]),
    "body_timeout": (post(5, body=b"four"), b"5"),
}


@pytest.mark.parametrize("name", LATE)
def test_without_a_deadline_nothing_is_late(name: str) -> None:
    """`none` = no limit."""
    first, then = LATE[name]
    with live(deaf, **{**SOON, name: None}) as server, Peer(server) as peer:
        peer.send(first)
        if name == "keep_alive":
            assert peer.answer().status == 200
        for _ in range(3):
            with Peer(server) as clock:  # whose own deadline is another one
                clock.send(GET if name == "header_timeout" else GET[:-2])
                clock.answer()
                clock.rest()
        assert peer.ask(then).status == 200


def test_keep_alive_of_nothing_closes_after_each_answer(loop: str) -> None:
    with live(deaf, loop=loop, **only(keep_alive=0)) as server, Peer(server) as peer:
        assert peer.ask(get()).status == 200
        assert peer.rest() == b""

"""Streamed bodies that nobody reads, or that never come whole (H9, H21, P19, P25)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, deaf, get, post, same, turn_of_the_loop

CHUNKED = get(b"Transfer-Encoding: chunked").replace(b"GET", b"POST")
SMALL, LARGE = 60_000, 200_000


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(deaf, loop=request.param, request_buffering=False) as running:
        yield running


@pytest.mark.parametrize("late", [False, True], ids=["with its head", "after the answer"])
def test_a_small_rest_is_dropped_and_the_connection_kept(server: Live, late: bool) -> None:
    """H9."""
    body = GET * (SMALL // len(GET))  # read as requests, it would show
    with Peer(server) as peer:
        for _ in range(3):
            peer.send(post(len(body)) if late else post(len(body), body=body))
            answer = peer.answer()
            assert "connection" not in answer.fields
            if late:
                peer.send(body)
        assert peer.ask(GET).body == b"heard nothing"
        assert not peer.readable()


def test_a_small_rest_is_dropped_where_less_is_kept_for_the_application() -> None:
    """H9: reading had paused, and goes on."""
    options: dict[str, Any] = {"request_buffering": False, "spool_threshold": 1000}
    with live(deaf, **options) as tight, Peer(tight) as peer:
        for _ in range(3):
            peer.send(post(SMALL, body=b"x" * (SMALL - 1)))
            assert "connection" not in peer.answer().fields
            assert peer.ask(b"x" + GET).status == 200


def test_a_large_rest_is_not_waited_for(server: Live) -> None:
    """H9, H21: the answer says close, the client can read it while it sends, and the end comes."""
    with Peer(server) as peer:
        peer.send(post(LARGE, body=b"x" * 1000))
        answer = peer.answer()
        assert (answer.status, answer.fields["connection"]) == (200, "close")
        peer.send(b"x" * (LARGE - 1000))
        assert peer.rest() == b""


def test_a_rest_of_unknown_length_is_not_waited_for(server: Live) -> None:
    """H9: chunked."""
    with Peer(server) as peer:
        peer.send(CHUNKED)
        assert peer.answer().fields["connection"] == "close"
        assert peer.rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_the_rest_counts_from_what_was_read(loop: str) -> None:
    """H9: of a large body that is nearly here, the rest is small."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(LARGE)
        return deaf(environ, start_response)

    with live(app, loop=loop, request_buffering=False) as server, Peer(server) as peer:
        peer.send(post(LARGE + 10, body=b"x" * LARGE))
        assert "connection" not in peer.answer().fields
        peer.send(b"x" * 10)
        assert peer.ask(post(LARGE, body=b"x" * LARGE)).status == 200


def test_an_answer_is_not_lost_to_a_reset(server: Live) -> None:
    """H21."""
    for _ in range(50):  # a reset would come by chance
        with Peer(server) as peer:
            peer.send(post(10 * LARGE, body=b"x" * LARGE))
            assert peer.answer().body == b"heard nothing"
            assert peer.rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("rest", [100, LARGE])
def test_an_unread_body_that_is_cut_is_not_waited_for(loop: str, rest: int) -> None:
    """H9, H19: the end came while the application was at work."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return deaf(environ, start_response)

    with live(app, loop=loop, request_buffering=False) as server, Peer(server) as peer:
        peer.send(post(rest, body=b"x"))
        peer.half_close()
        turn_of_the_loop(server)
        going_on.set()
        assert peer.answer().body == b"heard nothing"
        assert peer.rest() == b""


def test_an_unread_body_that_is_cut_after_the_answer_is_not_waited_for(server: Live) -> None:
    """H9, H19."""
    with Peer(server) as peer:
        peer.send(post(100, body=b"x"))
        assert peer.answer().body == b"heard nothing"
        peer.half_close()
        assert peer.rest() == b""


class Reader:
    """Reads the body, and remembers how that ended."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.found: list[object] = []
        self.ended = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.started.set()
        try:
            self.found.append(environ["wsgi.input"].read())
        except BaseException as error:
            self.found.append(type(error))
            raise
        finally:
            self.ended.set()
        start_response("200 OK", [])
        return [b"complete"]


CUT = [post(5, body=b"hell"), CHUNKED + b"4\r\nhell\r\n", CHUNKED + b"4\r\nhell\r\n0\r\n", CHUNKED]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("raw", CUT, ids=["sized", "chunked", "no empty line", "no chunk"])
@pytest.mark.parametrize("how", ["half-closed", "closed", "pipelined"])
def test_a_body_that_is_cut_never_looks_complete(loop: str, raw: bytes, how: str) -> None:
    """P19: read() raises a ConnectionError, for the second request of a packet too."""
    reader = Reader()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        one = environ["PATH_INFO"] == "/first"
        return same(environ, start_response) if one else reader(environ, start_response)

    with live(app, loop=loop, request_buffering=False) as server:
        with Peer(server) as peer:
            peer.send((get(target=b"/first") if how == "pipelined" else b"") + raw)
            if how != "closed":
                peer.half_close()
                if how == "pipelined":
                    assert peer.answer().body == b""
                answer = peer.answer()
                assert (answer.status, answer.fields["connection"]) == (400, "close")
                assert peer.rest() == b""
            else:
                assert reader.started.wait(10)
        assert reader.ended.wait(10)
    assert reader.found == [ClientDisconnected]


REFUSED: list[tuple[bytes, int]] = [
    (b"1\r\nhi\r\n", 400),
    (b"z\r\n", 400),
    (b"b\r\n" + b"x" * 11 + b"\r\n", 413),
    (b"0\r\n" + b"a: b\r\n" * 200, 431),
]


@pytest.mark.parametrize(("wire", "status"), REFUSED)
def test_a_body_that_breaks_the_rules_is_refused_as_if_it_were_buffered(
    wire: bytes, status: int
) -> None:
    """H6, H8, S1: read() raises, and the client is told which rule."""
    for buffering in (True, False):
        reader = Reader()
        options: dict[str, Any] = {"request_buffering": buffering, "limit_request_body": 10}
        with live(reader, **options) as server, Peer(server) as peer:
            answer = peer.ask(CHUNKED + wire + GET)
            assert (answer.status, answer.fields["connection"]) == (status, "close")
            assert peer.rest() == b""
        assert reader.found == ([] if buffering else [ClientDisconnected])


@pytest.mark.parametrize("loop", LOOPS)
def test_what_comes_while_nobody_reads_is_bounded(loop: str) -> None:
    """S4: back-pressure; a client cannot fill the memory of an application that does not read."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        return same(environ, start_response)

    size = 32 * 1024 * 1024
    options: dict[str, Any] = {"request_buffering": False, "spool_threshold": 100_000}
    with live(app, loop=loop, **options) as server, Peer(server) as peer:
        peer.send(post(size))
        sent = peer.send_until_it_stalls(b"x" * size)
        assert sent < size // 2
        going_on.set()
        sending = threading.Thread(target=peer.send, args=(b"x" * (size - sent),))
        sending.start()
        assert len(peer.answer().body) == size
        sending.join()

"""When a connection stays open, and what its client is told (H1, H12, H13, H14, H19, H23, H24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, echo, get, post

OLD = b"GET / HTTP/1.0\r\n%b\r\n"
ALIVE = b"Connection: Keep-Alive\r\n"


def shapes(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A body whose length is known, one whose length is not, or none."""
    shape = environ["PATH_INFO"]
    start_response("204 No Content" if shape == "/none" else "200 OK", [])
    if shape == "/blocks":
        return (block for block in (b"one ", b"two"))
    return [] if shape == "/none" else [b"one ", b"two"]


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(shapes, loop=request.param) as running:
        yield running


def closed(peer: Peer) -> bool:
    try:
        return not peer.ask(GET).whole
    except (EOFError, ConnectionError):
        return True


def test_http_1_1_stays_open_and_says_nothing(server: Live) -> None:
    """H1: many answers on one connection, none with a Connection field."""
    with Peer(server) as peer:
        for shape in (b"/list", b"/blocks", b"/none") * 3:
            answer = peer.ask(get(target=shape))
            assert "connection" not in answer.fields
            assert answer.body == (b"" if shape == b"/none" else b"one two")


@pytest.mark.parametrize("field", [b"close", b"CLOSE", b"foo, Close", b"keep-alive, close"])
def test_close_is_honoured_and_said(server: Live, field: bytes) -> None:
    """H1: a case-insensitive list of tokens; the client is told."""
    with Peer(server) as peer:
        answer = peer.ask(get(b"Connection: " + field))
        assert answer.fields["connection"] == "close"
        assert peer.rest() == b""


def test_close_in_a_second_line_counts(server: Live) -> None:
    """H1."""
    with Peer(server) as peer:
        peer.send(get(b"Connection: foo", b"Connection: close"))
        assert peer.answer().fields["connection"] == "close"
        assert peer.rest() == b""


def test_http_1_0_closes_where_it_says_nothing(server: Live) -> None:
    """H1."""
    with Peer(server) as peer:
        assert peer.ask(OLD % b"").fields["connection"] == "close"
        assert peer.rest() == b""


def test_http_1_0_stays_open_where_it_asks_for_it_and_is_told(server: Live) -> None:
    """H1: RFC 9112 9.3 and its appendix C.2.2."""
    with Peer(server) as peer:
        for _ in range(3):
            answer = peer.ask(OLD % ALIVE)
            assert (answer.fields["connection"], answer.body) == ("keep-alive", b"one two")


def test_http_1_0_gets_no_chunks_and_its_body_ends_by_the_close(server: Live) -> None:
    """H14, P41: keep-alive cannot be had then, and is not promised."""
    with Peer(server) as peer:
        answer = peer.ask((OLD % ALIVE).replace(b"GET /", b"GET /blocks"))
        assert answer.fields["connection"] == "close"
        assert not answer.fields.keys() & {"transfer-encoding", "content-length"}
        assert answer.body == b"one two"


@pytest.mark.parametrize("junk", [GET, b"\x00\n\xff" * 9, b"POST / HTTP/1.1\r\n"])
def test_nothing_after_the_last_request_is_read(server: Live, junk: bytes) -> None:
    """H24: and it is no 400."""
    with Peer(server) as peer:
        assert peer.ask(get(b"Connection: close") + junk).status == 200
        assert peer.rest() == b""


def test_junk_that_comes_later_than_the_last_request_is_not_read() -> None:
    """H24: while the application is still at work."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        yield b"o"
        environ["wsgi.input"].read()
        yield b"k"

    with live(app, request_buffering=False) as server, Peer(server) as peer:
        peer.send(post(4, b"Connection: close"))
        peer.send(b"body" + GET * 100)
        assert peer.answer().body == b"ok"
        assert peer.rest() == b""


@pytest.mark.parametrize("token", [b"foo/2", b"h2c", b"websocket"])
def test_an_unknown_upgrade_is_ignored(server: Live, token: bytes) -> None:
    """H13: the answer is an ordinary one, and the connection goes on in HTTP/1.1."""
    with Peer(server) as peer:
        peer.send(get(b"Connection: Upgrade", b"Upgrade: " + token))
        answer = peer.answer()
        assert (answer.status, "upgrade" in answer.fields) == (200, False)
        assert not closed(peer)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_body_of_an_upgrade_is_a_body(loop: str) -> None:
    """H23: and no request may hide in it."""
    upgrade = (b"Connection: Upgrade", b"Upgrade: foo")
    with live(echo, loop=loop) as server, Peer(server) as peer:
        assert peer.ask(post(len(GET), *upgrade, body=GET)).body == GET
        chunks = get(*upgrade, b"Transfer-Encoding: chunked") + b"2\r\nhi\r\n0\r\n\r\n"
        assert peer.ask(chunks).body == b"hi"
        assert peer.ask(GET).body == b"/"


def test_date_is_valid_and_of_now(server: Live) -> None:
    """H12: an IMF-fixdate in GMT, from the very first answer on, in refusals too."""
    for raw in (GET, b"nonsense\r\n\r\n"):
        with Peer(server) as peer:
            text = peer.ask(raw).fields["date"]
        given = parsedate_to_datetime(text)
        assert given.strftime("%a, %d %b %Y %H:%M:%S GMT") == text
        assert abs(datetime.now(timezone.utc) - given) < timedelta(seconds=30)


@pytest.mark.parametrize("raw", [GET, GET * 3, OLD % ALIVE, get(b"Connection: close")])
def test_a_half_closed_client_gets_its_answers(server: Live, raw: bytes) -> None:
    """H19."""
    with Peer(server) as peer:
        peer.send(raw)
        peer.half_close()
        for _ in range(raw.count(b"GET")):
            assert peer.answer().body == b"one two"
        assert peer.rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_half_closes_while_the_application_works_gets_its_answer(loop: str) -> None:
    """H19: and the rest of a large one."""
    going: list[Peer] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        going[0].half_close()
        start_response("200 OK", [])
        for _ in range(100):
            yield b"x" * 100_000

    with live(app, loop=loop) as server, Peer(server) as peer:
        going.append(peer)
        answer = peer.ask(GET)
        assert (len(answer.body), answer.whole) == (10_000_000, True)
        assert peer.rest() == b""


def test_a_client_that_half_closes_before_it_asks_is_closed(server: Live) -> None:
    with Peer(server) as peer:
        peer.half_close()
        assert peer.rest() == b""


@pytest.mark.parametrize("part", [b"GET / HT", post(5), post(5, body=b"four")])
def test_a_request_that_is_cut_is_not_answered(part: bytes) -> None:
    """P19: the application is not started, and the connection is closed."""
    started: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    with live(app) as server, Peer(server) as peer:
        peer.send(part)
        peer.half_close()
        assert peer.rest() == b""
    assert started == []

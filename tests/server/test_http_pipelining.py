"""Requests that come before the last answer was sent (H2, H8, H20)."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.http_client import GET, LOOPS, Peer, connections, echo, get, post

MANY = 5_000  # requests
FLOOD = 64 * 1024 * 1024  # bytes


def numbered(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [environ["QUERY_STRING"].encode()]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("threads", [1, 8])
def test_answers_come_in_the_order_of_the_requests(loop: str, threads: int) -> None:
    """H2."""
    raw = b"".join(get(target=b"/?%d" % number) for number in range(MANY))
    with live(numbered, loop=loop, threads=threads) as server, Peer(server) as peer:
        sending = threading.Thread(target=peer.send, args=(raw,))
        sending.start()
        for number in range(MANY):
            assert peer.answer().body == b"%d" % number
        sending.join()


@pytest.mark.parametrize("buffering", [True, False])
def test_bodies_do_not_run_into_the_next_request(buffering: bool) -> None:
    """H8: each body is as long as it says, whatever it looks like."""
    raw = post(len(GET), body=GET) + GET + post(3, body=b"GET") + GET
    with live(echo, request_buffering=buffering) as server, Peer(server) as peer:
        peer.send(raw)
        assert [peer.answer().body for _ in range(4)] == [GET, b"/", b"GET", b"/"]


@pytest.mark.parametrize("loop", LOOPS)
def test_memory_is_bounded_however_much_is_pipelined(loop: str) -> None:
    """H2: while an application works, little more than 64 KiB of what follows is taken in."""
    going_on = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going_on.wait(10)
        start_response("200 OK", [("X-Turn", environ["PATH_INFO"])])
        return [b"ok"]

    with live(app, loop=loop) as server, Peer(server) as peer:
        sent = peer.send_until_it_stalls(GET * (FLOOD // len(GET)))
        (connection,) = connections(server)
        assert sent < FLOOD // 4
        assert 64 * 1024 <= connection._parser.waiting <= 64 * 1024 + 256 * 1024
        going_on.set()
        assert all(peer.answer().body == b"ok" for _ in range(1000))


@pytest.mark.parametrize("loop", LOOPS)
def test_memory_is_bounded_however_little_is_read(loop: str) -> None:
    """H2: a client that asks and asks and never reads is not asked for more."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * 10_000]

    with live(app, loop=loop) as server, Peer(server, receive=4096) as peer:
        sent = peer.send_until_it_stalls(GET * (FLOOD // len(GET)))
        assert sent < FLOOD // 4
        (connection,) = connections(server)
        assert connection._parser.waiting <= 64 * 1024 + 256 * 1024
        assert connection._transport.get_write_buffer_size() <= 256 * 1024
        assert all(len(peer.answer().body) == 10_000 for _ in range(100))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("bad", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"])
def test_good_requests_before_a_bad_one_are_answered_first(loop: str, bad: bytes) -> None:
    """H20: then one 400, then the end, whatever follows (H8)."""
    with live(numbered, loop=loop) as server, Peer(server) as peer:
        peer.send(get(target=b"/?1") + get(target=b"/?2") + bad + GET * 3)
        assert [peer.answer().body for _ in range(2)] == [b"1", b"2"]
        refusal = peer.answer()
        assert (refusal.status, refusal.fields["connection"]) == (400, "close")
        assert peer.rest() == b""


def test_a_bad_request_that_comes_while_the_application_works_waits_its_turn() -> None:
    """H20: its answer may not overtake the one under way."""
    going: list[Peer] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        going[0].send(b"nonsense\r\n\r\n")
        start_response("200 OK", [])
        return (b"x" * 10_000 for _ in range(100))

    with live(app) as server, Peer(server) as peer:
        going.append(peer)
        assert len(peer.ask(GET).body) == 1_000_000
        assert peer.answer().status == 400
        assert peer.rest() == b""


@pytest.mark.parametrize("pause", [1, 2, 3, 17, 40])
def test_a_request_may_come_in_pieces_with_answers_between(pause: int) -> None:
    """H2: the beginning of the next request waits with the last one."""
    raw = (post(5, body=b"hello") + GET) * 5
    with live(echo) as server, Peer(server) as peer:
        peer.socket.setsockopt(6, 1, 1)  # TCP_NODELAY: each piece is a packet
        for start in range(0, len(raw), pause):
            peer.send(raw[start : start + pause])
        assert [peer.answer().body for _ in range(10)] == [b"hello", b"/"] * 5

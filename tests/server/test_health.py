"""The health check is the loop's: it needs no thread, no queue and no application (S17)."""

from __future__ import annotations

import pytest

from tests.live import live
from tests.server.http_client import LOOPS, Peer, echo, get, post
from tests.server.stuck import Stuck, all_stuck

UP = get(target=b"/up")
READY = get(target=b"/up?ready")


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_is_answered_with_every_thread_stuck_and_the_connection_is_kept(loop: str) -> None:
    app = Stuck()
    with all_stuck(app, loop=loop, health_path="/up") as (server, _), Peer(server) as peer:
        for raw in (UP, READY, get(target=b"/up?a=1&x")) * 3:
            answer = peer.ask(raw)
            assert (answer.status, answer.body) == (200, b"ok")
            assert "connection" not in answer.fields
        head = peer.ask(UP.replace(b"GET", b"HEAD"), "HEAD")
        assert (head.status, head.fields["content-length"]) == (200, "2")
        assert peer.ask(UP).status == 200
    assert app.called == ["/stuck", "/stuck"]


def test_pipelined_it_is_answered_in_order(loop: str) -> None:
    """H2: many of them, around requests of the application."""
    with live(echo, loop=loop, health_path="/up") as server, Peer(server) as peer:
        peer.send((UP + get(target=b"/own") + UP) * 300)
        bodies = [peer.answer().body for _ in range(900)]
    assert bodies == [b"ok", b"/own", b"ok"] * 300


def test_a_client_that_reads_none_of_its_answers_does_not_hold_the_loop(loop: str) -> None:
    """H2: nor where no spool has room: the loop may not wait for any."""
    full = dict.fromkeys(("response_buffer", "response_spool", "spool_memory", "spool_disk"), 0)
    with live(echo, loop=loop, health_path="/up", **full) as server:
        with Peer(server, receive=4096) as silent, Peer(server) as other:
            silent.send_until_it_stalls(UP * 500_000)
            assert other.ask(UP).body == b"ok"


def test_close_is_honoured(loop: str) -> None:
    with live(echo, loop=loop, health_path="/up") as server:
        with Peer(server) as peer:
            answer = peer.ask(get(b"Connection: close", target=b"/up"))
            assert (answer.status, answer.fields["connection"]) == (200, "close")
            assert peer.rest() == b""
        with Peer(server) as peer:
            peer.send(b"GET /up HTTP/1.0\r\n\r\n")
            assert peer.answer().body == b"ok"
            assert peer.rest() == b""


@pytest.mark.parametrize("buffering", [True, False])
def test_a_body_is_left_aside(loop: str, buffering: bool) -> None:
    options = {"loop": loop, "health_path": "/up", "request_buffering": buffering}
    with live(echo, **options) as server, Peer(server) as peer:
        assert peer.ask(post(5, body=b"hello").replace(b"POST /", b"GET /up")).body == b"ok"
        assert peer.ask(get(target=b"/own")).body == b"/own"


def test_it_has_the_fields_of_every_answer() -> None:
    with live(echo, health_path="/up", header="X-Own: 1") as server, Peer(server) as peer:
        fields = peer.ask(UP).fields
    ours = {"server", "date", "x-own", "x-request-id"}
    assert fields.keys() == {"content-type", "content-length", *ours}


@pytest.mark.parametrize("target", [b"/", b"/up/", b"/upper", b"/UP", b"/%75p", b"//up", b"/a?/up"])
def test_another_path_is_the_applications(target: bytes) -> None:
    with live(echo, health_path="/up") as server, Peer(server) as peer:
        assert peer.ask(get(target=target)).fields["x-method"] == "GET"


def test_another_method_is_the_applications() -> None:
    with live(echo, health_path="/up") as server, Peer(server) as peer:
        assert peer.ask(post(5, body=b"hello").replace(b" / ", b" /up ")).body == b"hello"


def test_without_the_option_the_path_is_the_applications() -> None:
    with live(echo) as server, Peer(server) as peer:
        assert peer.ask(UP).body == b"/up"


def test_readiness_fails_while_the_server_drains_and_health_does_not(loop: str) -> None:
    """Asked on connections that were made before: half a head is waited for."""
    app = Stuck()
    with all_stuck(app, loop=loop, health_path="/up") as (server, _):
        with Peer(server) as alive, Peer(server) as ready:
            assert ready.ask(READY).status == 200
            alive.send(UP[:-2])
            ready.send(READY[:-2])
            service = server.server._service
            assert service is not None
            assert alive.readable() is False
            server.server.stop()
            server.wait(lambda: service.draining)
            answer = ready.ask(READY[-2:])
            assert (answer.status, answer.body) == (503, b"draining")
            assert answer.fields["retry-after"].isdigit()
            assert answer.fields["connection"] == "close"
            assert ready.rest() == b""
            assert alive.ask(UP[-2:]).body == b"ok"
            assert alive.rest() == b""

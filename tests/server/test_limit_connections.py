"""No more connections are open than may be; who comes then waits, and is served (S4, S5)."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live, read_all
from tests.server.http_client import GET, LAST, LOOPS, Peer, connections, deaf, get
from tests.server.test_tls_handshake import no_descriptors
from tests.server.tls_client import secured, served


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_waits(server: Live, others: list[Peer], late: Peer) -> None:
    """What comes over the open connections is served, and nothing over the late one."""
    for _ in range(3):
        assert [peer.ask(GET).status for peer in others] == [200] * len(others)
    assert not late.readable(0.1)
    assert len(connections(server)) == len(others)


@pytest.mark.parametrize("fields", [(), (b"Connection: close",)])
def test_a_client_too_many_waits_until_another_has_gone(
    loop: str, fields: tuple[bytes, ...]
) -> None:
    """Again and again: the way of accepting changes when it happens first."""
    with live(deaf, loop=loop, limit_connections=2) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server)) for _ in range(2)]
        assert [peer.ask(GET).status for peer in peers] == [200, 200]
        for _ in range(5):
            late = stack.enter_context(Peer(server))
            late.send(GET)
            assert_waits(server, peers, late)
            leaver = peers.pop(0)
            if fields:
                assert leaver.ask(get(*fields)).status == 200
            else:
                leaver.__exit__(None, None, None)
            assert late.answer().status == 200
            peers.append(late)


def test_a_crowd_is_served_and_never_more_of_it_at_once_than_may_be(loop: str) -> None:
    """They have connected, all of them, before the loop looks: the kernel accepts for us."""
    most: list[int] = []
    running: list[Live] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        most.append(len(connections(running[0])))
        start_response("200 OK", [])
        return [b"served"]

    with live(app, loop=loop, limit_connections=3) as server, ExitStack() as stack:
        running.append(server)
        service: Any = server.server._service
        service.wakes.put(lambda: time.sleep(0.2))
        peers = [stack.enter_context(Peer(server)) for _ in range(40)]
        for peer in peers:
            peer.send(LAST)
        for peer in peers:
            assert peer.answer().body == b"served"
            peer.__exit__(None, None, None)
        server.wait(lambda: not connections(server))
        assert service.coming == 0
    assert max(most) == 3


def test_waiting_for_room_costs_nothing_and_is_told_once(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The listener is always readable then: to look at it would be to spin."""
    with caplog.at_level(logging.WARNING, "aiowsgi.error"):
        with live(deaf, loop=loop, limit_connections=1) as server:
            for _ in range(3):
                with Peer(server) as first, Peer(server) as late:
                    assert first.ask(GET).status == 200
                    late.send(GET)
                    used = time.process_time()
                    assert not late.readable(0.5)
                    assert time.process_time() - used < 0.2
    assert [record.getMessage() for record in caplog.records] == [
        "1 connections are open: new clients have to wait"
    ]


def test_over_tls_handshakes_count(loop: str) -> None:
    with live(deaf, loop=loop, limit_connections=1, **served()) as server:
        for _ in range(3):
            raw = server.connect()  # says nothing, and holds the place
            server.wait(lambda: bool(server.server._accepting.shaking_hands))
            with server.connect() as late:
                late.settimeout(0.2)
                with pytest.raises((socket.timeout, OSError)):
                    secured(late)
            raw.close()
            with secured(server.connect()) as client:
                client.sendall(LAST)
                assert read_all(client).endswith(b"heard nothing")


def test_who_waits_for_room_when_the_server_stops_is_served(loop: str) -> None:
    """S8: it has connected, as far as it knows."""
    with live(deaf, loop=loop, limit_connections=1) as server:
        with Peer(server) as first, Peer(server) as late:
            assert first.ask(GET).status == 200
            late.send(GET)
            assert_waits(server, [first], late)
            server.server.stop()
            assert late.answer().status == 200
            assert late.rest() == b""


def test_it_holds_for_a_unix_socket_whose_file_stays(loop: str, tmp_path: Path) -> None:
    """S15."""
    path = tmp_path / "s"

    def connected() -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(10)
        client.connect(str(path))
        return client

    with live(deaf, loop=loop, limit_connections=1, bind=f"unix:{path}"):
        for _ in range(3):
            with connected() as first, connected() as late:
                first.sendall(GET)
                assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
                late.sendall(LAST)
                late.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    late.recv(1)
                late.settimeout(10)
                first.close()
                assert read_all(late).endswith(b"heard nothing")
            assert os.path.exists(path)


def test_without_a_limit_all_are_accepted(loop: str) -> None:
    with live(deaf, loop=loop, limit_connections=None) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server)) for _ in range(50)]
        assert [peer.ask(GET).status for peer in peers] == [200] * 50
        assert len(connections(server)) == 50


@pytest.mark.parametrize("limit", [None, 2])
def test_a_server_without_descriptors_serves_again_when_it_has_some(
    loop: str, limit: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """S5: with the loop's own way of accepting, and with ours once the limit was reached."""
    with live(deaf, loop=loop, limit_connections=limit) as server, socket.socket() as raw:
        with Peer(server) as one, Peer(server) as two:
            assert [one.ask(GET).status, two.ask(GET).status] == [200, 200]
            service: Any = server.server._service
            with no_descriptors():
                assert [one.ask(GET).status, two.ask(GET).status] == [200, 200]
                two.half_close()
                raw.settimeout(10)
                raw.connect(("127.0.0.1", server.port))
                used = time.process_time()
                assert not one.readable(0.5)
                assert time.process_time() - used < 0.2
            assert one.ask(GET).status == 200
        server.wait(lambda: service.coming == 0)
        with Peer(server) as after:
            assert after.ask(GET).status == 200
    assert len(caplog.messages) <= 3

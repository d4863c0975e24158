"""Clients that leave by a reset, which the kernel knows of before the loop does (S6, S7)."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.http_client import LOOPS, Peer, connections, get, post, turn_of_the_loop


@pytest.mark.parametrize("loop", LOOPS)
def test_a_reset_that_was_not_read_yet_breaks_nothing(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client has the answer and resets before the loop learns that there was one.

    The loop is held for that long. Its last word to that client then cannot be sent, and that must
    not reach the calls that wait behind it, nor a stop.
    """
    hold = threading.Event()
    loops: list[Any] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        held = threading.Event()
        loops[0].call_soon_threadsafe(held.set)
        loops[0].call_soon_threadsafe(hold.wait, 10)
        held.wait(10)
        start_response("200 OK", [])
        return [b"ok"]

    with live(app, loop=loop, request_buffering=False) as server:
        service: Any = server.server._service
        loops.append(service.loop)
        with caplog.at_level(logging.ERROR), Peer(server) as peer:
            peer.send(post(1_000_000, body=b"x"))
            assert peer.answer().body == b"ok"
            reset = struct.pack("ii", 1, 0)
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        hold.set()
        server.wait(lambda: not connections(server))
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_left_while_its_request_was_queued_is_not_called_for(loop: str) -> None:
    """S7: an overload would never end otherwise."""
    entered, going_on = threading.Event(), threading.Event()
    called: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ["PATH_INFO"])
        entered.set()
        going_on.wait(10)
        start_response("200 OK", [])
        return [b"ok"]

    with live(app, loop=loop, threads=1) as server, Peer(server) as first, Peer(server) as last:
        first.send(get(target=b"/first"))
        assert entered.wait(10)
        with Peer(server) as queued:
            queued.send(get(target=b"/left"))
            turn_of_the_loop(server)
            reset = struct.pack("ii", 1, 0)
            queued.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        server.wait(lambda: len(connections(server)) == 2)
        last.send(get(target=b"/last"))
        going_on.set()
        assert (first.answer().body, last.answer().body) == (b"ok", b"ok")
    assert called == ["/first", "/last"]

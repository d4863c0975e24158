"""The in-flight table names each request by what it does now."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest

from aiowsgi.watch import in_flight
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import Peer, get
from tests.server.stuck import Stuck, all_stuck


def rows(server: Live) -> dict[str, dict[str, Any]]:
    """The table by path, as the loop thread makes it."""
    made: list[dict[str, Any]] = []
    view, service = server.server.view, server.server._service
    assert view is not None
    assert service is not None
    service.wakes.put(lambda: made.append(view.table(stacks=True)))
    server.wait(lambda: bool(made))
    return {row["path"]: row for row in made[0]["requests"]}


def test_a_request_that_waits_for_a_thread_is_queued() -> None:
    with all_stuck(Stuck()) as (server, _), Peer(server) as peer:
        peer.send(get(target=b"/late"))
        server.wait(lambda: "/late" in rows(server))
        row = rows(server)["/late"]
    assert (row["state"], row["thread"], row["request_id"]) == (in_flight.QUEUED, "", "")
    assert row["age"] == row["waited"]


def test_a_request_in_the_application_has_its_thread_and_id_and_line_of_code() -> None:
    app = Stuck()
    with all_stuck(app, threads=1) as (server, _):
        row = rows(server)["/stuck"]
    assert row["state"] == in_flight.RUNNING
    assert row["thread"].startswith("aiowsgi")
    assert row["request_id"].endswith("-1")
    assert (row["method"], row["client"]) == ("GET", "127.0.0.1")
    assert row["stack"].splitlines()[1].strip() == "assert self.release.wait(30)"
    assert 0 <= row["waited"] <= row["age"]


def test_one_that_has_begun_to_answer_is_sending() -> None:
    gate = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"first"
        gate.wait(20)

    with live(app) as server, Peer(server) as peer:
        try:
            peer.send(get(target=b"/begun"))
            assert peer.peek_until(b"first")
            assert rows(server)["/begun"]["state"] == in_flight.SENDING
        finally:
            gate.set()


def test_one_that_its_thread_has_left_to_the_loop_is_spooled() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * 16 * 1024 * 1024]

    with live(app) as server, Peer(server, receive=4096) as peer:
        peer.send(get(target=b"/large"))
        server.wait(lambda: rows(server).get("/large", {}).get("state") == in_flight.SPOOLED)
        row = rows(server)["/large"]
    assert (row["thread"], row["stack"]) == ("", "")
    assert row["client"] == "127.0.0.1"


def test_nothing_is_there_when_all_is_answered() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"done"]

    with live(app) as server, Peer(server) as peer:
        assert peer.ask(get()).body == b"done"
        server.wait(lambda: rows(server) == {})


def test_neither_queries_nor_control_characters_are_shown() -> None:
    """S14: the path is ASCII, whatever was sent."""
    with all_stuck(Stuck(), threads=1) as (server, _), Peer(server) as peer:
        peer.send(get(target=b"/caf%C3%A9%1b?password=1"))
        server.wait(lambda: len(rows(server)) == 2)
        assert set(rows(server)) == {"/stuck", "/caf%C3%A9%1b"}


def test_there_is_a_most_and_the_oldest_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "MOST", 1)
    with all_stuck(Stuck(), threads=1) as (server, _), Peer(server) as peer:
        peer.send(get(target=b"/late"))
        service = server.server._service
        assert service is not None
        server.wait(lambda: service.dispatcher.waiting == 1)
        assert set(rows(server)) == {"/stuck"}

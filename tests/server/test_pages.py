"""Metrics and the status page at paths of the server's own (S17). Who may see them is in
test_audience.py, what several workers make of it in tests/test_workers_pages.py.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import Live, live
from tests.server.admin_client import ask
from tests.server.http_client import LAST, LOOPS, Peer, echo, get, post
from tests.server.stuck import Stuck, all_stuck
from tests.server.test_metrics import values
from tests.server.test_status_page import Events
from tests.server.tls_client import HOST, connect, read_all, served, trusting

PLACES: dict[str, Any] = {"metrics": "/metrics", "status": "/_status"}
METRICS = get(target=b"/metrics").replace(b"Host: a", b"Host: localhost")


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(echo, loop=request.param, **PLACES) as running:
        yield running


@pytest.mark.parametrize("loop", LOOPS)
def test_both_are_answered_with_every_thread_stuck(loop: str) -> None:
    """S17: nor are they in the queue, or among the requests."""
    with all_stuck(Stuck(), loop=loop, limit_queue=0, **PLACES) as (server, _):
        told = ask(server.port, "/metrics")
        assert told.status == 200
        assert told.fields["connection"] == "close"
        found = values(told.body)
        assert found["aiowsgi_threads{state=busy}"] == 2
        assert found["aiowsgi_connections{state=active}"] == 2
        assert not [name for name in found if name.startswith("aiowsgi_requests_total")]
        [one, other] = ask(server.port, "/_status/stacks").json["requests"]
        assert "self.release.wait(30)" in one["stack"]
        assert "self.release.wait(30)" in other["stack"]
        with Events(server.port, "/_status/events") as events:
            assert events.next()["numbers"]["gauges"]["threads"]["busy"] == 2


def test_a_browser_that_asks_for_the_path_comes_to_the_page(server: Live) -> None:
    """By a relative reference, which is right behind a proxy that cuts a prefix off."""
    told = ask(server.port, "/_status")
    assert (told.status, told.fields["location"]) == (308, "./_status/")
    found = httpx.get(f"{server.url}/_status", follow_redirects=True)
    assert (found.status_code, found.url.path) == (200, "/_status/")
    for name in ("page.css", "page.js", "chart.js"):
        assert name in found.text
        assert httpx.get(found.url.join(name)).status_code == 200
    assert ask(server.port, "/_status/nothing").status == 404


def test_nothing_around_the_paths_is_taken_from_the_application(server: Live) -> None:
    around = ("/", "/metrics/", "/metrics/x", "/metricsx", "/_statusx", "/events", "/page.js")
    for path in around:
        assert ask(server.port, path).body.decode() == path
    for method in ("POST", "PUT", "OPTIONS"):
        assert ask(server.port, "/metrics", method).fields["x-method"] == method
    with Peer(server) as peer:  # a body is the application's to read
        raw = post(2, b"Host: localhost", body=b"hi").replace(b"POST / ", b"GET /metrics ")
        assert peer.ask(raw.replace(b"Host: a\r\n", b"")).body == b"hi"


def test_for_whom_may_not_look_the_application_answers(server: Live) -> None:
    """S12."""
    for fields in (
        {"X_Forwarded_For": "127.0.0.1"},
        {"Via": "1.1 front"},
        {"Host": "shop.example"},
    ):
        for path in ("/metrics", "/_status", "/_status/", "/_status/stacks"):
            assert ask(server.port, path, **fields).body.decode() == path


def test_behind_a_trusted_proxy_each_request_is_judged_by_its_client() -> None:
    """S12: requests of several clients share a connection of their proxy."""
    options: dict[str, Any] = {"forwarded_allow_ips": "127.0.0.1", **PLACES}
    with live(echo, watch_allow_from="192.0.2.0/24", **options) as server, Peer(server) as peer:
        for field in (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: 192.0.2.7, 6.6.6.6", b"A: 1"):
            assert peer.ask(get(field, target=b"/metrics")).body == b"/metrics"
        answer = peer.ask(get(b"X-Forwarded-For: 6.6.6.6, 192.0.2.7", target=b"/metrics"))
        assert b"aiowsgi_info" in answer.body


def test_behind_a_proxy_that_says_it_in_a_header_of_its_own_the_client_is_judged() -> None:
    """S12: the PROXY protocol, whose sender may say that it does not know."""
    options: dict[str, Any] = {"proxy_protocol": "v1", "proxy_allow_from": "127.0.0.1", **PLACES}
    with live(echo, watch_allow_from="192.0.2.0/24", **options) as server:

        def through(header: bytes) -> bytes:
            last = METRICS.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            return server.talk(header + b"\r\n" + last)

        assert b"aiowsgi_info" in through(b"PROXY TCP4 192.0.2.7 127.0.0.1 5 80")
        assert through(b"PROXY TCP4 6.6.6.6 127.0.0.1 5 80").endswith(b"/metrics")
        assert through(b"PROXY UNKNOWN").endswith(b"/metrics")


def test_over_a_unix_socket_it_has_to_be_named(tmp_path: Path) -> None:
    """S12: who comes by one is a proxy's client, nearly always."""
    bind = f"unix:{tmp_path / 'socket'}"
    with live(echo, bind=bind, **PLACES):
        assert ask(tmp_path / "socket", "/metrics").body == b"/metrics"
    with live(echo, bind=bind, watch_allow_from="unix", **PLACES):
        assert b"aiowsgi_info" in ask(tmp_path / "socket", "/metrics").body


@pytest.mark.parametrize("loop", LOOPS)
def test_over_tls_as_well(loop: str) -> None:
    with live(echo, loop=loop, **served(), **PLACES) as server:
        with connect(server, trusting()) as client:
            client.sendall(METRICS)
            answer = read_all(client)
            assert b"aiowsgi_info" in answer
            assert HOST.encode() not in answer


def test_it_is_the_last_answer_of_a_connection_that_had_others(server: Live) -> None:
    with Peer(server) as peer:
        assert peer.ask(get(target=b"/1")).body == b"/1"
        peer.send(get(target=b"/2") + METRICS + LAST)
        assert peer.answer().body == b"/2"
        answer = peer.answer()
        assert answer.fields["connection"] == "close"
        assert b"aiowsgi_info" in answer.body
        assert peer.rest() == b""


def test_head_is_answered_without_a_body(server: Live) -> None:
    for path in ("/metrics", "/_status/events"):
        told = ask(server.port, path, "HEAD")
        assert (told.status, told.body) == (200, b"")
    assert ask(server.port, "/metrics", "HEAD").fields["content-length"] != "0"


def test_http_1_0_is_understood(server: Live) -> None:
    raw = server.talk(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"aiowsgi_info" in raw


@pytest.mark.parametrize("loop", LOOPS)
def test_who_looks_is_told_at_once_that_the_server_stops_and_is_not_waited_for(loop: str) -> None:
    """S8: while a request is finished, too."""
    app = Stuck()
    options: dict[str, Any] = {"graceful_timeout": None, "threads": 1, "loop": loop, **PLACES}
    with live(app, **options) as server, Peer(server) as peer:
        peer.send(get())
        assert app.entered.acquire(timeout=10)
        with Events(server.port, "/_status/events") as events, app:
            events.next()
            server.server.stop()
            events.stream.read()  # to the end, while the request is under way
            app.release.set()
            assert peer.answer().body == b"late"


def test_who_looks_and_does_not_read_is_not_waited_for() -> None:
    """S8."""
    with live(echo, graceful_timeout=None, **PLACES) as server:
        client = socket.create_connection(("127.0.0.1", server.port), 10)
        client.sendall(b"GET /_status/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1)
    client.close()


def test_the_log_says_where_they_are_and_no_request_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "aiowsgi.error")
    caplog.set_level(logging.INFO, "aiowsgi.access")
    with live(echo, access_log=True, **PLACES) as server:
        ask(server.port, "/metrics")
        ask(server.port, "/seen")
    messages = [record.getMessage() for record in caplog.records]
    assert f"Metrics at: {server.url}/metrics" in messages
    assert f"Status page at: {server.url}/_status/" in messages
    assert not [message for message in messages if "GET /metrics" in message]


def test_each_may_have_an_address_while_the_other_has_a_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "aiowsgi.error")
    with live(echo, metrics="/metrics", status="127.0.0.1:0") as server:
        [line] = [r.getMessage() for r in caplog.records if "Status page" in r.getMessage()]
        port = int(line.rpartition(":")[2].strip("/"))
        assert ask(port, "/").status == 200
        assert ask(port, "/metrics").status == 404
        assert b"aiowsgi_info" in ask(server.port, "/metrics").body
        assert ask(server.port, "/requests").body == b"/requests"
        assert "requests" in ask(port, "/requests").json

"""The site of the status page: what it sends, and what it never does. What it looks like is in
tests/test_status_browser.py.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from aiowsgi.server.admin import ListeningSite, Site
from benchmarks.ports import reserved_port
from tests.live import live
from tests.server.admin_client import ask
from tests.server.http_client import Peer, echo, get
from tests.server.stuck import Stuck, all_stuck

PLACE: dict[str, Any] = {"status": "127.0.0.1:0"}
FILES = ("/", "/page.css", "/page.js", "/chart.js")


@pytest.fixture
def port(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """Where the log says that the page is."""
    caplog.set_level(logging.INFO, "aiowsgi.error")

    def find() -> int:
        [line] = [r.getMessage() for r in caplog.records if "Status page at" in r.getMessage()]
        return int(line.rpartition(":")[2].rstrip("/"))

    return find


class Events:
    """What the page hears, as it comes."""

    def __init__(self, port: int, path: str = "/events") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.socket.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        self.stream = self.socket.makefile("rb")
        self.head = b"".join(iter(self.stream.readline, b"\r\n"))

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def next(self) -> Any:
        """The next event."""
        for line in self.stream:
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        raise AssertionError("the stream has ended")


def test_its_files_load_nothing_from_elsewhere_and_in_no_frame(port: Callable[[], int]) -> None:
    with live(echo, **PLACE):
        for name in FILES:
            told = ask(port(), name)
            assert told.status == 200
            assert not re.findall(rb"(?:src|href|url|@import|fetch)[=(\s'\"]+https?:", told.body)
            policy = told.fields["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
        assert ask(port(), "/").fields["content-type"] == "text/html; charset=utf-8"


def test_it_says_each_second_what_changes(port: Callable[[], int]) -> None:
    with live(echo, **PLACE, threads=3) as server, Events(port()) as events, Peer(server) as peer:
        assert b"content-type: text/event-stream" in events.head.lower()
        first = events.next()
        assert first["status"]["addresses"] == [server.url]
        assert first["about"]["options"]["threads"] == "3"
        peer.ask(get())
        told = events.next()
        while not is_over(told["numbers"]):
            assert told["now"] - first["now"] < 20
            told = events.next()
        assert told["now"] > first["now"]


def is_over(numbers: Any) -> bool:
    """Whether the one request is counted, and its thread is free again."""
    counted = numbers["counters"]["requests"] == {"GET 200": 1}
    return bool(counted and numbers["gauges"]["threads"]["idle"] == 3)


def test_head_of_what_has_no_end_ends(port: Callable[[], int]) -> None:
    with live(echo, **PLACE):
        told = ask(port(), "/events", "HEAD")
        assert (told.status, told.body) == (200, b"")


def test_it_goes_on_with_every_thread_stuck(port: Callable[[], int]) -> None:
    """S17."""
    with all_stuck(Stuck(), **PLACE) as (_, _), Events(port()) as events:
        assert events.next()["numbers"]["gauges"]["threads"]["busy"] == 2
        [one, other] = ask(port(), "/stacks").json["requests"]
        assert "self.release.wait(30)" in one["stack"]
        assert "self.release.wait(30)" in other["stack"]


def test_nothing_is_sent_that_a_request_or_the_configuration_keeps_secret(
    port: Callable[[], int],
) -> None:
    with all_stuck(Stuck(), threads=1, **PLACE) as (server, _), Peer(server) as peer:
        peer.send(get(b"Cookie: key=s3cret", b"Authorization: s3cret", target=b"/a?key=s3cret"))
        service = server.server._service
        assert service is not None
        server.wait(lambda: service.dispatcher.waiting == 1)
        told = ask(port(), "/requests")
        assert [row["path"] for row in told.json["requests"]] == ["/stuck", "/a"]
        with Events(port()) as events:
            assert "s3cret" not in json.dumps(events.next())
        assert b"s3cret" not in told.body


def test_it_changes_nothing(port: Callable[[], int]) -> None:
    """Whoever may look at it may not stop the server."""
    with live(echo, **PLACE):
        for target in ("/stop", "/reload", "/workers/9", "/", "/requests"):
            assert ask(port(), target, "POST", Content_Length="0").status == 404


def test_who_looks_and_does_not_read_is_cut_off(
    port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: what is made for a page that hangs does not fill memory."""
    sites: list[Site] = []

    class Known(ListeningSite):
        async def open(self) -> None:
            sites.append(self)
            await super().open()

    monkeypatch.setattr("aiowsgi.server.sites.ListeningSite", Known)
    monkeypatch.setattr("aiowsgi.server.status_page._SECOND", 0.0005)
    with live(echo, **PLACE) as server:
        [site] = sites
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port()))
            client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            server.wait(lambda: bool(site.clients))
            server.wait(lambda: not site.clients, 30)


def test_metrics_may_have_the_same_address(
    port: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    with (
        reserved_port() as free,
        live(echo, status=f"127.0.0.1:{free}", metrics=f"127.0.0.1:{free}"),
    ):
        assert b"aiowsgi_info" in ask(port(), "/metrics").body
        assert ask(port(), "/").status == 200

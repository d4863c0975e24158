"""Metrics of one process: what is counted, who may see it, and that it needs no thread (S17)."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.server import Server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.admin_client import ask
from tests.server.http_client import Peer, echo, get, post
from tests.server.stuck import Stuck, all_stuck
from tests.server.tls_client import connect, read_answer, served, trusting

Values = dict[str, float]
PLACE: dict[str, Any] = {"metrics": "127.0.0.1:0"}


def values(text: bytes) -> Values:
    """Each value by its name and labels, as the text has them."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
def port(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """Where the log says that metrics are."""
    caplog.set_level(logging.INFO, "aiowsgi.error")

    def find() -> int:
        [line] = [r.getMessage() for r in caplog.records if "Metrics at" in r.getMessage()]
        assert line.startswith("Metrics at: http://127.0.0.1:")
        assert line.endswith("/metrics")
        return int(line.rpartition(":")[2].partition("/")[0])

    return find


def scrape(port: int, until: Callable[[Values], bool] = bool) -> Values:
    """Scrape until it is so: the count of an answer may come a moment after the answer."""
    deadline = time.monotonic() + 10
    while not until(found := values(ask(port, "/metrics").body)):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def test_requests_are_counted_by_method_and_status_and_timed(port: Callable[[], int]) -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(environ["PATH_INFO"][1:] + " Said", [])
        return [b""]

    with live(app, **PLACE) as server, Peer(server) as peer:
        for status in (b"200", b"200", b"404", b"500"):
            peer.ask(get(target=b"/" + status))
        peer.ask(get(target=b"/200").replace(b"GET", b"DELETE"))
        found = scrape(port(), lambda v: v["aiowsgi_request_duration_seconds_count"] == 5)
    assert found["aiowsgi_requests_total{method=GET,status=200}"] == 2
    assert found["aiowsgi_requests_total{method=GET,status=404}"] == 1
    assert found["aiowsgi_requests_total{method=GET,status=500}"] == 1
    assert found["aiowsgi_requests_total{method=DELETE,status=200}"] == 1
    assert found["aiowsgi_queue_duration_seconds_count"] == 5
    waited = found["aiowsgi_queue_duration_seconds_sum"]
    assert 0 < waited < found["aiowsgi_request_duration_seconds_sum"]
    buckets = [v for k, v in found.items() if k.startswith("aiowsgi_request_duration_seconds_b")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 5


def test_it_answers_with_every_thread_stuck_and_says_so(port: Callable[[], int]) -> None:
    """S17."""
    with all_stuck(Stuck(), **PLACE) as (server, _), Peer(server) as peer:
        peer.send(get())
        found = scrape(port(), lambda v: v["aiowsgi_queue_depth"] == 1)
    assert found["aiowsgi_threads{state=busy}"] == 2
    assert found["aiowsgi_threads{state=idle}"] == 0
    assert found["aiowsgi_connections{state=active}"] == 3
    assert found["aiowsgi_memory_bytes"] > 1e6
    assert found["aiowsgi_loop_lag_seconds"] >= 0


def refused(server: Live, raw: bytes) -> None:
    with Peer(server) as peer:
        peer.send(raw)
        peer.rest()


def test_labels_stay_few_whatever_clients_make_up(port: Callable[[], int]) -> None:
    """S20: methods are names that anybody may make up."""
    with live(echo, **PLACE) as server:
        for number in range(5):
            refused(server, b"BREW%d / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % number)
            refused(server, b"GET /%d HTTP/1.1\r\n\r\n" % number)
        found = scrape(port(), lambda v: sum(_requests(v).values()) == 10)
    requests = _requests(found)
    assert requests.pop("aiowsgi_requests_total{method=GET,status=400}") == 5
    assert len(requests) == 1
    assert next(iter(requests)).startswith("aiowsgi_requests_total{method=OTHER,")


def _requests(found: Values) -> Values:
    return {name: value for name, value in found.items() if name.startswith("aiowsgi_requests_t")}


def test_what_is_shed_is_counted_by_its_reason(port: Callable[[], int]) -> None:
    options: dict[str, Any] = {"threads": 1, "limit_queue": 1, "queue_timeout": 2.0, **PLACE}
    with all_stuck(Stuck(), **options) as (server, _), Peer(server) as late, Peer(server) as many:
        late.send(get())
        service = server.server._service
        assert service is not None
        server.wait(lambda: service.dispatcher.waiting == 1)
        assert many.ask(get()).status == 503
        assert late.answer().status == 503
        found = scrape(port())
    assert found["aiowsgi_shed_total{reason=queue_full}"] == 1
    assert found["aiowsgi_shed_total{reason=queue_timeout}"] == 1
    assert found["aiowsgi_shed_total{reason=spool_full}"] == 0


def test_what_misses_its_deadline_is_counted_by_its_kind(port: Callable[[], int]) -> None:
    options: dict[str, Any] = {"threads": 1, "timeout": 0.2, "header_timeout": 0.2, **PLACE}
    with all_stuck(Stuck(), **options) as (server, peers):
        assert peers[0].answer().status == 504
        refused(server, b"GET / HT")
        found = scrape(port())
    assert found["aiowsgi_timeouts_total{kind=application}"] == 1
    assert found["aiowsgi_timeouts_total{kind=request}"] == 1
    assert found["aiowsgi_timeouts_total{kind=send}"] == 0


@pytest.mark.parametrize(
    ("option", "kind"), [("keep_alive", "keep_alive"), ("header_timeout", "silent")]
)
def test_connections_that_say_nothing_are_counted_apart(
    port: Callable[[], int], option: str, kind: str
) -> None:
    with live(echo, **{option: 0.2}, **PLACE) as server, Peer(server) as peer:
        if kind == "keep_alive":
            peer.ask(get())
        assert peer.rest() == b""
        found = scrape(port())
    assert _timeouts(found) == {kind: 1}


def test_none_is_counted_that_a_stop_closes(port: Callable[[], int]) -> None:
    with live(echo, keep_alive=60, **PLACE) as server, Peer(server) as idle:
        idle.ask(get())
        view = server.server.view
    assert view is not None
    assert not any(view.numbers().count("timeouts").values())


def test_handshakes_that_stall_are_counted(port: Callable[[], int]) -> None:
    with live(echo, **served(), header_timeout=0.2, **PLACE) as server, Peer(server) as stalled:
        assert stalled.rest() == b""
        found = scrape(port(), lambda v: bool(_timeouts(v)))
    assert _timeouts(found) == {"handshake": 1}


def test_an_idle_client_that_does_not_end_tls_is_counted_once(port: Callable[[], int]) -> None:
    """Its connection stays for a while, and is looked at again and again."""
    with live(echo, **served(), keep_alive=0.2, **PLACE) as server:
        with connect(server, trusting()) as client:
            client.sendall(get())
            read_answer(client)
            scrape(port(), lambda v: v["aiowsgi_connections{state=closing}"] == 1)
            service = server.server._service
            assert service is not None
            then = service.now + 0.5
            server.wait(lambda: service.now > then)  # several sweeps later
            found = scrape(port())
    assert _timeouts(found) == {"keep_alive": 1}


def test_a_streamed_body_that_comes_too_slowly_is_counted(port: Callable[[], int]) -> None:
    options: dict[str, Any] = {"request_buffering": False, "body_timeout": 0.2, **PLACE}
    with live(echo, **options) as server, Peer(server) as peer:
        peer.send(post(10, body=b"1"))
        assert peer.answer().status == 408
        found = scrape(port())
    assert _timeouts(found) == {"request": 1}


def _timeouts(found: Values) -> Values:
    """What was counted of them, by kind."""
    start = "aiowsgi_timeouts_total{kind="
    return {k[len(start) : -1]: v for k, v in found.items() if k.startswith(start) and v}


def test_openmetrics_is_there_for_who_asks(port: Callable[[], int]) -> None:
    with live(echo, **PLACE):
        kind = "application/openmetrics-text; version=1.0.0"
        told = ask(port(), "/metrics", Accept=kind)
        assert told.fields["content-type"].startswith(kind)
        assert told.body.endswith(b"# EOF\n")
        assert ask(port(), "/metrics").fields["content-type"].startswith("text/plain; version=")
        assert told.fields["cache-control"] == "no-store"


def test_a_page_from_elsewhere_cannot_read_it_by_a_name_of_its_own(
    port: Callable[[], int],
) -> None:
    """A site may let its name mean 127.0.0.1 for a browser that runs here (DNS rebinding)."""
    with live(echo, **PLACE):
        statuses = {
            host: ask(port(), "/metrics", Host=host).status
            for host in ("evil.example", "evil.example:9090", "localhost:1", "127.0.0.1", "[::1]:1")
        }
    assert list(statuses.values()) == [421, 421, 200, 200, 200]


def test_nothing_else_is_there_and_nothing_of_the_server(port: Callable[[], int]) -> None:
    with live(echo, **PLACE):
        for target in ("/", "/requests", "/status", "/metrics/"):
            assert ask(port(), target).status == 404
        assert ask(port(), "/metrics", "POST", Content_Length="0").status == 404
        assert b"python" not in ask(port(), "/metrics").body  # none of the library's own


def test_an_address_that_is_taken_is_an_error_with_its_name(port: Callable[[], int]) -> None:
    with live(echo, **PLACE):
        address = f"127.0.0.1:{port()}"
        with pytest.raises(ConfigError, match=f"Cannot listen at {address}") as caught:
            Server(echo, Config(port=0, metrics=address, access_log=False)).run()
        assert caught.value.exit_code == 1


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    server = Server(echo, Config(port=0, metrics="127.0.0.1:0", access_log=False))
    with pytest.raises(ConfigError, match=r"pip install 'aiowsgi\[metrics\]'"):
        server.run()

"""Pages at a path of several workers: whichever worker is asked, all are shown."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.server.admin_client import ask
from tests.server.test_metrics import Values, values
from tests.server.test_status_page import Events
from tests.supervised import PATIENCE, Supervised, supervised
from tests.test_ctl import client

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no workers here")

GET = "aiowsgi_requests_total{method=GET,status=200}"
PLACES = ("--metrics", "/metrics", "--status", "/_status", "--control-socket", "off")


@pytest.fixture(scope="module")
def server() -> Iterator[Supervised]:
    with supervised("--workers", "2", "--threads", "2", *PLACES) as server:
        yield server


def port_of(server: Supervised) -> int:
    return int(server.url.rpartition(":")[2])


def scrape(server: Supervised, until: Callable[[Values], bool]) -> Values:
    """Scrape until it is so: workers tell their numbers once a second."""
    deadline = time.monotonic() + PATIENCE
    while not until(found := values(ask(port_of(server), "/metrics").body)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_metrics_are_the_sum_whichever_worker_is_asked(server: Supervised) -> None:
    assert len(server.answered_by(2)) == 2
    asked = server.asked
    for _ in range(10):
        found = scrape(server, lambda v: v.get(GET, 0) == asked)
    assert found["aiowsgi_threads{state=idle}"] == 4
    assert found["aiowsgi_worker_restarts_total{reason=died}"] == 0


def test_the_page_shows_all_workers_second_by_second(server: Supervised) -> None:
    port = port_of(server)
    assert b"<title>aiowsgi</title>" in ask(port, "/_status/").body
    with Events(port, "/_status/events") as events:
        first, second = events.next(), events.next()
    assert [row["pid"] for row in first["status"]["workers"]] == server.pids
    assert second["now"] > first["now"]
    assert first["about"]["options"]["workers"] == "2"


def test_what_is_changed_by_nobody_else_is_not_changed_here(server: Supervised) -> None:
    for target in ("/_status/reload", "/_status/stop", "/_status/workers/9"):
        assert ask(port_of(server), target).status == 404
        assert ask(port_of(server), target, "POST").body.decode() in map(str, server.pids)


def test_both_are_answered_with_every_thread_of_every_worker_stuck() -> None:
    """S17."""
    more = ("--threads", "1", "--graceful-timeout", "0")
    with supervised("--workers", "2", *more, *PLACES) as server, ExitStack() as stack:
        while len(server.out.find("stuck")) < 2:  # the same worker may have more than one
            stack.enter_context(closing(client(server, "/stuck")))
            waits = time.monotonic() + 0.1
            while len(server.out.find("stuck")) < 2 and time.monotonic() < waits:
                time.sleep(0.01)
        scrape(server, lambda v: v["aiowsgi_threads{state=busy}"] == 2)
        table = ask(port_of(server), "/_status/stacks").json
        assert table["silent"] == []
        found = [row for row in table["requests"] if row.get("stack")]
        assert all("threading.Event().wait()" in row["stack"] for row in found)
        assert sorted(row["worker"] for row in found) == sorted(server.pids)


def test_where_the_supervisor_does_not_answer_nobody_waits_for_long() -> None:
    with supervised("--workers", "1", *PLACES) as server:
        server.signal(signal.SIGSTOP)
        try:
            told = ask(port_of(server), "/metrics")
            assert (told.status, told.body) == (503, b"The supervisor does not answer\n")
            server.get()
        finally:
            server.signal(signal.SIGCONT)
        assert ask(port_of(server), "/metrics").status == 200  # and what came late is dropped


def test_who_looks_is_told_at_once_that_it_ends_and_is_not_waited_for() -> None:
    """S8: at a reload, which goes on to other workers, and at the end."""
    with supervised("--workers", "1", "--graceful-timeout", "none", *PLACES) as server:
        with Events(port_of(server), "/_status/events") as events:
            events.next()
            server.signal(signal.SIGHUP)
            events.stream.read()
        server.log.wait("ended with exit code 0")
        with Events(port_of(server), "/_status/events") as events:
            events.next()
            server.signal(signal.SIGTERM)
            events.stream.read()
            server.end()
        assert server.process.returncode == 0


def test_a_page_goes_on_with_another_worker_where_its_own_was_killed() -> None:
    with supervised("--workers", "1", *PLACES) as server:
        with Events(port_of(server), "/_status/events") as events:
            events.next()
            os.kill(server.pids[0], signal.SIGKILL)
            events.stream.read()
        server.log.wait("another takes its place")
        with Events(port_of(server), "/_status/events") as events:
            assert events.next()["status"]["restarts"] == {"died": 1}
            events.next()


def test_with_preload_and_with_reload_as_well() -> None:
    for how in (("--workers", "2", "--preload"), ("--reload",)):
        with supervised(*how, *PLACES) as server:
            server.get()
            scrape(server, lambda v: v.get(GET, 0) == 1)


def test_a_reload_changes_paths_but_not_addresses_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "aiowsgi.toml"
    file.write_text('metrics = "/one"\n')
    with supervised("--workers", "1", "-c", str(file)) as server:
        assert ask(port_of(server), "/one").status == 200
        file.write_text('metrics = "/two"\n')
        server.signal(signal.SIGHUP)
        server.log.wait("retires")
        while b"aiowsgi_info" not in ask(port_of(server), "/two").body:
            assert server.process.poll() is None
        assert not server.log.find("with a restart only")
        file.write_text('metrics = "127.0.0.1:0"\n')
        server.signal(signal.SIGHUP)
        server.log.wait("Addresses of metrics and status change with a restart only")

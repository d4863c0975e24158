"""Metrics of several workers: one sum, which no end of a worker makes smaller."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from benchmarks.ports import reserved_port
from tests.server.admin_client import ask
from tests.server.test_metrics import Values, values
from tests.supervised import PATIENCE, Supervised, supervised
from tests.test_grafana import expressions

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no workers here")

GET = "aiowsgi_requests_total{method=GET,status=200}"


@contextmanager
def measured(*args: str) -> Iterator[tuple[Supervised, int]]:
    """A supervised server, and the port of its metrics."""
    more = ("--metrics", "127.0.0.1:0", "--control-socket", "off")
    with supervised("--workers", "2", *more, *args) as server:
        found = server.log.wait(r"Metrics at: http://127\.0\.0\.1:(\d+)/metrics$")
        yield server, int(found[1])


def scrape(port: int, until: Callable[[Values], bool]) -> Values:
    """Scrape until it is so: workers tell their numbers once a second."""
    deadline = time.monotonic() + PATIENCE
    while not until(found := values(ask(port, "/metrics").body)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_they_are_summed_and_outlive_reload_and_death(how: str) -> None:
    with measured(how) as (server, port):
        assert len(server.answered_by(2)) == 2
        asked = server.asked
        scrape(port, lambda v: v.get(GET, 0) == asked)

        server.signal(signal.SIGHUP)
        found = scrape(port, lambda v: v["aiowsgi_worker_restarts_total{reason=reload}"] == 2)
        server.log.wait("ended with exit code 0", 2)
        found = scrape(port, lambda v: True)
        assert found[GET] == asked
        assert found["aiowsgi_request_duration_seconds_count"] == asked

        os.kill(int(server.get()), signal.SIGKILL)
        found = scrape(port, lambda v: v["aiowsgi_worker_restarts_total{reason=died}"] == 1)
        assert found[GET] >= asked


def test_it_answers_while_the_loops_of_all_workers_hang() -> None:
    """S17."""
    with measured() as (server, port):
        for pid in server.pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert ask(port, "/metrics").status == 200
            assert server.log.find("is stuck") == []  # they hang, and nobody has replaced them yet
        finally:
            for pid in server.pids:
                os.kill(pid, signal.SIGCONT)


def test_clients_of_it_are_not_kept_open_by_workers_that_were_forked() -> None:
    with measured("--preload") as (server, port):
        with closing(socket.create_connection(("127.0.0.1", port), PATIENCE)) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(100)
            os.kill(server.pids[0], signal.SIGKILL)  # another is forked meanwhile
            scrape(port, lambda v: v["aiowsgi_worker_restarts_total{reason=died}"] == 1)
            assert len(server.answered_by(2)) == 2
            client.sendall(b"nonsense\r\n\r\n")
            while client.recv(65536):
                pass  # the end comes: nobody else has it open


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_real_prometheus_scrapes_it(tmp_path: Path) -> None:
    with measured() as (server, port), reserved_port() as own:
        tmp_path.joinpath("prometheus.yml").write_text(
            "global: {scrape_interval: 200ms}\nscrape_configs:\n"
            f"- {{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
        )
        command = [
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{own}",
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as theirs:
            try:
                server.get()
                assert query(own, "sum(aiowsgi_requests_total)") == "1"
                assert query(own, 'up{job="shop"}', lambda v: v == "1")
                for expression in expressions():  # of the dashboard: all are understood
                    told = ask(own, f"/api/v1/query?query={quote(expression)}").json
                    assert told["status"] == "success", expression
            finally:
                theirs.terminate()


def query(port: int, expression: str, good: Callable[[str], bool] = bool) -> str:
    """Ask Prometheus until it has a good value."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline, expression
        time.sleep(0.1)
        try:
            told = ask(port, f"/api/v1/query?query={quote(expression)}")
        except OSError:  # it is not up yet
            continue
        if told.status != 200:  # it is up, and not ready yet
            continue
        for result in told.json.get("data", {}).get("result", ()):
            if good(result["value"][1]):
                return str(result["value"][1])

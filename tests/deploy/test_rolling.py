"""Servers behind real balancers are rolled under constant load, and no request fails (S8).

The balancers run the files of deploy/. HAProxy asks for readiness: it has looked away before a
server that got TERM stops serving. nginx asks nobody, and tries the next server.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from benchmarks.load import parse
from tests.deploy import balancers
from tests.deploy.balancers import Balancer
from tests.differential.fronts import installed
from tests.load import load
from tests.supervised import APP, PATIENCE, Output, supervised
from tests.test_cli_process import command, get

DELAY = 3.0  # seconds of --shutdown-delay: many times what HAProxy takes to look away here


def needs(program: str) -> None:
    if not installed(program):
        pytest.skip(f"{program} is not installed")


class Backends:
    """Three servers, each a process at a unix socket of its own."""

    def __init__(self, folder: Path, delay: float, stack: ExitStack) -> None:
        self.paths = [f"{folder}/{name}.sock" for name in "abc"]
        self._delay = delay
        self._stack = stack
        self._processes = {path: self.start(path) for path in self.paths}

    def start(self, path: str) -> subprocess.Popen[str]:
        options = ("--uds", path, "--forwarded-allow-ips", "unix", "--no-access-log")
        health = ("--health-path", "/health", "--shutdown-delay", str(self._delay))
        process = self._stack.enter_context(command(*options, *health, APP))
        Output(process).wait("Listening at: unix:")
        return process

    def replace(self, path: str, looks_away: Callable[[], None]) -> int:
        """TERM, wait for a clean end, start the next one; its pid."""
        process = self._processes[path]
        process.send_signal(signal.SIGTERM)
        looks_away()
        if self._delay:
            assert process.poll() is None, "it has to serve until the balancer has looked away"
        assert process.wait(PATIENCE) == 0
        self._processes[path] = self.start(path)
        return self._processes[path].pid


@contextmanager
def backends(folder: Path, delay: float = 0) -> Iterator[Backends]:
    with ExitStack() as stack:
        yield Backends(folder, delay, stack)


@contextmanager
def constant_load(url: str) -> Iterator[None]:
    """wrk where it is installed, else clients of our own; at the end, whether a request failed."""
    if (wrk := shutil.which("wrk")) is None:
        with load(url) as clients:
            yield
            answered, faults = clients.answers.total(), len(clients.faults)
        assert faults == 0, clients.faults
    else:
        words = [wrk, "-t1", "-c16", "-d120s", "--timeout", "20s", "--latency", url]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield
            finally:
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=PATIENCE)
        measured = parse(output)
        answered = measured.requests
        assert measured.bad_answers + measured.socket_errors == 0, output
    assert answered > 100


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline


def asks(balancer: Balancer, pid: int) -> bool:
    """Whether the balancer has an answer by this process."""
    return get(balancer.url) == (200, str(pid))


def is_down(balancer: Balancer, server: str) -> bool:
    """Whether the balancer has looked away."""
    return balancer.finds(server) == "DOWN"


def test_no_request_fails_when_haproxys_servers_are_rolled(tmp_path: Path) -> None:
    needs("haproxy")
    with backends(tmp_path, DELAY) as servers, balancers.haproxy(servers.paths) as balancer:
        with constant_load(balancer.url):
            for name, path in zip("abc", servers.paths, strict=True):
                down = partial(until, partial(is_down, balancer, name))
                until(partial(asks, balancer, servers.replace(path, down)))


def test_no_request_fails_when_nginxs_servers_are_rolled(tmp_path: Path) -> None:
    needs("nginx")
    with backends(tmp_path) as servers, balancers.nginx(servers.paths) as balancer:
        with constant_load(balancer.url):
            for path in servers.paths:
                until(partial(asks, balancer, servers.replace(path, lambda: None)))


@pytest.mark.parametrize("balance", [balancers.haproxy, balancers.nginx])
def test_no_request_fails_when_four_workers_behind_a_balancer_are_reloaded(
    balance: Callable[[list[str]], AbstractContextManager[Balancer]],
) -> None:
    needs(balance.__name__)
    with ExitStack() as stack:
        server = stack.enter_context(supervised("--workers", "4", "--health-path", "/health"))
        balancer = stack.enter_context(balance([server.url.removeprefix("http://")]))
        with constant_load(balancer.url):
            server.signal(signal.SIGHUP)
            server.log.wait(r"Worker \d+ retires", 4)
            until(lambda: int(get(balancer.url)[1]) not in server.pids)


def test_a_request_that_fails_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By our own clients; what wrk counts is proven in tests/benchmarks."""
    needs("haproxy")
    with balancers.haproxy(["/nowhere"]) as balancer:
        monkeypatch.setenv("PATH", "")  # there is no wrk
        with pytest.raises(AssertionError, match="503"), constant_load(balancer.url):
            until(lambda: get(balancer.url)[0] == 503)

"""How a supervisor and its workers end: at once, by force, late, or for want of a terminal (S8)."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.supervised import APP, ROOT, Output, Supervised, supervised
from tests.test_cli_process import command, get, kill_all


def get_stuck(server: Supervised) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 20)
    client.sendall(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
    server.out.wait("stuck")
    return client


def interrupt_twice(server: Supervised) -> None:
    server.signal(signal.SIGINT)
    server.log.wait("Ending")
    server.signal(signal.SIGINT)


@pytest.mark.parametrize(
    "end",
    [interrupt_twice, lambda server: server.signal(signal.SIGQUIT)],
    ids=["second INT", "QUIT"],
)
def test_a_second_int_and_quit_end_it_at_once(end: Callable[[Supervised], None]) -> None:
    """Long before the graceful timeout, which this test does not live to see."""
    with supervised("--workers", "2", "--graceful-timeout", "1h") as server:
        with closing(get_stuck(server)):
            end(server)
            log = server.end()
        assert server.process.returncode == 0
        assert "Still running at the end: <Exchange GET /stuck>" in log
        assert "Traceback" not in log


def test_the_graceful_timeout_is_hard_for_workers_too() -> None:
    with supervised("--workers", "2", "--graceful-timeout", "300ms") as server:
        with closing(get_stuck(server)):
            server.signal(signal.SIGTERM)
            log = server.end()
        assert server.process.returncode == 0
        assert "Still running at the end: <Exchange GET /stuck>" in log


def test_a_worker_that_does_not_end_is_killed() -> None:
    """Here it is stopped, and hears of nothing."""
    with supervised("--workers", "1", "--graceful-timeout", "100ms") as server:
        os.kill(server.pids[0], signal.SIGSTOP)
        server.signal(signal.SIGTERM)
        log = server.end()
        assert f"Worker {server.pids[0]} did not end in time: it is killed" in log
        assert server.process.returncode == 0


def connected(url: str, processes: int) -> list[HTTPConnection]:
    """A connection to each of so many processes."""
    found: dict[str, HTTPConnection] = {}
    while len(found) < processes:
        client = HTTPConnection(url.removeprefix("http://"), timeout=20)
        pid = asked(client, "/")
        if found.setdefault(pid, client) is not client:
            client.close()
    return list(found.values())


def asked(client: HTTPConnection, path: str) -> str:
    client.request("GET", path)
    return client.getresponse().read().decode()


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "workers"])
def test_readiness_fails_while_it_serves_on_after_term(workers: tuple[str, ...]) -> None:
    """New clients too, until the delay is over; INT does not wait for it (S17)."""
    args = ("--health-path", "/up", "--shutdown-delay", "1h", "--port", "0", "--no-access-log")
    with command(*args, *workers, APP) as process:
        log = Output(process)
        url = log.wait(r"Listening at: (\S+)")[1]
        clients = connected(url, 2 if workers else 1)
        assert get(url, "/up?ready") == (200, "ok")
        process.send_signal(signal.SIGTERM)
        log.wait("Serving for another 3600s, with readiness failing")
        for client in clients:  # each worker hears of it in its own time
            while asked(client, "/up?ready") == "ok":
                pass
            client.close()
        for _ in range(4):
            assert get(url, "/up?ready") == (503, "draining")
            assert get(url, "/up") == (200, "ok")
            assert get(url)[0] == 200
        process.send_signal(signal.SIGINT)
        log.wait_for_the_end()
        assert process.wait(20) == 0


def test_a_worker_that_retires_does_not_fail_readiness() -> None:
    """Others serve on: nothing is about to end here."""
    with supervised("--workers", "1", "--health-path", "/up") as server:
        client = HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=20)
        with closing(get_stuck(server)), closing(client):
            client.request("GET", "/")
            client.getresponse().read()
            server.signal(signal.SIGHUP)
            server.log.wait(f"Worker {server.pids[0]} retires")
            try:  # on a connection of the old one, for as long as it lets it be used
                client.request("GET", "/up?ready")
                answer = client.getresponse()
            except ConnectionError:  # closed in that very moment: as RFC 9112 9.3.1 has it
                client.close()
                client.request("GET", "/up?ready")
                answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"ok")
            server.signal(signal.SIGQUIT)
            server.end()


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one", "workers"])
def test_a_terminal_that_is_closed_ends_it(workers: tuple[str, ...], tmp_path: Path) -> None:
    """HUP is a wish to reload from anybody else."""
    ours, theirs = pty.openpty()
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "aiowsgi", "--port", "0", *workers, APP],
            cwd=ROOT,
            stdin=theirs,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    os.close(theirs)
    with process:
        try:
            told = Output(process)
            told.wait("Listening at")
            os.close(ours)
            process.send_signal(signal.SIGHUP)  # which a login shell passes on
            told.wait_for_the_end()
            assert process.wait(20) == 0
        finally:
            kill_all(process)


def test_usr1_has_all_processes_open_their_logs_anew(tmp_path: Path) -> None:
    """After logrotate has moved a file away: with outputs that know how."""
    code, log = tmp_path / "logs.py", tmp_path / "access"
    code.write_text(
        "import logging.handlers\n"
        "from tests.apps.worker import app\n"
        "class Output(logging.handlers.WatchedFileHandler):\n"
        "    emit = logging.FileHandler.emit\n"  # does not look by itself
        f"logging.getLogger('aiowsgi.access').addHandler(Output({str(log)!r}))\n"
    )
    args = ("--workers", "1", "--chdir", str(tmp_path), "--access-log")
    with supervised(*args, app="logs:app", PYTHONPATH=str(ROOT)) as server:
        log.rename(tmp_path / "moved")
        server.signal(signal.SIGUSR1)
        while not log.exists():
            assert server.get()
        assert server.get()
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0
        assert "GET / HTTP/1.1" in log.read_text()

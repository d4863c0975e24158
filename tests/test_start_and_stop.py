"""The first and the last lines of a server, as whoever started it reads them on a terminal."""

from __future__ import annotations

import operator
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from aiowsgi.server.account import Account, Done
from aiowsgi.server.banner import name_of
from aiowsgi.server.phases import Phase
from aiowsgi.server.service import Service
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.supervised import ROOT, Output, supervised
from tests.test_cli_process import command, get

HELLO = "tests.apps.hello:app"


@contextmanager
def on_a_terminal(*args: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], Output]]:
    """The command with stderr on a terminal of its own; what it writes there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aiowsgi", "--port", "0", "--no-access-log", *args, HELLO],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "NO_COLOR": "", **environ},
        text=True,
    )
    os.close(theirs)
    read, write = os.pipe()

    def copy() -> None:  # at its end a terminal raises where a pipe just ends
        with suppress(OSError):
            while data := os.read(ours, 4096):
                os.write(write, data.replace(b"\r\n", b"\n"))
        os.close(write)

    copying = threading.Thread(target=copy)
    copying.start()
    process.stderr = os.fdopen(read, encoding="utf-8")
    try:
        yield process, Output(process)
    finally:
        process.kill()
        process.wait()
        copying.join()
        os.close(ours)


def messages(lines: list[str]) -> list[str]:
    return [line.partition("] [INFO] ")[2] for line in lines]


def test_one_process_says_what_serves_where_and_at_the_end_what_was_done() -> None:
    with on_a_terminal("--threads", "3", NO_COLOR="1") as (process, log):
        url = log.wait(r"Listening at: (\S+) \(")[1]
        log.wait("CTRL")
        assert get(url, "/")[0] == get(url, "/")[0] == 200
        process.send_signal(signal.SIGTERM)
        lines = log.wait_for_the_end().splitlines()
        assert process.wait(30) == 0
    first, second, third, *_, last = messages(lines)
    assert re.fullmatch(
        rf"aiowsgi \S+ serves {HELLO} \((compiled|pure Python), (uvloop|asyncio), 3 threads\)",
        first,
    )
    assert second == f"Listening at: {url} ({process.pid})"
    assert third == "(Press CTRL+C to quit)"
    assert re.fullmatch(r"Stopped: 2 requests served in \d+\.\d seconds", last)


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one", "workers"])
def test_levels_are_coloured_on_a_terminal(workers: tuple[str, ...]) -> None:
    with on_a_terminal(*workers) as (process, log):
        log.wait("CTRL")
        process.send_signal(signal.SIGTERM)
        lines = log.wait_for_the_end().splitlines()
    line = r"\x1b\[2m\[.*\] \[\d+\]\x1b\[0m \x1b\[32m\[INFO\]\x1b\[0m [^\x1b]+"
    assert [each for each in lines if not re.fullmatch(line, each)] == []


def test_colours_are_forced_into_a_pipe() -> None:
    with command("--port", "0", HELLO, FORCE_COLOR="1") as process:
        Output(process).wait(re.escape("\x1b[32m[INFO]\x1b[0m Listening at: "))


def test_workers_have_one_banner_and_one_last_line_with_their_sums() -> None:
    with supervised("--workers", "2", "--threads", "3") as server:
        server.answered_by(2)
        server.signal(signal.SIGTERM)
        lines = messages(server.end().splitlines())
        asked = server.asked
    banners = [line for line in lines if " serves " in line and line.startswith("aiowsgi ")]
    assert len(banners) == 1
    assert banners[0].endswith("2 workers with 3 threads each)")
    assert sum(line.startswith("Listening at: ") for line in lines) == 1
    assert len([line for line in lines if " served in " in line]) == 1
    assert re.fullmatch(
        rf"All workers have ended: {asked} requests served in \d+\.\d seconds", lines[-1]
    )


def test_what_a_dead_worker_has_done_is_not_guessed() -> None:
    with supervised("--workers", "1") as server:
        server.get()
        os.kill(server.pids[0], signal.SIGKILL)
        server.log.wait("another takes its place")
        server.get()
        server.signal(signal.SIGTERM)
        *_, last = messages(server.end().splitlines())
    assert re.fullmatch(
        r"All workers have ended: 1 request served in \d+\.\d seconds; "
        r"not counted: those of 1 worker that died",
        last,
    )


def test_what_a_stop_has_cut_is_told(caplog: pytest.LogCaptureFixture) -> None:
    begun, over = threading.Event(), threading.Event()

    def slow(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        begun.set()
        over.wait(30)
        start_response("200 OK", [])
        return [b""]

    caplog.set_level("INFO", "aiowsgi.error")
    with live(slow) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert begun.wait(10)
        server.server.stop(now=True)
        server.wait(lambda: "Stopped: " in caplog.text)
        over.set()
    assert "Stopped: 0 requests served in" in caplog.text
    assert "seconds, 1 cut" in caplog.text


def test_an_idle_connection_is_not_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "aiowsgi.error")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"done"]

    with live(app) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536).endswith(b"done")
        service = server.server._service
        assert service is not None
        server.wait(lambda: not service.dispatcher.running)
        server.server.stop(now=True)
        server.wait(lambda: "Stopped: " in caplog.text)
    assert re.search(r"Stopped: 1 request served in \d+\.\d seconds$", caplog.text, re.MULTILINE)


def is_in(phase: Phase, service: Service) -> bool:
    return [connection.look()[0] for connection in service.connections] == [phase]


def test_a_client_that_was_answered_before_it_had_sent_all_is_not_cut() -> None:
    """One that sends still, without an answer, is."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"done"]

    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"
    for phase, done in (Phase.UNREAD, Done(1, 0)), (Phase.BODY, Done(0, 1)):
        buffering = phase is Phase.BODY
        with live(app, request_buffering=buffering) as server, server.connect() as client:
            client.sendall(post)
            if not buffering:
                assert client.recv(65536).endswith(b"done")
            service = server.server._service
            assert service is not None
            server.wait(partial(is_in, phase, service))
            server.server.stop(now=True)
            server.wait(partial(operator.not_, service.connections))
        assert server.server.account.done == done


def test_requests_of_many_threads_are_counted_exactly_and_looks_are_not() -> None:
    account, ids = Account(), []
    source = account.request_ids()

    def draw() -> None:
        ids.extend([next(source) for _ in range(1000)])

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert account.begun <= 8000
    for thread in threads:
        thread.join()
    assert account.begun == account.begun == 8000
    assert len(set(ids)) == 8000


def test_the_words_of_an_account() -> None:
    assert Done().in_words(0.04) == "0 requests served in 0.0 seconds"
    assert Done(1, 2).in_words(61.25) == "1 request served in 61.2 seconds, 2 cut"
    assert Done(3).plus(Done(4, 1, 2)) == Done(7, 1, 2)
    told = "3 requests served in 1.0 seconds; not counted: those of 2 workers that died"
    assert Done(3, untold=2).in_words(1) == told


def test_an_application_without_a_name_is_called_after_its_function_or_class() -> None:
    class App:
        def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            return []

    assert name_of("module:app") == "module:app"
    assert name_of(App()).endswith(
        ":test_an_application_without_a_name_is_called_after_its_function_or_class.<locals>.App"
    )

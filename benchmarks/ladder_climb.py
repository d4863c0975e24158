"""Climbs the ladder: one server, one kind of bad client, two of them, ten, a hundred, ...

A step is held where each of ten ordinary requests, one after the other and each on a connection of
its own, has its right answer within a second while the crowd is there. Each step starts the server
anew; the first step that is not held ends the climb.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import apps, client, machine
from benchmarks.ladder_crowd import Count
from benchmarks.ladder_kinds import Kind
from benchmarks.ports import reserved_port
from benchmarks.processes import place, running
from benchmarks.runner import KEPT, START_PATIENCE, StartError, last_words
from benchmarks.servers import MOST_CONNECTIONS, Server, Settings

APP = "benchmarks.ladder_apps:wsgi"
THREADS = 2
REQUESTS = 10
WITHIN = 1.0  # seconds for each ordinary request
SETTLE = 0.5  # seconds for the server to come to rest behind the last client
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Step:
    """What one server did with so many clients of one kind."""

    clients: int
    settled: int  # those that became the burden they were meant to be
    cut: int  # those that the server had closed when the last ordinary request was answered
    answered: int  # ordinary requests, of REQUESTS
    slowest: float | None  # seconds, of those that were answered
    memory: float | None  # bytes for each client
    failure: str = ""

    @property
    def held(self) -> bool:
        return self.answered == REQUESTS and not self.failure


@dataclass
class Climb:
    """One server and one kind; the steps that were tried."""

    server: str
    kind: Kind
    steps: list[Step] = field(default_factory=list)

    @property
    def top(self) -> Step | None:
        """The highest step that was held."""
        return next((step for step in reversed(self.steps) if step.held), None)

    def reaches(self, aim: int) -> bool:
        return self.top is not None and self.top.clients >= aim


Progress = Callable[[Climb, Step], None]


@dataclass
class Climber:
    """The conditions of a whole run."""

    folder: Path
    cores: machine.Cores = field(default_factory=machine.cores)

    def climb(self, climb: Climb, server: Server, steps: Sequence[int], told: Progress) -> None:
        """Tries the steps in turn, as far as they are held."""
        for clients in steps:
            step = self.step(server, climb.kind, clients)
            climb.steps.append(step)
            told(climb, step)
            if not step.held:
                return

    def step(self, server: Server, kind: Kind, clients: int) -> Step:
        nothing = Step(clients, 0, 0, 0, None, None)
        try:
            with self.started(server) as (process, port):
                if len(ask_all(port, client.PATIENCE)) < REQUESTS:
                    return dataclasses.replace(nothing, failure="no answer to anybody")
                return self.burdened(process, port, kind, clients)
        except StartError as error:
            return dataclasses.replace(nothing, failure=str(error))

    def burdened(self, process: subprocess.Popen[str], port: int, kind: Kind, clients: int) -> Step:
        """The step itself: the crowd comes, ten ordinary requests are sent, the crowd goes."""
        time.sleep(SETTLE)
        before = machine.usage(process.pid)
        with self.crowd(kind, clients, port) as crowd:
            count = told_by(crowd)
            time.sleep(SETTLE)
            after = machine.usage(process.pid)
            took = ask_all(port, WITHIN)
            crowd.terminate()
            last = told_by(crowd)
        each = (after.rss - before.rss) / clients if before and after else None
        ended = process.poll() is not None
        return Step(
            clients,
            count.settled,
            last.cut,
            len(took),
            max(took, default=None),
            each,
            "the server ended" if ended else "",
        )

    @contextlib.contextmanager
    def crowd(self, kind: Kind, clients: int, port: int) -> Iterator[subprocess.Popen[str]]:
        words = [sys.executable, "-m", "benchmarks.ladder_crowd", kind.name, str(clients)]
        with running([*words, str(port)], self.cores.load) as process:
            yield process

    @contextlib.contextmanager
    def started(self, server: Server) -> Iterator[tuple[subprocess.Popen[str], int]]:
        """The server with our application and two threads, and its port, while the block runs."""
        log = self.folder / f"{server.name}.log"
        log.write_bytes(b"")
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment["PYTHONPATH"] = place()
        with contextlib.ExitStack() as stack:
            settings = Settings(stack.enter_context(reserved_port()), THREADS)
            command = command_of(server, settings)
            process = stack.enter_context(running(command, self.cores.server, environment, log))
            if not client.wait_until_it_accepts(
                settings.port, lambda: process.poll() is None, START_PATIENCE
            ):
                raise StartError(f"it did not start: {last_words(log)}")
            yield process, settings.port


def command_of(server: Server, settings: Settings) -> list[str]:
    """The server's own command line, with our application, which comes last, in place of theirs."""
    command = server.command(settings)
    if command.pop() not in (apps.__name__ + ":wsgi", "wsgi:" + apps.__name__ + ":wsgi"):
        raise ValueError(f"{server.name} does not name its application last")
    return [*command, *limit_of(server), APP]


def limit_of(server: Server) -> list[str]:
    """aiowsgi's limit of connections, raised as the others' is, where it has one already."""
    from aiowsgi import Config

    has = server.name == "aiowsgi" and "limit_connections" in Config.__dataclass_fields__
    return ["--limit-connections", MOST_CONNECTIONS] if has else []


def told_by(crowd: subprocess.Popen[str]) -> Count:
    """The next line of the crowd; StartError where it ended without one."""
    line = crowd.stdout.readline() if crowd.stdout else ""
    try:
        return Count(**json.loads(line))
    except (ValueError, TypeError) as error:
        rest = crowd.stdout.read() if crowd.stdout else ""
        raise StartError(f"the crowd failed: {(line + rest).strip()}") from error


def ask_all(port: int, within: float) -> list[float]:
    """Seconds of each ordinary request, up to the first without a right answer in time."""
    took = []
    for _ in range(REQUESTS):
        seconds = ask(port, within)
        if seconds is None:
            break
        took.append(seconds)
    return took


def ask(port: int, within: float) -> float | None:
    """One ordinary request; None where its right answer is not here after `within` seconds."""
    began = time.monotonic()
    data = b""
    try:
        with socket.create_connection(("127.0.0.1", port), within) as connection:
            connection.sendall(REQUEST)
            while True:
                left = began + within - time.monotonic()
                if left <= 0:
                    return None
                connection.settimeout(left)
                block = connection.recv(65536)
                if not block:
                    break
                data += block
    except OSError:
        return None
    right = data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"\r\n\r\n" + apps.HELLO)
    return time.monotonic() - began if right else None

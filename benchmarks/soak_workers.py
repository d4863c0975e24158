"""Workers killed at random under load: `python -m benchmarks.soak_workers --minutes 1`, see README.

A worker is killed each second, and at times all are replaced with HUP; clients ask without a pause,
half of them on one connection each, half on a new one for each request. What is lost is counted:
only requests in a killed worker may be, and none by a reload. The exit code tells.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import client, processes
from benchmarks.machine import PROC
from benchmarks.ports import reserved_port
from benchmarks.processes import running
from benchmarks.runner import START_PATIENCE, last_words

WORKERS = 4
WORK = 0.002  # seconds in the application: there is always somebody to lose
PAUSE = 1.0  # seconds from one death to the next
RELOADS = 5  # a reload for so many deaths
CLOSE = b"Connection: close\r\n"
PATIENCE = 60.0  # seconds for an answer
ENDING = 60.0  # seconds for the server to end
SHOWN = 5  # of the faults


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says who answers."""
    time.sleep(WORK)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class LostError(Exception):
    """A request that was sent has no answer, or half of one."""


@dataclass
class Run:
    """What was seen; `slack` is how many requests the last death may still have cost."""

    port: int
    connections: int
    answers: Counter[int] = field(default_factory=Counter)  # by the process that gave them
    killed: set[int] = field(default_factory=set)
    lost: int = 0
    slack: int = 0
    reloads: int = 0
    faults: list[str] = field(default_factory=list)
    over: bool = False

    async def client(self, keeps: bool) -> None:
        """Ask without a pause, on a new connection whenever the last one has ended."""
        while not self.over:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as error:
                self.faults.append(f"no connection: {error!r}")
                return
            with contextlib.closing(writer), contextlib.suppress(LostError):
                worker = await self.ask(reader, writer, keeps, None)
                while worker is not None and not self.over:
                    worker = await self.ask(reader, writer, keeps, worker)

    async def ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        keeps: bool,
        worker: int | None,
    ) -> int | None:
        """One request of a connection to `worker`, if it is known; None where it was the last."""
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"" if keeps else CLOSE) + b"\r\n")
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
            self.lose(worker, repr(error))
            raise LostError from error
        if not head.startswith(b"HTTP/1.1 200 "):
            self.faults.append(f"{head!r}")
        self.answers[int(body)] += 1
        return None if CLOSE in head else int(body)

    def lose(self, worker: int | None, why: str) -> None:
        """Count it; only a worker that was killed may have lost it."""
        self.lost += 1
        self.slack -= 1
        if worker is not None and worker not in self.killed:
            self.faults.append(f"lost in {worker}, which nobody killed: {why}")
        elif self.slack < 0:
            self.faults.append(f"more were lost than were under way: {why}")

    async def kill(self, supervisor: int, seconds: float, seeded: random.Random) -> None:
        """A worker a second, and at times a reload."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(PAUSE)
            if victims := workers(supervisor):
                self.killed.add(victim := seeded.choice(victims))
                self.slack = self.connections
                os.kill(victim, signal.SIGKILL)
            if len(self.killed) % RELOADS == 0:
                os.kill(supervisor, signal.SIGHUP)
                self.reloads += 1
        self.over = True


def workers(supervisor: int) -> list[int]:
    """Those that run now."""
    children = PROC / str(supervisor) / "task" / str(supervisor) / "children"
    return [int(pid) for pid in children.read_text(encoding="ascii").split()]


async def load(run: Run, supervisor: int, seconds: float, seed: int) -> None:
    """All clients, and who kills."""
    seeded = random.Random(seed)  # noqa: S311 - repeatable, not secret
    clients = [run.client(number % 2 == 0) for number in range(run.connections)]
    await asyncio.gather(run.kill(supervisor, seconds, seeded), *clients)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: only what was killed is lost; 1: more was; 2: it cannot run so."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_workers")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="of load (1)")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="at a time (32)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of who is killed (0)")
    options = parser.parse_args(arguments)
    if not PROC.joinpath("self/task").is_dir():
        print("it looks for the workers in /proc, which is not here", file=sys.stderr)
        return 2
    processes.end_as_on_interrupt()
    words = [sys.executable, "-m", "aiowsgi", "--workers", str(WORKERS), "--no-access-log"]
    words += ["benchmarks.soak_workers:wsgi", "--bind"]
    with tempfile.TemporaryDirectory(prefix="aiowsgi-soak-") as folder, reserved_port() as port:
        run = Run(port, options.connections)
        log = Path(folder, "log")
        with running([*words, f"127.0.0.1:{port}"], None, None, log) as server:
            client.wait_until_it_accepts(run.port, lambda: server.poll() is None, START_PATIENCE)
            while server.poll() is None and "workers serve" not in log.read_text(encoding="utf-8"):
                time.sleep(0.1)
            asyncio.run(load(run, server.pid, options.minutes * 60, options.seed))
            server.send_signal(signal.SIGTERM)
            if server.wait(ENDING) != 0:
                run.faults.append(f"exit code {server.returncode}: {last_words(log)}")
    print(
        f"{options.minutes * 60:g} s, {run.connections} clients: {len(run.killed)} workers killed, "
        f"{run.reloads} reloads, {run.answers.total():,} answers from {len(run.answers)} workers, "
        f"{run.lost} requests lost"
    )
    for fault in run.faults[:SHOWN]:
        print(f"fault: {fault}")
    print(
        f"{len(run.faults)} faults" if run.faults else "only requests in killed workers were lost"
    )
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Good and bad clients for a long time: `python -m benchmarks.soak --minutes 15`, see README.md.

aiowsgi alone, on a thousand connections; processes full of clients are killed at random. It may not
grow after warm-up, leak nothing, and give nobody a wrong answer. The exit code tells.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import client, machine, processes, servers, soak_watch
from benchmarks.ports import reserved_port
from benchmarks.processes import place, running
from benchmarks.runner import KEPT, START_PATIENCE, last_words
from benchmarks.soak_watch import Held

APP = "benchmarks.soak_apps:wsgi"
THREADS = 4
CROWDS = 4  # processes of clients
LONGEST_PATIENCE = 20.0  # seconds that a bad client stays, and twice the server's deadlines
PARTS = 30  # a process of clients is killed so often in a run, and at least each ten seconds
LEAVING = 60.0  # seconds in which the server must have forgotten clients that left, at most
TOLD = 10.0  # seconds between two lines of progress
SHOWN = 5  # of the wrong answers and faults


@dataclass
class Soak:
    """One run: what was seen, and what was wrong with it."""

    seconds: float
    connections: int
    seed: int
    samples: list[Held] = field(default_factory=list)
    killed: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    verdict: list[str] = field(default_factory=list)  # empty: all is well

    @property
    def patience(self) -> float:
        return min(LONGEST_PATIENCE, self.seconds / 4)

    @property
    def pool(self) -> int:
        return soak_watch.pool(self.samples, THREADS)

    def add(self, output: Path) -> None:
        """Counts what a process of clients has told before its end."""
        told = [line for line in output.read_text(encoding="utf-8").splitlines() if line]
        tallies: list[dict[str, Any]] = []
        for line in told:
            try:
                tallies.append(json.loads(line))
            except ValueError:  # the last one may be cut, as the process was; else it is a fault
                if line is not told[-1] or not line.startswith("{"):
                    self.wrong.append(f"clients: {line}")
        if tallies:
            last = tallies[-1]
            self.totals.update({key: last[key] for key in ("answers", "connections", "cut")})
            self.came.update(last["came"])
            self.wrong += last["wrong"]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description="Good and bad clients for a long time; see benchmarks/README.md.",
    )
    add = made.add_argument
    add("--minutes", type=float, default=15.0, metavar="N", help="of load (15)")
    add("--connections", type=int, default=1_000, metavar="N", help="at any time (1000)")
    add("--seed", type=int, default=0, metavar="N", help="of all that is random (0)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all is well; 1: it is not, or it was interrupted; 2: it cannot run so."""
    made = parser()
    options = made.parse_args(arguments)
    if options.minutes <= 0 or options.connections < CROWDS:
        made.error(f"--minutes is above 0, --connections at least {CROWDS}")
    if not soak_watch.PROC.joinpath("self/fd").is_dir():
        print("it counts what the server holds in /proc, which is not here", file=sys.stderr)
        return 2
    processes.end_as_on_interrupt()
    machine.raise_open_files()
    soak = Soak(options.minutes * 60, options.connections, options.seed)
    try:
        with tempfile.TemporaryDirectory(prefix="aiowsgi-soak-") as folder:
            run(soak, Path(folder))
    except KeyboardInterrupt:
        soak.verdict.append("interrupted")
    report(soak)
    return 1 if soak.verdict else 0


def run(soak: Soak, folder: Path) -> None:
    """The server, the load, the quiet after it, the end; fills `soak`."""
    log, files = folder / "log", folder / "files"
    files.mkdir()
    with started(soak, log, files) as (server, port):
        if server.poll() is not None:
            soak.verdict.append(f"it did not start: {last_words(log)}")
            return
        warm(port)
        before = soak_watch.look(server.pid, files)
        print(f"before: {before}", file=sys.stderr)
        try:
            load(soak, server.pid, port, folder)
            after = quiet(soak, server.pid, before, files)
        except OSError:
            soak.verdict.append(f"the server ended under load: {last_words(log)}")
            return
        print(f"before the load: {before}\nwhen all had left: {after}")
        soak.verdict += soak_watch.leaked(before, after, soak.pool)
        server.send_signal(signal.SIGTERM)
        if server.wait(LEAVING) != 0:
            soak.verdict.append(f"exit code {server.returncode} at TERM")
        if os.listdir(files):
            soak.verdict.append("temporary files outlive the server")
    judge(soak, log.read_text(encoding="utf-8", errors="replace"))


def judge(soak: Soak, log: str) -> None:
    """What was seen under load, and what the server said."""
    grown = soak_watch.memory(soak.samples)
    print(f"memory: {grown}")
    if grown.growth > grown.allowed:
        soak.verdict.append(f"it grew by {grown.growth / 2**20:.1f} MiB")
    if soak.wrong:
        soak.verdict.append(f"{len(soak.wrong)} wrong answers")
    if not soak.totals["answers"]:
        soak.verdict.append("nobody had an answer")
    if found := soak_watch.faults(log):
        soak.verdict.append(f"{len(found)} faults in its log: {'; '.join(found[:SHOWN])}")


@contextlib.contextmanager
def started(soak: Soak, log: Path, files: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """aiowsgi with deadlines and spools that the run meets often."""
    deadline = f"{soak.patience / 2:.1f}s"
    words = [sys.executable, "-m", "aiowsgi", APP, "--no-access-log"]
    words += ["--threads", str(THREADS), "--keep-alive", f"{soak.patience:.1f}s"]
    for name in ("header", "body", "send"):
        words += [f"--{name}-timeout", deadline]
    words += ["--spool-threshold", "32k", "--response-buffer", "64k", "--response-spool", "1m"]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"PYTHONPATH": place(), "TMPDIR": str(files)}
    with (
        reserved_port() as port,
        running([*words, "--bind", f"127.0.0.1:{port}"], None, environment, log) as server,
    ):
        client.wait_until_it_accepts(port, lambda: server.poll() is None, START_PATIENCE)
        yield server, port


def warm(port: int) -> None:
    """One answer of each kind: what a server opens once and keeps is no leak."""
    for how in ("list", "blocks", "file"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"X-How": how})
        with urllib.request.urlopen(request, timeout=client.PATIENCE) as answer:  # noqa: S310
            answer.read()


class Crowds:
    """The processes of clients; a killed one is counted and another takes its place."""

    def __init__(self, soak: Soak, port: int, folder: Path) -> None:
        self.soak = soak
        self.port = port
        self.folder = folder
        self.seeded = random.Random(soak.seed)  # noqa: S311 - repeatable, not secret
        self.number = 0
        self.running: list[tuple[contextlib.ExitStack, subprocess.Popen[str], Path]] = []

    def add(self) -> None:
        self.number += 1
        output = self.folder / f"clients-{self.number}"
        words = [sys.executable, "-m", "benchmarks.soak_clients", str(self.port)]
        words += [str(self.soak.connections // CROWDS), str(self.soak.patience)]
        words += [f"{self.soak.seed}-{self.number}"]
        stack = contextlib.ExitStack()
        process = stack.enter_context(running(words, None, None, output))
        self.running.append((stack, process, output))

    def kill_one(self) -> None:
        """At once, as the kernel's killer does: all its connections end where they are."""
        stack, process, output = self.running.pop(self.seeded.randrange(len(self.running)))
        process.kill()
        stack.close()
        self.soak.add(output)

    def close(self) -> None:
        while self.running:
            self.kill_one()


def load(soak: Soak, server: int, port: int, folder: Path) -> None:
    """Clients come and are killed; once a second it is looked at what the server holds."""
    crowds = Crowds(soak, port, folder)
    began = last_kill = last_told = time.monotonic()
    with contextlib.closing(crowds):
        for _ in range(CROWDS):
            crowds.add()
        while (now := time.monotonic()) - began < soak.seconds:
            time.sleep(min(1.0, soak.seconds / PARTS))
            soak.samples.append(held := soak_watch.look(server, folder / "files"))
            if now - last_kill > max(soak.seconds / PARTS, min(10.0, soak.seconds / 4)):
                crowds.kill_one()
                soak.killed += 1
                crowds.add()
                last_kill = now
            if now - last_told > TOLD:
                last_told = now
                print(f"{now - began:.0f} of {soak.seconds:.0f} s: {held}", file=sys.stderr)


def quiet(soak: Soak, server: int, before: Held, folder: Path) -> Held:
    """All have left: what the server holds when it has let go of them, or when it never does."""
    until = time.monotonic() + min(LEAVING, 10 + soak.seconds)
    while soak_watch.leaked(before, held := soak_watch.look(server, folder), soak.pool):
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return held


def report(soak: Soak) -> None:
    most = max(soak.samples, key=lambda held: held.memory, default=None)
    came = ", ".join(f"{name} {number:,}" for name, number in soak.came.most_common())
    print(f"at most: {most}")
    print(
        f"{soak.seconds:.0f} s, {soak.connections:,} connections at a time: "
        f"{soak.totals['connections']:,} in all, {soak.totals['answers']:,} right answers, "
        f"{len(soak.wrong)} wrong, {soak.totals['cut']:,} bad clients cut, "
        f"{soak.killed} processes of clients killed\nwho came: {came}"
    )
    for line in soak.wrong[:SHOWN]:
        print(f"wrong: {line}")
    print(servers.chosen(["aiowsgi"])[0].version())
    print("; ".join(soak.verdict) if soak.verdict else "all is well")


if __name__ == "__main__":
    sys.exit(main())

"""The command with workers, as a process whose log can be waited for."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal

from tests.test_cli_process import ROOT, command, get

__all__ = ["APP", "PATIENCE", "ROOT", "Parent", "Output", "Supervised", "supervised"]

APP = "tests.apps.worker:app"
PATIENCE = 30.0  # seconds, on a machine that has much else to do


class Output:
    """What a process writes to one stream, line by line; it ends when all its writers have.

    It takes the stream from the process, whose `with` would else close it while it is being read:
    the thread that reads it closes it.
    """

    def __init__(
        self, process: subprocess.Popen[str], name: Literal["stdout", "stderr"] = "stderr"
    ) -> None:
        self.lines: list[str] = []
        self.ended = False
        self._changed = threading.Condition()  # guards both
        stream = getattr(process, name)
        setattr(process, name, None)
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def find(self, pattern: str) -> list[re.Match[str]]:
        """All lines so far that have the pattern in them."""
        return [found for line in list(self.lines) if (found := re.search(pattern, line))]

    def wait(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Wait until as many lines have it; the last of these."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or len(self.find(pattern)) >= times, PATIENCE)
            found = self.find(pattern)
        assert len(found) >= times, "\n".join(self.lines)
        return found[times - 1]

    def wait_for_the_end(self) -> str:
        """Wait until nobody can write any more; all of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.ended, PATIENCE), "\n".join(self.lines)
        return "\n".join(self.lines)


class Parent:
    """A process that serves by others that it starts; `url` says where.

    `pid`: what it takes itself for, in a namespace of its own.
    """

    def __init__(self, process: subprocess.Popen[str], pid: int | None = None) -> None:
        self.process = process
        self.out = Output(process, "stdout")
        self.log = Output(process)
        self.url = self.log.wait(rf"Listening at: (\S+) \({pid or process.pid}\)$")[1]
        self.asked = 0  # requests so far

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def get(self, path: str = "/") -> str:
        self.asked += 1
        status, body = get(self.url, path)
        assert status == 200
        return body

    def end(self) -> str:
        """Wait for the end of all processes; the log."""
        log = self.log.wait_for_the_end()
        self.process.wait(PATIENCE)
        return log


class Supervised(Parent):
    """A supervisor and its workers, once they serve."""

    def __init__(self, process: subprocess.Popen[str], pid: int | None = None) -> None:
        super().__init__(process, pid)
        pids = self.log.wait(r"workers serve: (.*)")[1]
        self.pids = [int(pid) for pid in pids.split(", ")]

    def answered_by(self, wanted: int) -> set[int]:
        """Ask until so many workers have answered, each on a connection of its own."""
        seen: set[int] = set()
        deadline = time.monotonic() + PATIENCE
        while len(seen) < wanted:
            assert time.monotonic() < deadline, seen
            seen.add(int(self.get()))
        return seen


@contextmanager
def supervised(*args: str, app: str = APP, **environ: str) -> Iterator[Supervised]:
    """`aiowsgi ... APP` on a free port, once its workers serve."""
    with command("--port", "0", "--no-access-log", *args, app, **environ) as process:
        yield Supervised(process)

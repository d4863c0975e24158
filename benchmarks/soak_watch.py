"""What the server holds, second by second, and whether that is what it may hold.

Memory is that of the process (RSS); descriptors, threads and temporary files are counted in /proc
and in the one directory where the server may make files.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine

PROC = Path("/proc")
WARM_UP = 1 / 3  # of the run
WINDOW = 1 / 6  # of the run: its median is what is compared
GROWTH = 0.10  # of the memory after warm-up that may come on top, and as much again in bytes
GROWTH_BYTES = 32 * 2**20  # what large answers under way at one time make of noise
PURPOSE = "RuntimeError: on purpose"


@dataclass(frozen=True)
class Held:
    """What one process holds at one time."""

    memory: int  # bytes
    descriptors: int
    threads: int
    files: int  # in the server's directory for temporary files, those without a name not counted

    def __str__(self) -> str:
        return (
            f"{self.memory / 2**20:.1f} MiB, {self.descriptors} descriptors, "
            f"{self.threads} threads, {self.files} files"
        )


def look(process: int, folder: Path) -> Held:
    """Raises OSError where the process is gone."""
    used = machine.usage(process)
    return Held(
        used.rss if used else 0,
        len(os.listdir(PROC / str(process) / "fd")),
        len(os.listdir(PROC / str(process) / "task")),
        len(os.listdir(folder)),
    )


@dataclass(frozen=True)
class Memory:
    """Medians of two windows of the run, in bytes."""

    warm: float
    last: float

    @property
    def growth(self) -> float:
        return self.last - self.warm

    @property
    def allowed(self) -> float:
        return GROWTH_BYTES + GROWTH * self.warm

    def __str__(self) -> str:
        return (
            f"{self.warm / 2**20:.1f} MiB after warm-up, {self.last / 2**20:.1f} MiB at the end "
            f"of the load: {self.growth / 2**20:+.1f} MiB, allowed {self.allowed / 2**20:.1f}"
        )


def memory(samples: Sequence[Held]) -> Memory:
    """Compares the window behind warm-up with the last one."""
    window = max(1, int(len(samples) * WINDOW))
    begin = min(int(len(samples) * WARM_UP), len(samples) - 1)
    sizes = [sample.memory for sample in samples]
    return Memory(
        statistics.median(sizes[begin : begin + window]), statistics.median(sizes[-window:])
    )


def pool(samples: Sequence[Held], threads: int) -> int:
    """How many threads the server may keep: as many as at the end of warm-up, and half of that.

    An executor keeps the threads that it has needed at one time; those of streams come on top of
    `threads`. What grows with the number of clients that have come is above that.
    """
    warm = samples[: max(1, int(len(samples) * WARM_UP))]
    return threads + max((sample.threads for sample in warm), default=0) * 3 // 2


def leaked(before: Held, after: Held, threads: int) -> list[str]:
    """What is held when all clients have left that was not held before they came, in words."""
    found = []
    if after.descriptors > before.descriptors:
        found.append(f"{after.descriptors - before.descriptors} descriptors are left")
    if after.threads > threads:
        found.append(f"{after.threads - threads} threads are left")
    if after.files > before.files:
        found.append(f"{after.files - before.files} temporary files are left")
    return found


def faults(log: str) -> list[str]:
    """The errors in the server's log that nobody made on purpose: the last line of a traceback."""
    lines = log.splitlines()
    found, inside = [], False
    for line in lines:
        if line.startswith("Traceback "):
            inside = True
        elif inside and line and not line.startswith(" "):
            inside = False
            if line != PURPOSE:
                found.append(line)
    return found

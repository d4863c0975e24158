"""Which processes there are, read from /proc; what is dead but not yet reaped is gone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def wait_until_gone(processes: Iterable[int]) -> None:
    """SIGKILL takes effect soon, not at once; the time limit of the test ends a wait in vain."""
    for process in processes:
        while alive(process):
            pass


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"

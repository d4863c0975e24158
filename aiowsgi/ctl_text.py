"""What `aiowsgi ctl` shows to people, made of what a server tells: lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

DONE = {
    "reload": "Reloading: one worker after the other is replaced.",
    "stop": "Ending: requests under way are finished.",
    "workers": "So many workers are wanted now.",
}

_UNSAFE = re.compile(r"[^\x20-\x7e]")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def status(told: Any) -> list[str]:
    """The server, then a line for each process."""
    lines = [f"aiowsgi {told['version']}, process {told['pid']}, for {duration(told['age'])}"]
    lines += [f"  {address}" for address in told["addresses"]]
    if "wanted" in told:
        reasons = ", ".join(f"{count} {why}" for why, count in told["restarts"].items())
        lines.append(f"{told['wanted']} workers wanted; replaced so far: {reasons or 'none'}")
    rows = [
        (
            str(each["pid"]),
            each["state"],
            duration(each["age"]),
            f"{each['memory'] / 2**20:.0f} MiB",
            _states(each["threads"]),
            f"{each['queue']:.0f}",
            _states(each["connections"]),
        )
        for each in told["workers"]
    ]
    names = ("PID", "STATE", "AGE", "MEMORY", "THREADS", "QUEUE", "CONNECTIONS")
    return [*lines, "", *_table(names, rows)]


def requests(told: Any) -> list[str]:
    """A line for each request, the oldest first."""
    names = ("AGE", "WAITED", "STATE", "WORKER", "THREAD", "CLIENT", "REQUEST", "ID")
    rows = [
        (
            duration(each["age"]),
            duration(each["waited"]),
            each["state"],
            str(each["worker"]),
            each["thread"] or "-",
            each["client"] or "-",
            f"{each['method']} {each['path']}",
            each["request_id"] or "-",
        )
        for each in told["requests"]
    ]
    lines = _table(names, rows) if rows else ["No request is under way."]
    return lines + _silent(told)


def stacks(told: Any) -> list[str]:
    """Each request that a thread runs, with the stack of it; then the other threads."""
    lines = []
    for each in told["requests"]:
        if each["stack"]:
            what = f"{each['method']} {each['path']}, {each['state']} for {duration(each['age'])}"
            lines += [_shown(f"{what} (worker {each['worker']}, {each['thread']})")]
            lines += [*map(_shown, each["stack"].splitlines()), ""]
    for each in told.get("threads", ()):
        lines.append(_shown(f"No request: worker {each['worker']}, thread {each['thread']}"))
        lines += [*map(_shown, each["stack"].splitlines()), ""]
    return (lines[:-1] if lines else ["No thread is busy."]) + _silent(told)


def duration(seconds: float) -> str:
    """Seconds as a person reads them: 12ms, 3.4s, 5m 12s, 2h 5m, 3d 4h."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    smaller, small = 1, "s"
    for size, unit in reversed(_UNITS):
        if seconds < size * (24 if unit == "h" else 60) or unit == "d":
            return f"{seconds // size:.0f}{unit} {seconds % size // smaller:.0f}{small}"
        smaller, small = size, unit
    return ""


def _silent(told: Any) -> list[str]:
    if not told["silent"]:
        return []
    pids = ", ".join(map(str, told["silent"]))
    return ["", f"These workers did not answer within a second: {pids}"]


def _states(counts: dict[str, float]) -> str:
    return ", ".join(f"{count:.0f} {state}" for state, count in counts.items() if count) or "-"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    table = [names, *(tuple(map(_shown, row)) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _shown(text: str) -> str:
    """Text from a request or an application moves no cursor of a terminal."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)

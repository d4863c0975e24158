"""A server without a supervisor as its operator sees it: the one process tells of itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from aiowsgi.server.view import View
from aiowsgi.server.watched import STACKS, CommandRefusedError, Done
from aiowsgi.version import __version__
from aiowsgi.watch.numbers import CONNECTIONS, LOOP_LAG, MEMORY, QUEUE, THREADS, Numbers


class OneProcess:
    """The Watched of one server; its loop thread's. `stop` ends it gracefully."""

    def __init__(self, view: View, addresses: list[str], stop: Callable[[], None]) -> None:
        self._view = view
        self._addresses = addresses
        self._stop = stop
        self._began = time.monotonic()

    def numbers(self) -> Numbers:
        """What was counted and measured."""
        return self._view.numbers()

    def status(self) -> dict[str, Any]:
        """Who serves where."""
        age = time.monotonic() - self._began
        row = process_row(os.getpid(), "serves", age, self._view.numbers())
        return overview(self._addresses, age) | {"workers": [row]}

    def ask(self, question: str, done: Done) -> None:
        """Have a table made."""
        done(self._view.table(stacks=question == STACKS) | {"silent": []})

    def command(self, name: str, value: str) -> None:
        """Do what one process can."""
        if name != "stop":
            raise CommandRefusedError(f"{name} needs several processes: start it with --workers")
        self._stop()


def overview(addresses: list[str], age: float) -> dict[str, Any]:
    """What is told of a server before its processes; `age` in seconds."""
    return {
        "version": __version__,
        "pid": os.getpid(),
        "age": round(age, 1),
        "addresses": addresses,
    }


def process_row(pid: int, state: str, age: float, numbers: Numbers) -> dict[str, Any]:
    """What is told of one process; `age` in seconds, memory in bytes."""
    return {
        "pid": pid,
        "state": state,
        "age": round(age, 1),
        "memory": numbers.gauge(MEMORY),
        "queue": numbers.gauge(QUEUE),
        "threads": numbers.gauges.get(THREADS, {}),
        "connections": numbers.gauges.get(CONNECTIONS, {}),
        "loop_lag": numbers.gauge(LOOP_LAG),
    }

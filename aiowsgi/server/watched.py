"""What operators are shown, and what they can tell: of one process, or of several together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aiowsgi.watch.numbers import Numbers

REQUESTS, STACKS = "requests", "stacks"  # what can be asked: the table, and with stacks

# Called once with a table; `silent` in it are the processes that did not answer.
Done = Callable[[dict[str, Any]], None]


class CommandRefusedError(Exception):
    """What an operator told the server to do is not possible; the message says why."""


class Watched(Protocol):
    """One server as its operator sees it; of one thread."""

    def numbers(self) -> Numbers:
        """What was counted and measured, all together."""

    def status(self) -> dict[str, Any]:
        """Who serves where, since when, and how each of the processes does."""

    def ask(self, question: str, done: Done) -> None:
        """Have REQUESTS or STACKS found out, at the latest within about a second."""

    def command(self, name: str, value: str) -> None:
        """Do `reload`, `stop`, or `workers` with their number. Raises CommandRefusedError."""

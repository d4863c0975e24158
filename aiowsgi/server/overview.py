"""Several workers as their operator sees them: what each has told is added up by the supervisor.

A worker tells its numbers once a second, so that they are there when it is stuck or dead: what it
has counted stays in the sum. A table is asked for when it is wanted; who does not answer within a
second is named as silent, and nobody waits for it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiowsgi.errors import ConfigError
from aiowsgi.server.child import Child
from aiowsgi.server.lifeline import ASK
from aiowsgi.server.one_process import overview, process_row
from aiowsgi.server.watched import CommandRefusedError, Done
from aiowsgi.server.workers import Workers
from aiowsgi.watch.numbers import RESTARTS, Numbers, total

_PATIENCE = 1.0  # seconds for an answer


class _Question:
    """One that was put to some workers."""

    def __init__(self, asked: set[int], done: Done, now: float) -> None:
        self.missing = asked  # pids
        self.done = done
        self.deadline = now + _PATIENCE
        self.tables: list[dict[str, Any]] = []


class Overview:
    """The Watched of a supervisor; of its one thread.

    `acts`: what the commands do, by their names; each is called with the rest of the command.
    """

    def __init__(
        self, workers: Workers, addresses: list[str], acts: Mapping[str, Callable[[str], None]]
    ) -> None:
        self._workers = workers
        self._addresses = addresses
        self._acts = acts
        self._began = time.monotonic()
        self._questions: dict[int, _Question] = {}
        self._last = 0  # the number of the last question

    def numbers(self) -> Numbers:
        """What all have told, those that are gone as well."""
        workers = self._workers
        found = total([workers.past, *(child.numbers for child in workers.children)])
        found.count(RESTARTS).update(workers.restarts)
        return found

    def status(self) -> dict[str, Any]:
        """Who serves where."""
        now = time.monotonic()
        return overview(self._addresses, now - self._began) | {
            "wanted": self._workers.wanted,
            "restarts": dict(self._workers.restarts),
            "workers": [
                process_row(child.pid, child.state.value, now - child.started, child.numbers)
                for child in self._workers.children
            ],
        }

    def ask(self, question: str, done: Done) -> None:
        """Ask all that have come to serve."""
        asked = [child for child in self._workers.children if child.ready is not None]
        self._last += 1
        missing = {child.pid for child in asked}
        self._questions[self._last] = _Question(missing, done, time.monotonic())
        for child in asked:
            child.line.say(ASK, f"{self._last} {question}")
        self.look(time.monotonic())

    def command(self, name: str, value: str) -> None:
        """Do what it says."""
        if self._workers.ending:
            raise CommandRefusedError("the server is about to end already")
        try:
            self._acts[name](value)
        except ConfigError as error:
            raise CommandRefusedError(f"the configuration cannot be read anew: {error}") from None

    @property
    def patience(self) -> float:
        """Seconds until somebody who has asked has waited for long enough."""
        deadlines = (question.deadline for question in self._questions.values())
        return max(0.0, min(deadlines, default=math.inf) - time.monotonic())

    def heard(self, child: Child) -> None:
        """Take what a worker has answered."""
        while child.answers:
            number, told = child.answers.pop()
            question = self._questions.get(number)
            if question is not None:
                question.missing.discard(child.pid)
                question.tables.append(json.loads(told))

    def look(self, now: float) -> None:
        """Give the tables that are complete, or late, to who asked."""
        there = {child.pid for child in self._workers.children}
        for number, question in list(self._questions.items()):
            question.missing &= there
            if not question.missing or now >= question.deadline:
                del self._questions[number]
                question.done(_together(question))


def _together(question: _Question) -> dict[str, Any]:
    found: dict[str, Any] = {"requests": [], "silent": sorted(question.missing)}
    for table in question.tables:
        for name, rows in table.items():
            found[name] = found.get(name, []) + rows
    found["requests"].sort(key=lambda row: -row.get("age", 0.0))
    return found

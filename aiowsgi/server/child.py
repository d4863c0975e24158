"""A worker process as its supervisor sees it: how far it is, what it said, when it must be over."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from enum import Enum

from aiowsgi.server.account import Done
from aiowsgi.server.lifeline import (
    ANSWER,
    FAILED,
    LAST,
    LEAVE,
    LEAVING,
    LEFT,
    NUMBERS,
    READY,
    RETIRE,
    VISIT,
    Lifeline,
)
from aiowsgi.watch.numbers import Numbers, read

_LAST_CHANCE = 2.0  # seconds from a signal that ends a process at once to the one that nobody keeps


class State(Enum):
    """The life of a worker; changed by `_enter` alone."""

    STARTING = "loads the application"
    SERVING = "serves"
    ENDING = "was told to end"


class Child:
    """One worker; the supervisor's.

    `generation`: the reload that it was started for. Times are monotonic seconds.
    """

    def __init__(self, pid: int, line: Lifeline, generation: int, now: float) -> None:
        self.pid = pid
        self.line = line
        self.generation = generation
        self.state = State.STARTING
        self.started = now
        self.heard = now  # when it last said anything
        self.ready: float | None = None  # since when it serves
        self.leaves = ""  # why it wants to be replaced
        self.failure: tuple[int, str] | None = None  # exit code and message, where it did not load
        self.done: Done | None = None  # what it said at its end
        self.numbers = Numbers()  # what it last said of itself
        self.answers: list[
            tuple[int, str]
        ] = []  # to what it was asked, by number; taken by whoever asked
        self.visits: list[str] = []  # what operators have asked of it; taken by who answers
        self.looking: set[int] = set()  # the visits that see a stream
        self._deadline: float | None = None  # when it is killed

    def __str__(self) -> str:
        return f"Worker {self.pid}"

    def listen(self, now: float) -> None:
        """Take what it said."""
        for word, text in self.line.hear():
            self.heard = now
            if word == READY and self.state is State.STARTING:
                self.ready = now
                self._enter(State.SERVING)
            elif word == LAST:
                served, _, cut = text.partition(" ")
                self.done = Done(int(served), int(cut))
            elif word == LEAVE:
                self.leaves = text
            elif word == FAILED:
                code, _, message = text.partition(" ")
                self.failure = int(code), message
            elif word == NUMBERS:
                self.numbers = read(text)
            elif word == ANSWER:
                number, _, told = text.partition(" ")
                self.answers.append((int(number), told))
            elif word == VISIT:
                self.visits.append(text)
            elif word == LEFT:
                self.looking.discard(int(text))

    def fail_readiness(self) -> None:
        """Have it say that the service ends soon."""
        self.line.say(LEAVING)

    def retire(self, deadline: float | None) -> None:
        """Have it finish what it has, since others take its place; kill it at the deadline."""
        if self.state is State.STARTING:
            self.send(signal.SIGTERM)
        else:
            self.line.say(RETIRE)
        self._end(deadline)

    def stop(self, number: int, deadline: float | None) -> None:
        """Send it a signal that ends it, and kill it at the deadline."""
        self.send(number)
        self._end(deadline)

    def end_at_once(self, now: float, *, stuck: bool = False) -> None:
        """Have it end without finishing anything, by force if it must be.

        One that is `stuck` is told by ABRT, at which it writes where its threads are.
        """
        if self.state is State.STARTING:
            self.send(signal.SIGKILL)
        else:
            self.send(signal.SIGABRT if stuck else signal.SIGQUIT)
        self._end(now + _LAST_CHANCE)

    def look(self, now: float) -> bool:
        """Kill it where its time is over; whether it was."""
        if self._deadline is None or now < self._deadline:
            return False
        self._deadline = None
        self.send(signal.SIGKILL)
        return True

    def send(self, number: int) -> None:
        """Send a signal; it may be gone and not be reaped yet."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _end(self, deadline: float | None) -> None:
        if deadline is not None and (self._deadline is None or deadline < self._deadline):
            self._deadline = deadline
        self._enter(State.ENDING)

    def _enter(self, state: State) -> None:
        self.state = state


def how_it_ended(status: int) -> str:
    """In words, what `os.waitpid` said of the end of a process."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (by hand, or for want of memory)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"

"""Signals: to calls on an asyncio loop, to a queue for a loop that selects, and kept from a child.

A signal that is asked for and unknown to the system (most of them, on Windows) is left out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

from aiowsgi.watch.logs import reopen_logs

logger = logging.getLogger("aiowsgi.error")

Act = Callable[[], None]

# What a supervisor acts on, and a worker that is not serving yet may not act on by itself.
COMMANDS = (
    "SIGTERM",
    "SIGINT",
    "SIGQUIT",
    "SIGHUP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGUSR1",
    "SIGWINCH",
)
_ENDS_A_WORKER = ("SIGTERM", "SIGQUIT")


def endings(*, term: Act, stop: Act, kill: Act) -> dict[str, Act]:
    """TERM does `term`, INT `stop`; a second INT and QUIT `stop` and `kill` at once."""
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        stop()
        if interrupted:
            kill()
        interrupted = True

    def end() -> None:
        stop()
        kill()

    return {
        "SIGTERM": term,
        "SIGINT": interrupt,
        "SIGBREAK": interrupt,  # Windows: CTRL+BREAK
        "SIGQUIT": end,
    }


def alone(stop: Act, renew: Act) -> dict[str, Act]:
    """What a process without a supervisor does at the signals that are a supervisor's.

    `renew` reads anew what can change while it serves: certificates.
    """
    hung_up = terminal_watch()

    def reload() -> None:
        if hung_up():
            stop()
        else:
            reopen_logs()
            renew()
            logger.warning(
                "HUP: logs and certificates are opened anew; new code without a gap needs several "
                "processes: add --workers"
            )

    def count() -> None:
        logger.warning("TTIN and TTOU change the number of workers: add --workers")

    return {"SIGHUP": reload, "SIGTTIN": count, "SIGTTOU": count, "SIGUSR1": reopen_logs}


def terminal_watch() -> Callable[[], bool]:
    """Whether the terminal that this process has now is gone: then HUP is no wish to reload."""
    has = _is_terminal()
    return lambda: has and not _is_terminal()


def _is_terminal() -> bool:
    return any(os.isatty(descriptor) for descriptor in (0, 1, 2))


@contextmanager
def on_signals(loop: asyncio.AbstractEventLoop, acts: Mapping[str, Act]) -> Iterator[None]:
    """Have the loop call what a signal's name stands for; the old ways come back after.

    Outside the main thread signals are not ours, and nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def received(act: Act, number: int, frame: FrameType | None) -> None:
        loop.call_soon(act)

    for name, known in _numbers(list(acts)).items():
        act, before[known] = acts[name], signal.getsignal(known)
        try:
            loop.add_signal_handler(known, act)
        except NotImplementedError:  # Windows: the loop wakes up by itself
            signal.signal(known, partial(received, act))
    try:
        yield
    finally:
        for number, old in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            if old is not None:
                signal.signal(number, old)


class SignalQueue:
    """The names of the signals that came, in order; `fileno` becomes readable when one does.

    For the main thread of a process without an asyncio loop, as a context; the old ways come back
    at its end.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {int(number): name for name, number in _numbers(names).items()}
        self._came: deque[str] = deque()
        self._reader, self._writer = socket.socketpair()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalQueue:
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # The handlers of Python run in their own time: it is this byte that ends a select.
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._receive) for number in self._names}
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, old in self._before.items():
            signal.signal(number, old)
        self.close()

    def close(self) -> None:
        """Close the descriptors, in a child that will not come to the end of the context."""
        self._reader.close()
        self._writer.close()

    def fileno(self) -> int:
        """What to select on."""
        return self._reader.fileno()

    def take(self) -> Iterator[str]:
        """Take what came."""
        with suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass
        while self._came:
            yield self._came.popleft()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._came.append(self._names[number])


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back, so that a process started meanwhile gets none before `reset_signals`.

    What a terminal sends to all processes of its group would end one that has no handlers yet, or
    reach it through those of its parent. What comes for us is delivered after.
    """
    numbers = set(_numbers(COMMANDS).values())
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reset_signals() -> None:
    """In a new worker: TERM and QUIT end it, all else is for its supervisor to act on.

    By a handler that does nothing: unlike an ignored signal, that is not passed on to the programs
    that an application starts.
    """
    signal.set_wakeup_fd(-1)
    numbers = _numbers(COMMANDS)
    for name, number in numbers.items():
        signal.signal(number, signal.SIG_DFL if name in _ENDS_A_WORKER else _do_nothing)
    if (child := getattr(signal, "SIGCHLD", None)) is not None:
        signal.signal(child, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, set(numbers.values()))


def _do_nothing(number: int, frame: FrameType | None) -> None:
    pass


def _numbers(names: Sequence[str]) -> dict[str, signal.Signals]:
    return {name: getattr(signal, name) for name in names if hasattr(signal, name)}

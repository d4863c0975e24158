"""Signals -> stop and kill, for as long as a block runs."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any


@contextmanager
def on_signals(
    loop: asyncio.AbstractEventLoop,
    *,
    stop: Callable[[], None],
    kill: Callable[[], None],
    only: str | None = None,
) -> Iterator[None]:
    """TERM and INT stop gracefully, a second INT and QUIT at once; the old ways come back after.

    `only` names the one signal to take. Outside the main thread signals are not ours, and nothing
    happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        (kill if interrupted else stop)()
        interrupted = True

    wanted: dict[str, Callable[[], None]] = {
        "SIGTERM": stop,
        "SIGINT": interrupt,
        "SIGBREAK": interrupt,  # Windows: CTRL+BREAK
        "SIGQUIT": _both(stop, kill),
    }
    before: dict[int, Any] = {}

    def received(act: Callable[[], None], number: int, frame: FrameType | None) -> None:
        loop.call_soon(act)

    for name, act in wanted.items():
        number = getattr(signal, name, None)
        if number is None or only not in (None, name):
            continue
        before[number] = signal.getsignal(number)
        try:
            loop.add_signal_handler(number, act)
        except NotImplementedError:  # Windows: the loop wakes up by itself
            signal.signal(number, partial(received, act))
    try:
        yield
    finally:
        for number, old in before.items():
            try:
                loop.remove_signal_handler(number)
            except NotImplementedError:
                pass
            if old is not None:
                signal.signal(number, old)


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def act() -> None:
        first()
        second()

    return act

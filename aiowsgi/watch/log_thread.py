"""What many threads note, written by one of its own: a slow output holds none of them.

Where it cannot keep up, notes are dropped and counted, never memory filled.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from aiowsgi.watch.logs import ERROR_LOG

errors = logging.getLogger(ERROR_LOG)

Note = TypeVar("Note")

_MOST = 100_000  # notes that wait to be written
_BATCH = 256  # lines: about what a pipe takes at once
_BATCH_SECONDS = 0.05
_PATIENCE = 2.0  # of `close` with an output that takes nothing, in seconds
_TRIES = 5  # so often it waits for one that is slow


class LogThread(Generic[Note]):
    """Takes notes from any thread and gives them to `write` on its own; `close` writes the rest.

    `dropped` is told there, too, of how many there were that it could not keep.
    """

    def __init__(self, write: Callable[[list[Note]], None], dropped: Callable[[int], None]) -> None:
        self._write = write
        self._tell = dropped
        self._notes: deque[Note] = deque()
        self._dropped = 0
        self._closed = threading.Event()
        self._some = threading.Event()
        self._idle = True  # the thread wants to be woken for the next note
        self._writer = threading.Thread(target=self._write_all, name="aiowsgi-log", daemon=True)
        self._writer.start()

    # -- any thread --

    def note(self, note: Note) -> None:
        """Have it written soon."""
        if len(self._notes) >= _MOST:
            self._dropped += 1
            return
        self._notes.append(note)
        if self._idle:
            self._idle = False
            self._some.set()

    def close(self) -> None:
        """Write what waits and end; what an output that hangs has not taken is counted."""
        self._closed.set()
        self._some.set()
        for _ in range(_TRIES):
            waiting = len(self._notes)
            self._writer.join(_PATIENCE)
            if len(self._notes) >= waiting:  # nothing was written, or all
                break
        if self._writer.is_alive():
            lost = len(self._notes) + self._dropped
            errors.warning("The access log hangs: at least %d lines were not written", lost)

    # -- its own thread --

    def _write_all(self) -> None:
        while not self._closed.is_set() or self._notes:
            self._await_some()
            # Those that wait now: to run after each new one would be a write for each.
            dropped = self._dropped
            for _ in range(0, len(self._notes), _BATCH):
                self._write([self._notes.popleft() for _ in range(min(len(self._notes), _BATCH))])
            if dropped:
                self._dropped -= dropped
                with suppress(Exception):
                    self._tell(dropped)
            self._closed.wait(_BATCH_SECONDS)

    def _await_some(self) -> None:
        self._some.clear()
        self._idle = True
        # Looked at after `_idle` was set: who appends looks the other way round.
        if not self._notes and not self._closed.is_set():
            self._some.wait()
        self._idle = False

"""How pool threads call the loop thread: one wake-up for a whole batch of calls.

Locks live here and in the rest of `bridge/` only; how the loop is woken is the transport's to say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class WakeQueue:
    """Calls that wait for the loop thread; any thread puts, the loop thread alone runs them.

    `notify` is called outside the lock, once for each batch: whoever puts the first call of a batch
    wakes the loop, and `run` takes the whole batch and ends it in the same critical section.
    """

    __slots__ = ("_calls", "_lock", "_notify")

    def __init__(self, notify: Callable[[], object]) -> None:
        self._notify = notify
        self._lock = threading.Lock()  # guards _calls
        self._calls: list[Callable[[], None]] = []

    # -- any thread --

    def put(self, call: Callable[[], None]) -> None:
        """Have the loop thread run `call`, which must not raise."""
        with self._lock:
            first = not self._calls
            self._calls.append(call)
        if first:
            self._notify()

    # -- loop thread --

    def run(self) -> None:
        """Run every call that waits."""
        with self._lock:
            calls, self._calls = self._calls, []
        for call in calls:
            call()

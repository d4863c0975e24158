"""Where drains get their threads: an executor of the user's, or our own, renewed after a crowd.

A ThreadPoolExecutor makes a thread when it needs one and keeps it for good. After a crowd of
streams it would hold a thousand that nobody needs, so when the crowd has gone another takes its
place: the old one's idle threads end at once, and each of the others when its drain does.

An executor that cannot start a thread, since the system has none left, keeps the call all the same
and says RuntimeError. The call runs when a thread of the executor is free, or is started by a later
call: so it is asked again, once per sweep.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

logger = logging.getLogger("aiowsgi.error")

# How long a crowd must have been gone until its threads are, in seconds.
_QUIET = 10.0
_NO_THREAD = "can't start new thread"  # CPython's words, where shutdown has others


class ThreadSource:
    """Runs drains on an executor; any thread calls `run`, the loop thread the rest.

    `usual`: threads that are kept, busy or not. `renew` makes another executor like the one given;
    None where that is not ours to replace.
    """

    __slots__ = ("_busy", "_executor", "_lock", "_most", "_quiet", "_renew", "_short", "_usual")

    def __init__(
        self, executor: Executor, usual: int, renew: Callable[[], Executor] | None = None
    ) -> None:
        self._executor = executor
        self._usual = usual
        self._renew = renew
        self._lock = threading.Lock()  # guards _busy and _most
        self._busy = 0
        self._most = 0  # that were busy at one time, in this executor's life
        # Whether a call waits for a thread that could not be started; one that is set while it is
        # looked at is found at the next sweep.
        self._short = False
        self._quiet = 0.0  # since when the crowd is gone, in monotonic seconds; 0: it is here

    # -- any thread --

    def run(self, drain: Callable[[], None]) -> bool:
        """Have a thread run `drain` soon; False where the executor was shut down."""

        def counted() -> None:
            try:
                drain()
            finally:
                with self._lock:
                    self._busy -= 1

        with self._lock:
            self._busy += 1
            self._most = max(self._most, self._busy)
        if self._submit(counted):
            return True
        with self._lock:
            self._busy -= 1
        return False

    def _submit(self, call: Callable[[], None]) -> bool:
        while True:
            executor = self._executor
            try:
                executor.submit(call)  # without the lock: what it does there is its own business
            except RuntimeError as error:
                if _NO_THREAD in str(error):
                    self._short = True
                elif executor is self._executor:
                    return False
                else:  # it was replaced under us
                    continue
            return True

    def takes_more(self) -> bool:
        """Whether the executor takes calls; at the interpreter's exit it does not any more."""
        return self._submit(_nothing)

    # -- loop thread --

    def sweep(self, now: float) -> None:
        """Ask again for threads that could not be started, and let go of those of a crowd.

        `now`: monotonic seconds.
        """
        if self._short:
            self._short = False
            self._submit(_nothing)
            if self._short:
                logger.warning("No thread can be started: the system has none left; requests wait")
        with self._lock:
            crowd = self._busy > self._usual and self._busy * 2 > self._most
            gone = self._most > self._usual and not crowd
        if not gone:
            self._quiet = 0.0
        elif not self._quiet:
            self._quiet = now
        elif now - self._quiet > _QUIET and self._renew is not None:
            # In this order: who finds the old one shut down finds the new one in its place.
            old, self._executor = self._executor, self._renew()
            old.shutdown(wait=False)
            with self._lock:
                self._most = self._busy
            self._quiet = 0.0

    def shutdown(self, *, wait: bool) -> None:
        """End our own executor; one of the user's is the user's to end."""
        if self._renew is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)


def own_threads(usual: int, streams: int) -> ThreadSource:
    """Make a source of threads of our own: `usual` of them, and `streams` beside."""
    # An executor makes a thread when it needs one, so that the most costs nothing.
    make = partial(ThreadPoolExecutor, usual + streams, thread_name_prefix="aiowsgi")
    return ThreadSource(make(), usual, make)


def _nothing() -> None:
    """What a thread runs for its own sake."""

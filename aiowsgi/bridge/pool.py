"""The dispatcher: ready exchanges in a deque, drained in batches by the threads of an executor.

A *drain* is one task on the executor: it runs exchanges until the deque is empty. One drain then
parks and is woken for the next (gather.py says when), so that the same warm thread goes on. With a
GIL, waking many threads for fast applications only makes them fight, so one drain is started; if
the deque has not moved a moment later, the running drains are blocked in the application, and more
are started, twice as many each time, up to `threads`. A moment in which the process was busy proves
little: the drains may have waited for the GIL. Without a GIL a drain is started per exchange.

The deque's `append` and `popleft` are atomic; everything else is guarded by `_lock`.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.gather import Gathering

# A drain that has been inside one exchange for so long counts as blocked, in seconds.
_MOMENT = 0.001
# So often in a row a moment may be put down to a busy process; then more drains start anyway.
_EXCUSES = 4
CallSoon = Callable[[Callable[[], None]], object]
CallLater = Callable[[float, Callable[[], None]], object]


class Dispatcher:
    """Runs exchanges on `executor`, at most `threads` at once.

    `call_soon(call)` has the loop call when it has read what had come; `call_later(seconds, call)`
    is its timer: one is pending at most, and none while the application keeps up. `clock` gives
    monotonic seconds, `busy` the seconds of processor time that the process has used. `patience` is
    how long a drain without work waits for more, in seconds, before it gives its thread back:
    nothing, where the executor has other work to do too.
    """

    __slots__ = (
        "_busy",
        "_busy_before",
        "_call_later",
        "_checking",
        "_clock",
        "_closed",
        "_drains",
        "_eager",
        "_excuses",
        "_executor",
        "_gathering",
        "_lock",
        "_parked",
        "_patience",
        "_queue",
        "_running",
        "_step",
        "_threads",
    )

    def __init__(
        self,
        executor: Executor,
        threads: int,
        *,
        call_soon: CallSoon,
        call_later: CallLater,
        clock: Callable[[], float],
        busy: Callable[[], float],
        patience: float = 0.0,
    ) -> None:
        self._executor = executor
        self._threads = threads
        self._call_later = call_later
        self._clock = clock
        self._busy = busy
        self._patience = patience
        self._eager = not getattr(sys, "_is_gil_enabled", lambda: True)()
        self._queue: deque[Exchange] = deque()
        self._lock = threading.Lock()  # guards _drains, _running and _closed
        self._drains = 0
        # Thread -> what it runs. Keys change under the lock only; a drain replaces its own value.
        self._running: dict[int, Exchange | None] = {}
        # The bell of the one drain that waits for work: whoever takes it from here releases it.
        self._parked: threading.Lock | None = None
        self._closed = False
        self._gathering = Gathering(self._queue, self._ring, call_soon, clock)
        self._checking = False  # the loop thread's: whether a check is pending
        # The loop thread's: how many drains the next check starts, how often the process was
        # to blame for a deque that did not move, and its processor time when the check was made.
        self._step = 1
        self._excuses = 0
        self._busy_before = 0.0

    # -- loop thread --

    def submit(self, exchange: Exchange) -> None:
        """Queue an exchange; it runs as soon as a thread is free."""
        exchange.queued = self._clock()
        self._queue.append(exchange)
        if not self._gathering.due:
            self._gathering.begin(exchange.queued)

    def _ring(self) -> None:
        """Wake the parked drain, or start one where none is on its way to the deque."""
        with self._lock:
            bell, self._parked = self._parked, None
            start = 0
            if bell is None:
                start = self._wanted()
                self._drains += start
        if bell is not None:
            bell.release()
        for _ in range(start):
            self._start()
        left = len(self._queue) > (1 if start or bell is not None else 0)
        if left and not self._checking and self._drains < self._threads:
            self._step, self._excuses = 1, 0
            self._check_later()

    def _wanted(self) -> int:
        """How many drains to start at once where none is parked; the lock is held."""
        room = self._threads - self._drains
        if self._eager:
            return min(room, len(self._queue))
        return int(self._drains == 0 or (room > 0 and self._all_blocked()))

    def _all_blocked(self) -> bool:
        """Whether a check has found every drain blocked; the lock is held."""
        running = self._running
        if len(running) < self._drains:
            return False  # one is on its way to the deque
        return all(exchange is not None and exchange.blocked for exchange in running.values())

    def _check_later(self) -> None:
        try:
            first = self._queue[0]
        except IndexError:  # a drain was faster
            return
        self._checking = True
        self._busy_before = self._busy()
        self._call_later(_MOMENT, partial(self._check, first))

    def _check(self, first: Exchange) -> None:
        """Start more drains where `first` is still first: the deque has not moved for a moment."""
        self._checking = False
        if self._closed:
            return
        try:
            stuck = self._queue[0] is first
        except IndexError:
            return
        if stuck and self._busy() - self._busy_before > _MOMENT / 2 and self._excuses < _EXCUSES:
            self._excuses += 1
        elif stuck:
            self._start_more()
        else:
            self._excuses = 0
        if self._drains < self._threads:
            self._check_later()

    def _start_more(self) -> None:
        now = self._clock()
        with self._lock:
            for exchange in self._running.values():
                if exchange is not None and now - exchange.started > _MOMENT:
                    exchange.blocked = True
            more = min(self._step, len(self._queue), self._threads - self._drains)
            self._drains += more
        for _ in range(more):
            self._start()
        self._step *= 2
        self._excuses = 0

    def _start(self) -> None:
        try:
            self._executor.submit(self._drain)
        except RuntimeError:  # the executor was shut down under us
            with self._lock:
                self._drains -= 1
                self._closed = True
            self._skip_all()

    def close(self) -> list[Exchange]:
        """Take no more: what no thread has begun ends unanswered. Returns what still runs."""
        with self._lock:
            self._closed = True
            bell, self._parked = self._parked, None
        if bell is not None:
            bell.release()
        self._skip_all()
        return self.running

    def _skip_all(self) -> None:
        while self._queue:
            try:
                exchange = self._queue.popleft()
            except IndexError:  # a drain was faster
                return
            exchange.skip()

    @property
    def waiting(self) -> int:
        """Exchanges that wait for a thread."""
        return len(self._queue)

    @property
    def running(self) -> list[Exchange]:
        """Exchanges that are inside the application now."""
        with self._lock:
            return [exchange for exchange in self._running.values() if exchange is not None]

    # -- pool thread --

    def _drain(self) -> None:
        thread = threading.get_ident()
        with self._lock:
            self._running[thread] = None
        bell = threading.Lock()
        bell.acquire()
        while (exchange := self._next(thread, bell)) is not None:
            exchange.started = self._clock()
            self._running[thread] = exchange
            exchange.run()
            self._running[thread] = None
            del exchange  # parked, a drain keeps nothing alive

    def _next(self, thread: int, bell: threading.Lock) -> Exchange | None:
        while True:
            if self._queue:
                try:
                    return self._queue.popleft()
                except IndexError:  # another drain was faster
                    continue
            if not self._parks(thread, bell):
                if thread not in self._running:
                    return None
            elif not bell.acquire(timeout=self._patience) and self._gives_up(thread, bell):
                return None

    def _parks(self, thread: int, bell: threading.Lock) -> bool:
        """Park a drain, or end it where one is parked already or none may be."""
        with self._lock:
            # Looked at again under the lock: `_ring` may have counted on this drain meanwhile.
            if self._queue:
                return False
            if self._parked is not None or self._closed or not self._patience:
                self._leave(thread)
                return False
            self._parked = bell
            return True

    def _gives_up(self, thread: int, bell: threading.Lock) -> bool:
        """Whether a parked drain that has waited for long enough may end."""
        with self._lock:
            if self._parked is bell:
                self._parked = None
                self._leave(thread)
                return True
        bell.acquire()  # rung in the meantime
        return False

    def _leave(self, thread: int) -> None:
        """End a drain; the lock is held."""
        self._drains -= 1
        del self._running[thread]

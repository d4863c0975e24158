"""The dispatcher: ready exchanges in a deque, drained in batches by the threads of an executor.

A *drain* is one task on the executor: it runs exchanges until the deque is empty. One drain then
parks and is woken for the next (gather.py says when), so that the same warm thread goes on. With a
GIL, waking many threads for fast applications only makes them fight, so one drain is started; if
the deque has not moved a moment later, the running drains are blocked in the application, and more
are started, twice as many each time, up to `threads`. A moment in which the process was busy proves
little: the drains may have waited for the GIL. Without a GIL a drain is started per exchange. While
a parked drain works off a crowd, the loop stands back for a moment (stand_back.py).
A drain whose exchange waits for its client gives its place to another (places.py), so that
`threads` bounds what runs application code and nothing else.

The deque's `append` and `popleft` are atomic; everything else is guarded by `_lock`.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from aiowsgi.bridge.exchange import ASKS, RUNS, STREAMS, Exchange
from aiowsgi.bridge.gather import Gathering
from aiowsgi.bridge.places import Drain, Places
from aiowsgi.bridge.stand_back import StandBack
from aiowsgi.bridge.threads import ThreadSource
from aiowsgi.bridge.waiting import skip_all

# A drain that has been inside one exchange for so long counts as blocked, in seconds.
_MOMENT: Final = 0.001
# So often in a row a moment may be put down to a busy process; then more drains start anyway.
_EXCUSES: Final = 4
CallSoon = Callable[[Callable[[], None]], object]
CallLater = Callable[[float, Callable[[], None]], object]


class Dispatcher:
    """Runs exchanges on threads of `source`: `threads` at once, and `most_streams` streams beside.

    `call_soon(call)` has the loop call when it has read what had come; `call_later(seconds, call)`
    is its timer: one is pending at most, and none while the application keeps up. `clock` gives
    monotonic seconds, `busy` the seconds of processor time that the process has used. In seconds,
    `patience` is how long a drain waits for work before it gives its thread back (0 where that has
    other work, too), `stand_back` how long the loop waits at most for a drain with a crowd (0 where
    others need it). `spent`, which may be set, is called on any thread when an exchange asks for
    the place of a stream and there is none.
    """

    __slots__ = (
        "_busy",
        "_busy_before",
        "_call_later",
        "_checking",
        "_clock",
        "_closed",
        "_eager",
        "_excuses",
        "_gathering",
        "_lock",
        "_parked",
        "_patience",
        "_places",
        "_stand_back",
        "_step",
        "queue",
        "source",
        "spent",
    )

    def __init__(
        self,
        source: ThreadSource,
        threads: int,
        *,
        call_soon: CallSoon,
        call_later: CallLater,
        clock: Callable[[], float],
        busy: Callable[[], float],
        most_streams: int = 0,
        patience: float = 0.0,
        stand_back: float = 0.0,
    ) -> None:
        self.source = source
        self._call_later = call_later
        self._clock = clock
        self._busy = busy
        self._patience = patience
        self._eager = not getattr(sys, "_is_gil_enabled", lambda: True)()
        self.queue: deque[Exchange] = deque()  # the oldest first; waiting.py takes from it, too
        self._lock = threading.Lock()  # guards _places, _parked and _closed
        self._places = Places(threads, most_streams)
        self.spent: Callable[[], None] = _nobody
        # The bell of the one drain that waits for work: whoever takes it from here releases it.
        self._parked: threading.Lock | None = None
        self._closed = False
        self._gathering = Gathering(self.queue, self._ring, call_soon, clock)
        self._stand_back = StandBack(self.queue, self._lock, 0.0 if self._eager else stand_back)
        self._checking = False  # the loop thread's: whether a check is pending
        # The loop thread's: how many drains the next check starts, how often the process was
        # to blame for a deque that did not move, and its processor time when the check was made.
        self._step, self._excuses, self._busy_before = 1, 0, 0.0

    # -- loop thread --

    def submit(self, exchange: Exchange) -> None:
        """Queue an exchange; it runs as soon as a thread is free."""
        exchange.queued = self._clock()
        self.queue.append(exchange)
        self._gathering.came(exchange.queued)

    def _ring(self) -> None:
        """Wake the parked drain, or start one where none is on its way to the deque."""
        waiting = len(self.queue)  # before a drain takes of it
        with self._lock:
            bell, self._parked = self._parked, None
            start = 0
            if bell is None:
                start = self._wanted()
                self._places.drains += start
            stands_back = bell is not None and self._stand_back.begins(waiting)
        if bell is not None:
            bell.release()
        if stands_back:
            self._stand_back.wait(waiting)
        for _ in range(start):
            self._start()
        left = bool(self.queue) and waiting > int(start > 0 or bell is not None)
        if left and not self._checking and self._places.room > 0:
            self._step, self._excuses = 1, 0
            self._check_later()
        if self._places.asking:
            self.spent()

    def _wanted(self) -> int:
        """How many drains to start at once where none is parked; the lock is held."""
        places = self._places
        if self._eager:
            return min(places.room, len(self.queue))
        return int(places.drains == 0 or (places.room > 0 and places.all_blocked()))

    def _check_later(self) -> None:
        try:
            first = self.queue[0]
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
            stuck = self.queue[0] is first
        except IndexError:
            return
        if stuck and self._busy() - self._busy_before > _MOMENT / 2 and self._excuses < _EXCUSES:
            self._excuses += 1
        elif stuck:
            self._start_more()
        else:
            self._excuses = 0
        if self._places.room > 0:
            self._check_later()

    def _start_more(self) -> None:
        now = self._clock()
        with self._lock:
            self._places.note_blocked(now - _MOMENT)
            more = min(self._step, len(self.queue), self._places.room)
            self._places.drains += more
        for _ in range(more):
            self._start()
        self._step *= 2
        self._excuses = 0

    def _start(self) -> None:
        if not self.source.run(self._drain):  # its executor was shut down under us
            with self._lock:
                self._places.drains -= 1
                self._closed = True
            skip_all(self.queue)

    def close(self) -> list[Exchange]:
        """Take no more: what no thread has begun ends unanswered. Returns what still runs."""
        with self._lock:
            self._closed = True
            bell, self._parked = self._parked, None
        if bell is not None:
            bell.release()
        skip_all(self.queue)
        return self.running

    @property
    def waiting(self) -> int:
        """Exchanges that wait for a thread."""
        return len(self.queue)

    @property
    def running(self) -> list[Exchange]:
        """Exchanges that are inside the application, streams as well."""
        return list(self.threads.values())

    @property
    def threads(self) -> dict[int, Exchange]:
        """The same by their threads' identities."""
        with self._lock:
            return self._places.exchanges

    # -- any thread --

    def give_place(self, exchange: Exchange) -> bool:
        """Have it count as a stream from now on, with its place for another; whether it does.

        It may be called for any exchange at any time, and as often as one likes.
        """
        with self._lock:
            self._stand_back.end()  # the client has to be served by the loop now
            given = self._places.give(exchange)
            # Where a drain is parked, its bell is about to be rung for what is in the deque.
            follows = given and bool(self.queue) and self._parked is None and not self._closed
            self._places.drains += follows
        if follows:
            self._start()
        if exchange.standing == ASKS and self.queue:
            self.spent()
        return exchange.standing == STREAMS

    # -- pool thread --

    def client_awaited(self) -> None:
        """The exchange of this thread is about to wait for its client; others may be called."""
        drain = self._places.running.get(threading.get_ident())
        if drain is not None and drain.exchange is not None:
            self.give_place(drain.exchange)

    def _drain(self) -> None:
        drain = Drain(threading.get_ident())
        places = self._places
        with self._lock:
            places.running[drain.thread] = drain
        bell = threading.Lock()
        bell.acquire()
        while (exchange := self._next(drain, bell)) is not None:
            exchange.started = self._clock()
            drain.exchange = exchange
            exchange.run()
            if exchange.standing == RUNS:
                drain.exchange = None
            else:
                with self._lock:
                    goes_on = places.end(drain, exchange)
                if not goes_on:
                    return
            del exchange  # parked, a drain keeps nothing alive

    def _next(self, drain: Drain, bell: threading.Lock) -> Exchange | None:
        while True:
            if self.queue:
                try:
                    return self.queue.popleft()
                except IndexError:  # another drain was faster
                    continue
            if not self._parks(drain, bell):
                if drain.thread not in self._places.running:
                    return None
            elif not bell.acquire(timeout=self._patience) and self._gives_up(drain, bell):
                return None

    def _parks(self, drain: Drain, bell: threading.Lock) -> bool:
        """Park a drain, or end it where one is parked already or none may be."""
        with self._lock:
            # Looked at again under the lock: `_ring` may have counted on this drain meanwhile.
            if self.queue:
                return False
            self._stand_back.end()
            if self._parked is not None or self._closed or not self._patience:
                self._places.leave(drain)
                return False
            self._parked = bell
            return True

    def _gives_up(self, drain: Drain, bell: threading.Lock) -> bool:
        """Whether a parked drain that has waited for long enough may end."""
        with self._lock:
            if self._parked is bell:
                self._parked = None
                self._places.leave(drain)
                return True
        bell.acquire()  # rung in the meantime
        return False


def _nobody() -> None:
    """Nobody makes room."""

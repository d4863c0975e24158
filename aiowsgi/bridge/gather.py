"""When to wake a pool thread: once for all exchanges that come together, not for each of them.

A thread that is woken while the loop reads on only waits for the GIL, and each waits for the other
in turn. Most of a crowd comes in one turn of the loop. New connections do not: uvloop accepts one
in a turn. So in a crowd the loop goes on for some turns, as long as each brings another exchange;
out of one, nobody waits, but for a try now and then whether there is one. A crowd is no larger than
_MOST: more that is read and not answered would only push the rest out of the processor's caches.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Final

# The turns of the loop that a crowd is waited for, and the seconds: a turn may be a long one.
_TURNS: Final = 16
_SECONDS: Final = 0.0005
_MOST: Final = 64
# One ring in so many tries, out of a crowd, whether it has become one.
_TRY: Final = 16


class Gathering:
    """Calls `ring` when the exchanges that come together are in `queue`; the loop thread's.

    `call_soon(call)` has the loop call in its next turn; `clock` gives monotonic seconds.
    """

    __slots__ = (
        "_asked",
        "_before",
        "_call_soon",
        "_clock",
        "_crowded",
        "_queue",
        "_rang",
        "_ring",
        "_rings",
        "_seen",
        "_turns",
        "due",
    )

    def __init__(
        self,
        queue: Sized,
        ring: Callable[[], None],
        call_soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._ring = ring
        self._call_soon = call_soon
        self._clock = clock
        self.due = False  # whether a ring is on its way
        self._asked = 0.0  # when the first exchange asked for it
        self._turns = 0  # that it may still wait
        self._before = self._seen = 0  # exchanges in the queue: before the first, and now
        self._rings = 0
        self._rang = False  # whether there were too many to wait for the rest
        self._crowded = False  # whether the last ring was for more than one exchange

    def came(self, now: float) -> None:
        """Ring soon for an exchange that was queued just now, or at once where there are many."""
        if not self.due:
            self._begin(now)
        elif len(self._queue) - self._before >= _MOST:
            self._rang = True
            self._ring()
            self._before = self._seen = len(self._queue)

    def _begin(self, now: float) -> None:
        self.due = True
        self._rang = False
        self._asked = now
        # What waits because all threads are busy is no crowd.
        self._before = self._seen = len(self._queue) - 1
        self._turns = _TURNS if self._crowded or self._rings % _TRY == 0 else 0
        self._call_soon(self._look)

    def _look(self) -> None:
        waiting = len(self._queue)
        if self._turns and waiting > self._seen and self._clock() - self._asked < _SECONDS:
            self._turns -= 1
            self._seen = waiting
            self._call_soon(self._look)
            return
        self._crowded = self._rang or waiting > self._before + 1
        self._rings += 1
        self.due = False
        if waiting:
            self._ring()

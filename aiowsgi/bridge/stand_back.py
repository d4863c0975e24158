"""The loop stands back while a drain works off a crowd: for a moment, and where that pays.

With a GIL, a loop that reads on meanwhile is woken by each client that has its answer and asks
again, and takes the GIL from the thread that makes the answers of the others: two switches between
threads for a request or two. A loop that waits until the drain is through finds them all together.
It waits for a moment at most, and not again soon where that was in vain, since the application is
slow or waits for something: no application holds the loop.
"""

from __future__ import annotations

import threading
from collections.abc import Sized
from typing import Final

# Fewer exchanges are no crowd: there is nobody whose answer would come later for the others.
_CROWD: Final = 2
# A drain that takes so many in a moment is fast, though it is not through.
_FAST: Final = 25
# For how many rings the loop does not wait, after a wait in vain: four times as many after each,
# within these bounds, and fewer again with each that was not.
_SHORTEST: Final = 16
_LONGEST: Final = 4096


class StandBack:
    """Waits for the drain that was woken for what is in `queue`; the loop thread's, but for `end`.

    `lock` is the dispatcher's: it guards _waits. `moment` is how long the loop waits at most, in
    seconds; 0 = not at all.
    """

    __slots__ = ("_lock", "_moment", "_pause", "_queue", "_skipped", "_through", "_waits")

    def __init__(self, queue: Sized, lock: threading.Lock, moment: float) -> None:
        self._queue = queue
        self._lock = lock
        self._moment = moment
        self._waits = False  # whether the loop waits, or is about to
        self._through = threading.Lock()  # released once for each wait that `end` has ended
        self._through.acquire()
        self._skipped = 0  # rings that go by without a wait from now on
        self._pause = _SHORTEST

    # -- loop thread --

    def begins(self, crowd: int) -> bool:
        """Whether to `wait` for the drain of these exchanges; the lock is held."""
        if not self._moment or crowd < _CROWD:
            return False
        if self._skipped:
            self._skipped -= 1
            return False
        self._waits = True
        return True

    def wait(self, crowd: int) -> None:
        """Wait until the drain is through, or the moment is over."""
        through = False
        try:
            through = self._through.acquire(timeout=self._moment)
        finally:  # a signal handler may have raised
            through = through or self._give_up()
        if through:
            self._pause = max(_SHORTEST, self._pause - _SHORTEST)
        elif crowd - len(self._queue) < _FAST:
            self._pause = self._skipped = min(4 * self._pause, _LONGEST)

    def _give_up(self) -> bool:
        """Wait no more; whether the drain was through just now."""
        with self._lock:
            through, self._waits = not self._waits, False
        if through:
            self._through.acquire()
        return through

    # -- any thread --

    def end(self) -> None:
        """The drain is through, or waits for what the loop has to do; the lock is held."""
        if self._waits:
            self._waits = False
            self._through.release()

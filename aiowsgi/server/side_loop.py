"""An asyncio loop on the side of another: it turns only when it is told to, and never waits.

A supervisor selects on what its workers say. Whoever connects to its pages is served by asyncio, as
in a process that serves alone; this is how the one loop lives inside of the other, without a thread
of its own, which a process that forks may not have. `fileno` becomes readable or `patience` is over
when `turn` has something to do.
"""

from __future__ import annotations

import asyncio
import math
import os
import selectors
from collections.abc import Callable

_MOST = 100  # passes of the loop in a turn: nobody keeps the other loop from its own work

Ready = list[tuple[selectors.SelectorKey, int]]


class SideLoop:
    """One loop; the thread's that turns it."""

    def __init__(self) -> None:
        self._selector = _Glance(self._stop)
        self.loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop(self._selector)

    def fileno(self) -> int:
        """What to select on."""
        return self._selector.fileno()

    @property
    def patience(self) -> float:
        """Seconds for which there is nothing to do unless `fileno` is readable."""
        return self._selector.patience

    def turn(self) -> None:
        """Do all that there is to do now."""
        self._selector.passes = 0
        self.loop.run_forever()

    def close(self) -> None:
        """End it, in the process that made it."""
        self.turn()
        self.loop.close()

    def forget(self) -> None:
        """In a copy of this process: close its descriptors, and leave the clients alone."""
        for key in list(self._selector.get_map().values()):
            os.close(key.fd)
        os.close(self.fileno())

    def _stop(self) -> None:
        self.loop.stop()


class _Glance(selectors.DefaultSelector):
    """Looks what is ready and never waits; where the loop would wait, its turn is over."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self._stop = stop
        self.passes = 0
        self.patience = math.inf

    def select(self, timeout: float | None = None) -> Ready:
        ready = super().select(0)
        self.passes += 1
        idle = not ready and (timeout is None or timeout > 0)
        if idle or self.passes >= _MOST:
            self.patience = 0.0 if not idle else math.inf if timeout is None else timeout
            self._stop()
        return ready

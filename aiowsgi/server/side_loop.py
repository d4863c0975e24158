"""An asyncio loop on the side of another: it turns only when it is told to, and never waits.

A supervisor selects on what its workers say. Whoever connects to its pages is served by asyncio, as
in a process that serves alone; this is how the one loop lives inside of the other, without a thread
of its own, which a process that forks may not have. `fileno` becomes readable when `turn` has
something to do.
"""

from __future__ import annotations

import asyncio
import os
import selectors

_PASSES = 6  # of the loop in a turn: asyncio needs five from accept to the first byte of a client


class SideLoop:
    """One loop; the thread's that turns it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop(self._selector)

    def fileno(self) -> int:
        """What to select on."""
        return self._selector.fileno()

    def turn(self) -> None:
        """Do what there is to do now."""
        for _ in range(_PASSES):
            self.loop.call_soon(self.loop.stop)
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

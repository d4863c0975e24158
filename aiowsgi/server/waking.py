"""Waking the loop from another thread: the one place, for both doors, where it is done."""

from __future__ import annotations

import asyncio

from aiowsgi.bridge.wake import WakeQueue


def wake_queue(loop: asyncio.AbstractEventLoop) -> WakeQueue:
    """The queue through which pool threads reach this loop."""

    def notify() -> None:
        try:
            loop.call_soon_threadsafe(queue.run)
        except RuntimeError:  # the loop is closed: what this held is given back from here (S6)
            queue.run()

    return (queue := WakeQueue(notify))

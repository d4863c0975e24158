"""A response that waits for its client, in memory first, then in an unnamed temporary file.

`ResponseSpool` is a first-in first-out queue; its owner (ResponseWriter) holds the lock around it.
It counts what it holds in the Budget of the worker, which may send it to disk before its own memory
is full, or have no room for it at all.
"""

from __future__ import annotations

from collections import deque
from typing import Final, cast

from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.spool_file import SpoolFile

# So much of a response is held in memory even where there is no room: without a byte in hand the
# loop could not tell when the client reads again.
_LEAST: Final = 16 * 1024
# Blocks below this size share a buffer: as objects of their own they would cost several times that.
_TINY: Final = 1024


class ResponseSpool:
    """Bytes of one response that its client has not read yet, in order.

    At most `memory` bytes are held in memory, and `disk` bytes in a file (None = no limit); what
    follows goes to the file until all of it has been taken, so that the memory part is always the
    older one.
    """

    __slots__ = ("_blocks", "_budget", "_file", "_held", "_memory")

    def __init__(self, memory: int, disk: int | None, budget: Budget | None) -> None:
        self._memory = memory
        self._budget = budget = Budget() if budget is None else budget
        self._blocks: deque[memoryview | bytearray] = deque()
        self._held = 0
        self._file = SpoolFile(disk, budget)

    @property
    def waiting(self) -> int:
        """Bytes that wait, in memory and in the file."""
        return self._held + self._file.waiting

    @property
    def on_disk(self) -> int:
        """Bytes that wait in the file."""
        return self._file.waiting

    def put(self, data: bytes | memoryview) -> int:
        """Append the start of `data`, as much as there is room for; the number of bytes taken.

        0: there is none, until something was taken or the budget has room. Raises OSError where
        the disk refuses it.
        """
        view = memoryview(data)
        size = len(view)
        if not self._file.waiting:
            if self._held + size <= self._memory and self._budget.take_memory(size):
                return self._keep(view)
        taken = self._file.put(view)
        if not taken and not self._file.waiting and self._held < _LEAST:
            view = view[: _LEAST - self._held]
            self._budget.take_memory(len(view), must=True)
            return self._keep(view)
        return taken

    def _keep(self, view: memoryview) -> int:
        size = len(view)
        self._held += size
        last = self._blocks[-1] if self._blocks else None
        if size >= _TINY:
            # A slice keeps its whole block alive: copy it where most of the block has been sent.
            small = 2 * size < _span(view)
            self._blocks.append(memoryview(bytes(view)) if small else view)
        elif isinstance(last, bytearray) and len(last) < _LEAST:
            last += view
        else:
            self._blocks.append(bytearray(view))
        return size

    def take(self, limit: int) -> bytes | memoryview:
        """Remove and return the oldest bytes, at most `limit` of them; empty where none wait."""
        if not self._blocks:
            return self._file.take(limit)
        block = memoryview(self._blocks.popleft())
        if len(block) > limit:
            self._blocks.appendleft(block[limit:])
            block = block[:limit]
        self._held -= len(block)
        self._budget.give_back(memory=len(block))
        return block

    def close(self) -> None:
        """Forget what waits and give the file back."""
        self._blocks.clear()
        if self._held:
            self._budget.give_back(memory=self._held)
            self._held = 0
        self._file.close()


def _span(view: memoryview) -> int:
    """The size of the object that a view keeps alive."""
    return len(cast("bytes", view.obj))

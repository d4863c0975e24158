"""Spools: bytes that wait for their reader, in memory first, then in an unnamed temporary file.

`BodySpool` collects a request body that is read only when it is whole; one thread has it at a time.
`ResponseSpool` is a first-in first-out queue; its owner (ResponseWriter) holds the lock around it.
Both count what they hold in the Budget of the worker, which may send them to disk before their own
memory is full, or have no room for them at all.
"""

from __future__ import annotations

import errno
import io
from collections import deque
from typing import IO, BinaryIO, cast

from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.spool_file import SpoolFile

# A body up to this size is not counted: 10,000 of them are less than one connection may cost.
_SMALL = 4096
# So much of a response is held in memory even where there is no room: without a byte in hand the
# loop could not tell when the client reads again.
_LEAST = 16 * 1024
# Blocks below this size share a buffer: as objects of their own they would cost several times that.
_TINY = 1024


class BodySpool:
    """A request body on its way in; the loop thread's until `open()` hands it to the exchange.

    Whoever closes what `open()` gave calls `close()` then.
    """

    __slots__ = ("_budget", "_file", "_in_file", "_memory", "_on_disk", "_threshold", "size")

    def __init__(self, threshold: int, budget: Budget) -> None:
        self._threshold = threshold
        self._budget = budget
        self._file: IO[bytes] | None = None
        self._in_file = False  # and no longer in memory
        self._memory = self._on_disk = 0  # what the budget has counted for this one
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body. Raises OSError where there is no room for them."""
        self.size += len(data)
        if not self._in_file and not self._fits():
            self._count_on_disk()
            self._move()
        elif self._in_file:
            self._count_on_disk()
        if self._file is None:
            self._file = cast("IO[bytes]", io.BytesIO(data))
            self._file.seek(0, io.SEEK_END)
        else:
            self._file.write(data)

    def _fits(self) -> bool:
        """Whether the body, with what has just come, may stay in memory; it is counted then."""
        if self.size > self._threshold:
            return False
        if self.size > _SMALL:
            if not self._budget.take_memory(self.size - self._memory):
                return False
            self._memory = self.size
        return True

    def _count_on_disk(self) -> None:
        if not self._budget.take_disk(self.size - self._on_disk):
            raise OSError(errno.ENOSPC, "the spools of all clients together are full")
        self._on_disk = self.size

    def _move(self) -> None:
        """Go on in a temporary file."""
        import tempfile  # seldom needed, and it brings a lot

        file = cast("IO[bytes]", tempfile.TemporaryFile(prefix="aiowsgi-"))
        before, self._file, self._in_file = self._file, file, True
        if before is not None:
            before.seek(0)
            file.write(before.read())
        self._budget.give_back(memory=self._memory)
        self._memory = 0

    def open(self) -> BinaryIO:
        """The whole body as a file at its start; whoever opens it closes it."""
        file, self._file = self._file, None
        if file is None:
            return io.BytesIO()
        file.seek(0)
        return cast("BinaryIO", file)

    @property
    def counted(self) -> bool:
        """Whether there is something to give back."""
        return self._memory > 0 or self._on_disk > 0

    def close(self) -> None:
        """Drop what was collected, but for what `open()` gave away; nothing of it counts more."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._memory or self._on_disk:
            self._budget.give_back(memory=self._memory, disk=self._on_disk)
            self._memory = self._on_disk = 0


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

    def __len__(self) -> int:
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

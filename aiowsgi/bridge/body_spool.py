"""A request body that is read only when it is whole, in memory, then in an unnamed temporary file.

One thread has it at a time. It counts what it holds in the Budget of the worker, which may send it
to disk before its own memory is full, or have no room for it at all.
"""

from __future__ import annotations

import errno
import io
from typing import IO, BinaryIO, Final, cast

from aiowsgi.bridge.budget import Budget

# A body up to this size is not counted: 10,000 of them are less than one connection may cost.
_SMALL: Final = 4096


class BodySpool:
    """A request body on its way in; the loop thread's until `open()` hands it to the exchange.

    Whoever closes what `open()` gave calls `close()` then.
    """

    __slots__ = (
        "_budget",
        "_file",
        "_first",
        "_in_file",
        "_memory",
        "_on_disk",
        "_threshold",
        "size",
    )

    def __init__(self, threshold: int, budget: Budget) -> None:
        self._threshold = threshold
        self._budget = budget
        self._file: IO[bytes] | None = None
        self._first = b""  # what came first, as long as nothing else has
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
        if self._file is not None:
            self._file.write(data)
        elif self._first:
            self._file = cast("IO[bytes]", io.BytesIO(self._first))
            self._file.seek(0, io.SEEK_END)
            self._file.write(data)
            self._first = b""
        else:
            self._first = data

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
        file.write(self._first)
        self._first = b""
        self._budget.give_back(memory=self._memory)
        self._memory = 0

    def open(self) -> BinaryIO:
        """The whole body as a file at its start; whoever opens it closes it."""
        file, self._file = self._file, None
        if file is None:
            return io.BytesIO(self._first)
        file.seek(0)
        return cast("BinaryIO", file)

    @property
    def counted(self) -> bool:
        """Whether there is something to give back."""
        return self._memory > 0 or self._on_disk > 0

    def close(self) -> None:
        """Drop what was collected, but for what `open()` gave away; nothing of it counts more."""
        self._first = b""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._memory or self._on_disk:
            self._budget.give_back(memory=self._memory, disk=self._on_disk)
            self._memory = self._on_disk = 0

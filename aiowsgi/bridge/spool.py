"""Spools: bytes that wait for their reader, in memory first, then in an unnamed temporary file.

`BodySpool` collects a request body that is read only when it is whole; one thread has it at a time.
`ResponseSpool` is a first-in first-out queue; its owner (ResponseWriter) holds the lock around it.
"""

from __future__ import annotations

import io
import tempfile
from collections import deque
from typing import IO, BinaryIO, cast


class BodySpool:
    """A request body on its way in; the loop thread's until `open()` hands it to the exchange."""

    __slots__ = ("_blocks", "_file", "_threshold", "size")

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._blocks: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body. Raises OSError where the disk refuses them."""
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        self._blocks.append(data)
        if self.size > self._threshold:
            self._file = tempfile.TemporaryFile(prefix="aiowsgi-")
            self._file.writelines(self._blocks)
            self._blocks.clear()

    def open(self) -> BinaryIO:
        """The whole body as a file at its start; whoever opens it closes it."""
        if self._file is None:
            return io.BytesIO(b"".join(self._blocks))
        file, self._file = self._file, None
        file.seek(0)
        return cast("BinaryIO", file)

    def close(self) -> None:
        """Drop what was collected; not what `open()` gave away."""
        self._blocks.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


class ResponseSpool:
    """Bytes of one response that its client has not read yet, in order.

    At most `memory` bytes are held in memory; what follows goes to the file until all of it has
    been taken, so that the memory part is always the older one.
    """

    __slots__ = ("_blocks", "_file", "_held", "_memory", "_read_at", "_write_at")

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._blocks: deque[memoryview] = deque()
        self._held = 0
        self._file: IO[bytes] | None = None
        self._read_at = self._write_at = 0

    def __len__(self) -> int:
        return self._held + self.on_disk

    @property
    def on_disk(self) -> int:
        """Bytes that wait in the file."""
        return self._write_at - self._read_at

    def put(self, data: bytes | memoryview) -> None:
        """Append `data`. Raises OSError where the disk refuses it."""
        view = memoryview(data)
        if not self.on_disk and self._held + len(view) <= self._memory:
            # A slice keeps its whole block alive: copy it where most of the block has been sent.
            small = 2 * len(view) < _span(view)
            self._blocks.append(memoryview(bytes(view)) if small else view)
            self._held += len(view)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="aiowsgi-", buffering=0)
        self._file.seek(self._write_at)
        while view:
            written = self._file.write(view)
            self._write_at += written
            view = view[written:]

    def take(self, limit: int) -> bytes | memoryview:
        """Remove and return the oldest bytes, at most `limit` of them; empty where none wait."""
        if self._blocks:
            block = self._blocks.popleft()
            if len(block) > limit:
                self._blocks.appendleft(block[limit:])
                block = block[:limit]
            self._held -= len(block)
            return block
        if self._file is None or not self.on_disk:
            return b""
        self._file.seek(self._read_at)
        data = self._file.read(min(limit, self.on_disk))
        if not data:
            raise OSError("the response spool is shorter than what was written to it")
        self._read_at += len(data)
        if not self.on_disk:  # all taken: the next bytes go to memory again
            self._read_at = self._write_at = 0
            self._file.truncate(0)
        return data

    def close(self) -> None:
        """Forget what waits and give the file back."""
        self._blocks.clear()
        self._held = self._read_at = self._write_at = 0
        if self._file is not None:
            self._file.close()
            self._file = None


def _span(view: memoryview) -> int:
    """The size of the object that a view keeps alive."""
    return len(cast("bytes", view.obj))

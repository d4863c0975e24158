"""wsgi.file_wrapper: a file as a response, and the part of a real file that can be sent as such.

The law: a region is only ever what reading the file would give. So only the classes that `open()`
and `tempfile` return are looked into, by exact type: a subclass, or anything else that has
`fileno()`, may give other bytes than its descriptor does (gzip.GzipFile decompresses) and is read.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import Any, NamedTuple, Protocol, cast


class Readable(Protocol):
    """What PEP 3333 asks of a file: `read(size)`; `close()` is optional."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, `b""` at the end."""


class FileWrapper:
    """An iterable over `file` in blocks of `block_size` bytes (PEP 3333, P45).

    It has a `close()` exactly where the file has one.
    """

    def __init__(self, file: Readable, block_size: int = 65536) -> None:
        self.file = file
        self.block_size = block_size
        close = getattr(file, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block


class FileRegion(NamedTuple):
    """`length` bytes of the regular file open as `fileno`, from byte `offset` on."""

    fileno: int
    offset: int
    length: int


def region(file: object) -> FileRegion | None:
    """Find what reading `file` to its end would give, or None where only reading can tell.

    None also for a file that says it is empty: those of /proc do, and have content all the same.
    """
    tempfile = sys.modules.get("tempfile")  # who made one has it
    if tempfile is not None and type(file) is tempfile._TemporaryFileWrapper:
        file = cast("Any", file).file
    try:
        if type(file) is io.FileIO:
            return _rest(file, file)
        if type(file) is io.BufferedReader:
            return _rest(file, file.raw)
        if type(file) is io.BufferedRandom:
            file.flush()  # what was written has to be in the file that another descriptor reads
            return _rest(file, file.raw)
    except (OSError, ValueError):
        pass  # closed, or detached: reading it tells the application so
    return None


def _rest(
    file: io.FileIO | io.BufferedReader | io.BufferedRandom, raw: object
) -> FileRegion | None:
    if type(raw) is not io.FileIO or not raw.readable():
        return None
    found = os.fstat(raw.fileno())
    offset = file.tell()
    # The size of what is no regular file is unspecified (POSIX, sys/stat.h).
    if not stat.S_ISREG(found.st_mode) or offset >= found.st_size:
        return None
    return FileRegion(raw.fileno(), offset, found.st_size - offset)

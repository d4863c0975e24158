"""The part of a response spool that is on disk: first in, first out, in one unnamed file.

The file never grows past its limit: when its end is reached, writing goes on at its start, where
what was there has been taken. What the budget counts is the size of the file, and not what waits in
it, since that is what the disk has to hold; an empty file is cut to nothing.
"""

from __future__ import annotations

from io import RawIOBase
from typing import cast

from aiowsgi.bridge.budget import Budget


class SpoolFile:
    """At most `limit` bytes (None = no limit); whoever has the spool around it has this."""

    __slots__ = ("_budget", "_file", "_limit", "_read_at", "_size", "_write_at", "waiting")

    def __init__(self, limit: int | None, budget: Budget) -> None:
        self._limit = limit
        self._budget = budget
        self._file: RawIOBase | None = None
        self._read_at = self._write_at = 0
        self._size = 0  # of the file, and what the budget has counted
        self.waiting = 0

    def put(self, view: memoryview) -> int:
        """Append the start of `view`; the number of bytes taken. Raises OSError (disk full)."""
        taken = 0
        while room := self._room(len(view) - taken):
            if self._file is None:
                import tempfile  # seldom needed, and it brings a lot

                file = tempfile.TemporaryFile(prefix="aiowsgi-", buffering=0)
                self._file = cast("RawIOBase", file)
            self._file.seek(self._write_at)
            written = self._file.write(view[taken : taken + room]) or 0
            taken += written
            self.waiting += written
            self._write_at += written
            if self._write_at == self._limit:
                self._write_at = 0
        return taken

    def _room(self, wanted: int) -> int:
        """How many bytes may be written in one go; what the file grows by is counted."""
        if self._limit is not None:
            wanted = min(wanted, self._limit - self.waiting, self._limit - self._write_at)
        growth = self._write_at + wanted - self._size
        if growth > 0:
            if not self._budget.take_disk(growth):
                return 0
            self._size += growth
        return wanted

    def take(self, limit: int) -> bytes:
        """Remove and return the oldest bytes, at most `limit`; empty where none wait."""
        if self._file is None or not self.waiting:
            return b""
        most = min(limit, self.waiting)
        if self._limit is not None:
            most = min(most, self._limit - self._read_at)
        self._file.seek(self._read_at)
        data = self._file.read(most)
        if not data:
            raise OSError("the response spool is shorter than what was written to it")
        self._read_at += len(data)
        if self._read_at == self._limit:
            self._read_at = 0
        self.waiting -= len(data)
        if not self.waiting:
            self._file.truncate(0)
            self._forget()
        return data

    def close(self) -> None:
        """Forget what waits and give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._forget()

    def _forget(self) -> None:
        if self._size:
            self._budget.give_back(disk=self._size)
        self._read_at = self._write_at = self._size = self.waiting = 0

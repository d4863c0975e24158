"""What all spools of one worker may hold together, so that a crowd fills neither memory nor disk.

Each spool has a limit of its own; thousands of them, each within it, could still be too much. So
they ask here before they grow, and give back what they took, on every path.
"""

from __future__ import annotations

import threading


class Budget:
    """Bytes in memory and bytes of temporary files, with a limit on each; None = no limit.

    Any thread. The lock is the innermost one of all: nothing is called while it is held.
    """

    __slots__ = ("_lock", "disk", "disk_limit", "memory", "memory_limit")

    def __init__(self, memory_limit: int | None = None, disk_limit: int | None = None) -> None:
        self.memory_limit = memory_limit
        self.disk_limit = disk_limit
        self._lock = threading.Lock()  # guards memory and disk
        self.memory = 0
        self.disk = 0

    def take_memory(self, size: int, *, must: bool = False) -> bool:
        """Count `size` more bytes in memory; False: there is no room. `must`: even where not."""
        self._lock.acquire()  # nothing here raises, and compiled a `with` costs twice as much
        total = self.memory + size
        fits = must or self.memory_limit is None or total <= self.memory_limit
        if fits:
            self.memory = total
        self._lock.release()
        return fits

    def take_disk(self, size: int) -> bool:
        """Count `size` more bytes on disk; False: there is no room."""
        with self._lock:
            total = self.disk + size
            if self.disk_limit is not None and total > self.disk_limit:
                return False
            self.disk = total
            return True

    def give_back(self, *, memory: int = 0, disk: int = 0) -> None:
        """Count so many bytes less."""
        self._lock.acquire()
        self.memory -= memory
        self.disk -= disk
        self._lock.release()

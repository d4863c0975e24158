"""Recycling: when a worker has done enough, and should be replaced by a new one.

It never ends anything by itself: the worker tells its supervisor, which starts another and then has
this one retire, on the way of every other end. So a worker goes on past its bound until then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable


class Recycling:
    """The bounds of one worker, looked at once a second on the loop thread; None = no bound.

    `requests` and `jitter` (up to so many more, at random, so that not all workers come to it
    together) in requests, `lifetime` in seconds, `memory` in bytes of what `resident` returns.
    """

    def __init__(
        self,
        *,
        requests: int | None,
        jitter: int,
        lifetime: float | None,
        memory: int | None,
        resident: Callable[[], int],
    ) -> None:
        self._requests = requests and requests + secrets.randbelow(jitter + 1)
        self._lifetime = lifetime
        self._memory = memory
        self._resident = resident

    def due(self, served: int, age: float) -> str:
        """Why it has done enough; empty where it has not. `served` requests, `age` in seconds."""
        if self._requests and served >= self._requests:
            return f"it has served {served} requests"
        if self._lifetime is not None and age >= self._lifetime:
            return f"it is {age:.0f}s old"
        if self._memory is not None and (resident := self._resident()) > self._memory:
            return f"it holds {resident / 2**20:.0f} MiB"
        return ""


def resident_memory() -> int:
    """The memory of this process in bytes; the most that it ever had where there is no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        import resource
        import sys

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    import mmap

    return pages * mmap.PAGESIZE

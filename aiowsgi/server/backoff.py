"""How long to wait before a worker is started again: not at all, and longer in a crash loop."""

from __future__ import annotations

_QUICK = 1.0  # seconds of service; who dies sooner may die again at once
_FORGOTTEN = 120.0  # seconds without a quick death after which all is well again
_FIRST = 0.5  # seconds
_LONGEST = 30.0  # seconds


class Backoff:
    """Counts deaths; times are in monotonic seconds. `free`: quick deaths that cost no wait.

    Several workers may die together of one cause that is over; a loop goes on dying.
    """

    def __init__(self, free: int) -> None:
        self.free = free
        self.until = 0.0  # nothing is started before
        self._quick = 0
        self._last = 0.0

    def died(self, served: float, now: float) -> float:
        """Note the death of a worker that had served for so long; the seconds to wait now."""
        if served >= _QUICK or now - self._last > _FORGOTTEN:
            self._quick = 0
        if served < _QUICK:
            self._quick += 1
            self._last = now
        beyond = self._quick - self.free
        wait = min(_LONGEST, _FIRST * 2.0 ** min(beyond - 1, 10)) if beyond > 0 else 0.0
        self.until = max(self.until, now + wait)
        return wait

"""systemd: the sockets that it passes to us (sd_listen_fds(3)), what we tell it (sd_notify(3)).

Both are a few variables and a datagram; they are asked for by their presence, and everything here
does nothing without.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

_FIRST = 3  # sd_listen_fds(3): the number of the first descriptor that is passed


def passed_descriptors(environ: Mapping[str, str], name: str = "") -> list[int]:
    """The sockets that were passed to this process, all or those of a `name`; none is inherited on.

    The name is FileDescriptorName= of a socket unit, by default the unit's own.
    """
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdigit():
        return []
    numbers = range(_FIRST, _FIRST + int(count))
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    for number in numbers:
        with suppress(OSError):
            os.set_inheritable(number, False)
    return [
        number
        for at, number in enumerate(numbers)
        if not name or (at < len(names) and names[at] == name)
    ]


class Notifier:
    """Tells the service manager how the service is; what cannot be told is lost."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._interval = _watchdog_interval(environ) if address else None
        self._next = 0.0

    @property
    def interval(self) -> float | None:
        """Seconds within which `beat` has to be called again and again; None = it need not be."""
        return self._interval

    @property
    def patience(self) -> float:
        """Seconds from one look whether to `beat` to the next, at most."""
        return math.inf if self._interval is None else self._interval / 2

    def tell(self, *states: str) -> None:
        """Send assignments such as READY=1."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(states).encode(), self._address)

    def reloading(self) -> None:
        """A reload begins; READY=1 ends it."""
        # Type=notify-reload wants to know when, to tell this reload from an earlier one.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=Reloading")

    def beat(self, now: float) -> None:
        """Tell the watchdog that all is well, where it is time to; `now` in monotonic seconds."""
        if self._interval is not None and now >= self._next:
            self._next = now + self._interval
            self.tell("WATCHDOG=1")


@contextmanager
def told(loop: asyncio.AbstractEventLoop, notifier: Notifier) -> Iterator[None]:
    """For one process: it is ready while the block runs, and its loop speaks to the watchdog."""

    def beat() -> None:
        notifier.beat(time.monotonic())
        if notifier.interval is not None:  # to the end of the loop: a drain is no silence
            loop.call_later(notifier.patience, beat)

    notifier.tell("READY=1", "STATUS=Serving")
    beat()
    try:
        yield
    finally:
        notifier.tell("STOPPING=1", "STATUS=Finishing requests under way")


def _watchdog_interval(environ: Mapping[str, str]) -> float | None:
    """Half of what WatchdogSec= allows, as sd_watchdog_enabled(3) recommends."""
    usec = environ.get("WATCHDOG_USEC", "")
    if not usec.isdigit() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 2e6 or None

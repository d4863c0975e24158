"""`wsgi.input` where the body is streamed: the loop thread feeds, the application reads.

A buffered body needs none of this: it is a file (spool.py). Here the application's `read` waits on
a pool thread until bytes have come; `io.BufferedReader` over this raw stream gives it the exact
`read`, `readline`, `readlines` and iteration of a file (P18).

Call flow: readinto -> demand (to the loop: send 100-continue once, resume reading) -> feed.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiowsgi.errors import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_AGAIN = 1.0  # seconds from one look whether the loop is alive to the next


class InputStream(io.RawIOBase):
    """The body of one request as a raw stream; holds at most about `high_water` bytes.

    `_ready` is the one lock: it guards everything below it. `demand` is called on the pool thread,
    outside the lock, when the application waits for bytes that nobody is reading; then `awaited`,
    since the thread may have to wait for as long as the client likes. `received` counts bytes.
    `alive`: asked once a second by a thread that waits, where the loop may go without a word.
    """

    def __init__(
        self,
        demand: Callable[[], None],
        high_water: int,
        awaited: Callable[[], None] | None = None,
        alive: Callable[[], bool] | None = None,
    ) -> None:
        self._demand = demand
        self._awaited = awaited
        self._alive = alive
        self.received = 0
        self._high_water = high_water
        self._ready = threading.Condition(threading.Lock())
        self._blocks: deque[memoryview] = deque()
        self._held = 0
        self._demanded = False
        self._waiting = False
        self._eof = False
        self._error: str | None = None

    # -- loop thread --

    def feed(self, data: bytes) -> bool:
        """Hand over body bytes; False: enough for now, stop reading until `demand`."""
        with self._ready:
            self._blocks.append(memoryview(data))
            self._held += len(data)
            self.received += len(data)
            enough = self._held >= self._high_water
            if enough:
                self._demanded = False
            self._ready.notify()
        return not enough

    def feed_eof(self) -> None:
        """The body is complete."""
        with self._ready:
            self._eof = True
            self._ready.notify()

    def abort(self, reason: str) -> None:
        """The rest of the body will never come: `read` raises ClientDisconnected (P19)."""
        with self._ready:
            if not self._eof and self._error is None:
                self._error = reason
                self._ready.notify()

    @property
    def starving(self) -> bool:
        """Whether the application waits for bytes now."""
        with self._ready:
            return self._waiting

    # -- pool thread --

    def readable(self) -> bool:
        """Always true (io.RawIOBase)."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what is there, waiting for at least one byte; 0 at the end.

        Raises ClientDisconnected where the body was cut (P19).
        """
        target = memoryview(buffer).cast("B")
        while True:
            with self._ready:
                if self._blocks:
                    return self._copy(target)
                if self._eof:
                    return 0
                if self._error is not None:
                    raise ClientDisconnected(self._error)
                demanded, self._demanded = self._demanded, True
                if demanded:
                    self._waiting = True
                    self._ready.wait(None if self._alive is None else _AGAIN)
                    self._waiting = False
                    if self._alive is not None and not self._alive():
                        self._error = "nobody is left to receive the body"
                    continue
            self._demand()
            if self._awaited is not None:
                self._awaited()

    def _copy(self, target: memoryview) -> int:
        filled = 0
        while self._blocks and filled < len(target):
            block = self._blocks.popleft()
            room = len(target) - filled
            if len(block) > room:
                self._blocks.appendleft(block[room:])
                block = block[:room]
            target[filled : filled + len(block)] = block
            filled += len(block)
        self._held -= filled
        return filled

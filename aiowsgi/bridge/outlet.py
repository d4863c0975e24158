"""What pool thread and loop thread share of one response: its spool, its file, how far it is.

Here is what the loop thread does with it: take what waits, give the write side back, or end the
response from its own side. What the pool thread does is in writer.py.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.spool import ResponseSpool
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoding import Encoder
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.filewrapper import FileRegion

SendNow = Callable[[list[bytes]], int]


class Progress(Enum):
    """How far a response is, as the loop thread needs to know it."""

    OPEN = "more may come"
    COMPLETE = "all of it was given"
    CUT = "it will never be complete: cut the connection"


class Taken(NamedTuple):
    """One snapshot of what the loop has to send."""

    data: bytes | memoryview
    file: FileRegion | None
    progress: Progress


def hand_over_lock() -> threading.Lock:
    """Make the lock of a response, or of those of one client, one after the other."""
    return threading.Lock()


class ResponseOutlet:
    """One response between its two threads; `lock` guards each hand-over."""

    __slots__ = (
        "_alive",
        "_budget",
        "_clock",
        "_contested",
        "_delivered",
        "_direct",
        "_encoder",
        "_file",
        "_gone",
        "_head_size",
        "_limit",
        "_may_keep",
        "_memory",
        "_passed",
        "_progress",
        "_room",
        "_send_now",
        "_spool",
        "_taken",
        "_wake_due",
        "aborted",
        "body_bytes",
        "condemned",
        "ended",
        "first",
        "head",
        "lock",
        "unsent",
        "waiting",
    )

    # Set by ResponseWriter, which alone is made: one call less for each request.
    _alive: Callable[[], bool] | None  # whether the loop is there to take what waits
    _budget: Budget | None  # that all spools share
    _limit: int | None
    _contested: bool  # whether the loop may answer in the application's stead
    _encoder: Encoder
    _memory: int
    _send_now: SendNow | None
    _spool: ResponseSpool | None
    _room: threading.Condition | None
    _may_keep: Callable[[], bool] | None
    _direct: bool
    _file: FileRegion | None
    _progress: Progress
    _gone: bool
    _wake_due: bool
    _taken: int  # bytes that the loop took
    _passed: int  # bytes that the pool thread sent by itself
    _head_size: int
    _clock: Callable[[], float] | None  # monotonic seconds, where anybody wants to know when
    first: float  # when the first byte was sent, 0.0 where nobody wants to know
    ended: float  # when the last one was
    _delivered: bool  # whether the loop has sent the last byte
    head: ResponseHead | None  # what was sent, for the log
    lock: threading.Lock  # guards what both threads touch, here and in the exchange
    body_bytes: int
    unsent: int  # bytes that the loop took and that went nowhere
    aborted: bool  # whether the client did not have it all; settled when the exchange is over
    waiting: bool  # whether a thread waits for room
    condemned: bool  # whether the loop has given the client up

    # -- loop thread --

    def take(self, limit: int) -> Taken:
        """What to send next and how far the response is, in one snapshot."""
        with self.lock:
            self._wake_due = False
            if self._spool is not None:
                data = self._spool.take(limit)
                if data:
                    self._taken += len(data)
                    if self._room is not None:
                        self._room.notify_all()
                    return Taken(data, None, Progress.OPEN)
                if self._progress is not Progress.OPEN:
                    self._spool.close()
            file, self._file = self._file, None
            if file is not None:
                self._taken += file.length
            return Taken(b"", file, self._progress)

    def exhausted(self) -> bool:
        """Whether the response is complete and the loop has all of it; nothing is to be taken."""
        with self.lock:
            if self._progress is not Progress.COMPLETE or self._spooled or self._file is not None:
                return False
            if self._spool is not None:
                self._spool.close()
            return True

    def give_back(self) -> None:
        """The kernel has all that was taken: the pool thread may send by itself again."""
        with self.lock:
            if self._send_now is not None and not self._spooled and self._file is None:
                self._direct = True
                if self._spool is not None:  # the loop may have no part in this response's end
                    self._spool.close()

    @property
    def _spooled(self) -> int:
        return 0 if self._spool is None else self._spool.waiting

    def all_sent(self) -> None:
        """The loop has sent the last byte."""
        self._delivered = True
        self._note_end()

    def close_account(self) -> None:
        """The client will have no more: where it does not have it all, count what it was sent."""
        self._note_end()
        if not (self._delivered or self.sent):
            self.aborted = True
            out = self._passed + self._taken - self.unsent
            if out <= 0:
                self.head = None  # it did not even have that
            self.body_bytes = max(0, min(self.body_bytes, out - self._head_size))

    def _note_end(self) -> None:
        if self._clock is not None and not self.ended:
            self.ended = self._clock()

    def restrict(self, may_keep: Callable[[], bool]) -> None:
        """Before the exchange is queued: ask `may_keep` whether the connection can stay open."""
        self._may_keep = may_keep

    def last_answer(self) -> None:
        """The server stops: say so to the client where the head is not out yet."""
        if self.head is None:
            self._encoder.keep_alive = False

    def abandon(self) -> None:
        """The client left: what waits is dropped, and the next write raises ClientDisconnected."""
        with self.lock:
            self._gone = True
            if self._spool is not None:
                self._spool.close()
            file, self._file = self._file, None
            if self._room is not None:
                self._room.notify_all()
        if file is not None:
            os.close(file.fileno)

    def condemn(self) -> None:
        """Give the client up, as if it had left, and cut a response that is not complete yet."""
        with self.lock:
            if self._progress is not Progress.OPEN:
                return
            self._progress = Progress.CUT
            self._encoder.keep_alive = False
            self.condemned = True
        self.abandon()

    def supersede(self, head: ResponseHead, body: bytes) -> None:
        """Answer in the application's stead; cut what it has begun; leave what is complete."""
        with self.lock:
            if self._progress is not Progress.OPEN:
                return
            if self._contested and self.head is None:
                self._gone = True  # for the application, whose writes raise from now on
                self.head, self.body_bytes = head, len(body)
                self._direct = False
                if self._spool is None:
                    self._spool = ResponseSpool(self._memory, self._limit, self._budget)
                try:
                    for buffer in self._encoder.whole(head, [body]):
                        self._spool.put(buffer)
                except OSError:  # no disk, and not even so much memory is allowed
                    self._progress = Progress.CUT
                else:
                    self._progress = Progress.COMPLETE
                return
        self.condemn()

    # -- pool thread --

    def identify(self, line: str, name: str) -> None:
        """Have the response say by this line which request it answers, unless it does itself."""
        self._encoder.identify(line, name)

    def _nobody_reads(self) -> ClientDisconnected:
        if self.over:
            return ClientDisconnected("the server has ended the response by itself")
        return ClientDisconnected("the client left before it had the whole response")

    # -- any thread --

    @property
    def informs(self) -> bool:
        """Whether the client can be told something before the response."""
        return self._encoder.informs

    @property
    def over(self) -> bool:
        """Whether all that the client will get was given."""
        return self._progress is not Progress.OPEN

    @property
    def open(self) -> bool:
        """Whether the response has begun and is not complete."""
        return self.head is not None and self._progress is Progress.OPEN

    @property
    def moved(self) -> tuple[int, ...]:
        """Something that changes with each byte that the client takes."""
        return (self._taken, self.body_bytes if self._direct else -1)

    @property
    def gone(self) -> bool:
        """Whether the client left; any thread."""
        return self._gone

    @property
    def keep_alive(self) -> bool:
        """The encoder's verdict; settled when the response is complete."""
        return self._encoder.keep_alive

    @property
    def sent(self) -> bool:
        """Whether the kernel has the whole response, the loop having had no part in it."""
        return self._direct and self._progress is Progress.COMPLETE

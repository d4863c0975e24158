"""Where the application's output goes: straight to the client, or to a spool that the loop empties.

Write ownership: while `_direct` is true the pool thread owns the write side and sends by itself
(`send_now`, which never blocks). What the client does not take goes to the spool, and with it the
write side goes to the loop thread, which gives it back when all has been sent. There is one owner
at a time, and each hand-over is made under `lock`.

Call flow: Call -> start/data/whole/end -> encoder -> send_now, or spool and wake -> take.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Final

from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.outlet import Progress, ResponseOutlet, SendNow, Taken, hand_over_lock
from aiowsgi.bridge.spool import ResponseSpool
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoding import Encoder
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.filewrapper import FileRegion

__all__ = ["Progress", "ResponseWriter", "SendNow", "Taken", "hand_over_lock"]

# Blocks up to this size are joined with their head into one buffer: the copy is cheaper than
# handing the kernel a list.
_JOIN: Final = 4 * 1024
# The spool takes a large block in such pieces, so that the loop never waits long for `lock`.
_PIECE: Final = 256 * 1024
# Where the room that all spools share is spent, a write looks again after so many seconds.
_AGAIN: Final = 1.0


class ResponseWriter(ResponseOutlet):
    """The Output of one exchange; see the module for which thread owns what.

    `awaited` is called on the pool thread, outside the lock, when it may have to wait for as long
    as the client likes: before a wait for room, and once the head of an endless response is known.
    `contested`: the loop may answer too, where it is first to claim the head under the lock.
    `alive`: asked once a second by a thread that waits for room, where the loop may go without a
    word; once it is not, the client counts as gone. `clock`: where anybody wants to know when the
    first and the last byte were sent; monotonic seconds. `lock`: one that is there already; those
    who use it may not call each other with it held.
    """

    __slots__ = ("_awaited", "_wake")

    def __init__(
        self,
        encoder: Encoder,
        wake: Callable[[], None],
        send_now: SendNow | None,
        *,
        memory: int,
        disk: int | None,
        awaited: Callable[[], None] | None = None,
        contested: bool = False,
        budget: Budget | None = None,
        alive: Callable[[], bool] | None = None,
        clock: Callable[[], float] | None = None,
        lock: threading.Lock | None = None,
    ) -> None:
        self._encoder = encoder
        self._wake = wake
        self._send_now = send_now
        self._limit = disk
        self._memory = memory
        self._awaited = awaited
        self._contested = contested
        self._budget = budget
        self._alive = alive
        self._clock = clock
        self.first = self.ended = 0.0
        self._spool = None  # made by the first byte that has to wait
        # Guards the spool, _direct, _file, _progress and _wake_due. `_gone` only ever turns true.
        self.lock = lock or hand_over_lock()
        self._room = None  # made by the first write that must wait
        self._may_keep = None
        self._direct = send_now is not None
        self._file = None
        self._progress = Progress.OPEN
        self._gone = self._wake_due = self.waiting = self.condemned = False
        self._delivered = self.aborted = False
        self.head = None
        self.body_bytes = self.unsent = self._taken = self._passed = self._head_size = 0

    # -- pool thread --

    def inform(self, status: int, fields: Sequence[tuple[str, str]]) -> None:
        """Send an interim response (RFC 9110 15.2), where the final one has not begun."""
        if self.head is not None:
            return
        interim = self._encoder.interim(status, fields)
        if not interim:
            self._knock()
        elif self._contested:  # by the spool, where the loop's own answer comes after it
            self._store(memoryview(interim))
        else:
            self._emit([interim])

    def start(self, head: ResponseHead, block: bytes) -> None:
        """Send the head and the first block together (P26)."""
        start = self._begin(head, None)
        self._emit([start, *self._frame(block)] if block else [start])
        if not (block or start):
            self._knock()
        if self._awaited is not None and head.endless:
            self._awaited()

    def data(self, block: bytes) -> None:
        """Send one block at once (P36)."""
        if block:
            self._emit(self._frame(block))

    def end(self) -> None:
        """The body is complete."""
        last = self._encoder.end()
        if last:
            self._emit([last])
        self._publish(Progress.COMPLETE)

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        """Send head, body and end in one write."""
        self._note(head)
        buffers = self._encoder.whole(head, blocks)
        self._head_size = len(buffers[0])
        self.body_bytes += _size(buffers) - self._head_size
        if self._send_now is None:
            left = self._deliver(buffers)
            if left is None:
                return
            buffers = left
        self._emit(buffers)
        self._publish(Progress.COMPLETE)

    def _deliver(self, buffers: list[bytes]) -> list[bytes] | None:
        """Give the loop all of it in one go, the end included (None), or return what is left."""
        if _size(buffers) > self._memory:
            return buffers
        with self.lock:
            for at, buffer in enumerate(buffers):
                taken = self._put(memoryview(buffer)) if buffer else 0
                if taken < len(buffer):
                    return [buffer[taken:], *buffers[at + 1 :]]
            if self._progress is Progress.OPEN:
                self._progress = Progress.COMPLETE
            if self._clock is not None and not self.first:
                self.first = self._clock()
            due, self._wake_due = self._wake_due, True
        if not due:
            self._wake()
        return None

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        """Hand a file to the loop, which sends it as the client reads; the caller closes its own.

        Raises OSError where the descriptor cannot be duplicated.
        """
        start = self._begin(head, file.length)
        own = FileRegion(os.dup(file.fileno), file.offset, file.length)
        try:
            self._emit([start])
        except BaseException:
            os.close(own.fileno)
            raise
        self.body_bytes += own.length
        with self.lock:
            gone = self._gone
            if not gone:
                self._file, self._direct = own, False
        if gone:
            os.close(own.fileno)
            raise ClientDisconnected("the client left before the file was sent")
        self._publish(Progress.COMPLETE)
        return True

    def cut(self) -> None:
        """The response cannot be completed: never let it look complete (P40, P43)."""
        if self._progress is Progress.OPEN:
            self._encoder.keep_alive = False
            self._publish(Progress.CUT)

    def _knock(self) -> None:
        """Have the loop look at what is not bytes."""
        with self.lock:
            due, self._wake_due = self._wake_due, True
        if not due:
            self._wake()

    def _note(self, head: ResponseHead) -> None:
        if self._may_keep is not None and not self._may_keep():
            self._encoder.keep_alive = False
        if self._contested:
            with self.lock:
                if self._gone:
                    raise self._nobody_reads()
                self.head = head
        else:
            self.head = head

    def _begin(self, head: ResponseHead, whole_length: int | None) -> bytes:
        self._note(head)
        start = self._encoder.start(head, whole_length)
        self._head_size = len(start)
        return start

    def _frame(self, block: bytes) -> list[bytes]:
        self.body_bytes += len(block)
        return self._encoder.data(block)

    def _emit(self, buffers: list[bytes]) -> None:
        if self._gone:
            raise self._nobody_reads()
        if len(buffers) > 1 and _size(buffers) <= _JOIN:
            buffers = [b"".join(buffers)]
        if self._clock is not None and not self.first:
            self.first = self._clock()
        sent = 0
        if self._direct and self._send_now is not None:
            try:
                sent = self._send_now(buffers)
            except ClientDisconnected:
                self._gone = True
                raise
            self._passed += sent
        for buffer in buffers:
            if sent < len(buffer):
                self._store(memoryview(buffer)[sent:])
            sent = max(0, sent - len(buffer))

    def _store(self, rest: memoryview) -> None:
        """Give bytes to the loop; waits where there is no room for them (back-pressure)."""
        while rest:
            due = True
            with self.lock:
                taken = self._put(rest[:_PIECE])
                before = self._taken
                if taken:
                    self._direct = False
                    due, self._wake_due = self._wake_due, True
            rest = rest[taken:]
            if not due:
                self._wake()
            if not taken:
                if self._awaited is not None:
                    self._awaited()
                self._wait_for_room(before)

    def _put(self, piece: memoryview) -> int:
        """Spool as much of `piece` as there is room for; the lock is held."""
        if self._gone:
            raise self._nobody_reads()
        if self._spool is None:
            self._spool = ResponseSpool(self._memory, self._limit, self._budget)
        return self._spool.put(piece)

    def _wait_for_room(self, taken: int) -> None:
        """Wait for the client to have read half of what waits on disk, or to be gone.

        Where the spools of other clients hold the room, for it to read anything beyond the `taken`
        bytes that it had before, or for a moment.
        """
        below = None if self._limit is None else self._limit // 2
        with self.lock:
            spool = self._spool
            if self._room is None:
                self._room = threading.Condition(self.lock)
            self.waiting = True
            while below is not None and not self._gone and spool and spool.on_disk > below:
                self._room.wait(None if self._alive is None else _AGAIN)
                if self._alive is not None and not self._alive():
                    self._gone = True
            if not self._gone and self._taken == taken:
                self._room.wait(_AGAIN)
            self.waiting = False

    def _publish(self, progress: Progress) -> None:
        """Tell how the response ended; wakes the loop where something is left for it to do."""
        if self._direct and self._clock is not None:
            self.ended = self._clock()
        self.lock.acquire()  # nothing here raises, and compiled a `with` costs twice as much
        if self._progress is Progress.OPEN:  # else the loop was first
            self._progress = progress
        needed = not (self._direct and self._encoder.keep_alive) and not self._wake_due
        if needed:
            self._wake_due = True
        self.lock.release()
        if needed:
            self._wake()


def _size(buffers: list[bytes]) -> int:
    size = 0
    for buffer in buffers:
        size += len(buffer)
    return size

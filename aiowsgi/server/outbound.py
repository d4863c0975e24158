"""The write half of a connection: what the loop sends, and the `send_now` that a pool thread uses.

`send_now` writes to a duplicate of the socket that this object owns, never to the transport's own
descriptor: the kernel reuses a number as soon as it is closed, and a thread would then write to
another client. The duplicate is closed by the loop thread, when no exchange can use it any more.

Call flow: ResponseWriter wakes the loop -> pump -> transport.write or sendfile.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.writer import Progress, ResponseWriter, SendNow, hand_over_lock
from aiowsgi.errors import ClientDisconnected

# The loop moves a response on in pieces of this size, and at most _TURN of it in one go, so that
# one fast reader of a large response does not keep the loop from the other clients.
_PIECE: Final = 64 * 1024
_TURN: Final = 16
_FILE_PIECE: Final = 1024 * 1024
# The kernel refuses more buffers in one call (IOV_MAX); a list of small blocks has them easily.
_MOST_BUFFERS: Final = 1024
_NONE: Final = -1  # no descriptor
_write: Final = os.write


class Outbound:
    """Sends to one client. The loop thread's, but for `send_now`."""

    __slots__ = (
        "_again",
        "_file",
        "_loop",
        "_offset",
        "_own",
        "_reset",
        "_send_now",
        "_transport",
        "_watched",
        "lock",
        "lost",
        "paused",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        again: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._again = again  # pumps once more when the client has read
        # The duplicate, a descriptor: a socket object would cost another two system calls.
        self._own = _NONE
        self._watched = False  # whether the loop tells when `_own` can be written to
        self._file: int | None = None  # the descriptor of a file that is being sent
        self._offset = range(0)  # what of the file is still to be sent
        self._reset = False
        self._send_now: SendNow | None = None  # made once; a method is an object of its own
        self.lock = hand_over_lock()  # of one exchange after the other
        self.paused = False
        self.lost = 0  # bytes of a file that could not be sent

    # -- pool thread --

    def send_now(self, buffers: list[bytes]) -> int:
        """Send without waiting; the number of bytes that the kernel took.

        Raises ClientDisconnected where the connection is gone.
        """
        own = self._own
        if own == _NONE:
            return 0
        sent = 0
        try:
            if len(buffers) == 1:
                return _write(own, buffers[0])
            if len(buffers) <= _MOST_BUFFERS:
                return os.writev(own, buffers)
            for at in range(0, len(buffers), _MOST_BUFFERS):
                some = buffers[at : at + _MOST_BUFFERS]
                taken = os.writev(own, some)
                sent += taken
                if taken < sum(map(len, some)):
                    break
        except BlockingIOError:
            pass
        except OSError as error:
            raise ClientDisconnected(f"the client left: {error.strerror}") from None
        return sent

    # -- loop thread --

    def direct(self) -> SendNow | None:
        """`send_now` for a pool thread, where it may send by itself now; None where not.

        Opens the duplicate on first use.
        """
        if self._own == _NONE:
            if not hasattr(os, "writev"):  # Windows
                return None
            theirs = self._transport.get_extra_info("socket")
            if theirs is None or self._transport.get_extra_info("sslcontext") is not None:
                return None
            try:
                self._own = os.dup(theirs.fileno())  # non-blocking, as theirs is
            except OSError:  # out of descriptors: everything goes through the loop
                return None
            self._send_now = self.send_now
        if self._file is not None or self._transport.get_write_buffer_size():
            return None
        return self._send_now

    @property
    def pending(self) -> int:
        """Bytes and file bytes that the loop has taken and the kernel has not."""
        try:
            unsent = self._transport.get_write_buffer_size()
        except AttributeError:  # asyncio's TLS before Python 3.11, once the connection is lost
            unsent = 0
        return unsent + len(self._offset)

    def pump(self, writer: ResponseWriter) -> Progress | None:
        """Send what the writer has; its progress when all of that is sent, else None."""
        for _ in range(_TURN):
            if self._transport.is_closing():
                return None
            if self.paused:
                return Progress.CUT if writer.condemned else None
            if self._file is not None:
                if not self._send_file(self._file):
                    return None
                continue
            taken = writer.take(_PIECE)
            if taken.data:
                self._transport.write(taken.data)
            elif taken.file is not None:
                self._file, start, length = taken.file
                self._offset = range(start, start + length)
            else:
                if taken.progress is Progress.COMPLETE:
                    writer.all_sent()
                elif taken.progress is Progress.OPEN and not self.pending:
                    writer.give_back()
                return taken.progress
        self._loop.call_soon(self._again)
        return None

    def _send_file(self, file: int) -> bool:
        """Send the next piece of the file; False where the client must read first."""
        try:
            sent = self._send_piece(file)
        except BlockingIOError:
            self._watched = True
            self._loop.add_writer(self._own, self._writable)
            return False
        except OSError:
            sent = 0
        if sent == 0 and self._offset:  # the file was cut while we sent it, or the client left
            self._transport.abort()
            self._close_file()
            return False
        self._offset = self._offset[sent:]
        if not self._offset:
            self._close_file()
        return True

    def _send_piece(self, file: int) -> int:
        start, rest = self._offset.start, len(self._offset)
        if (
            self._own != _NONE
            and hasattr(os, "sendfile")
            and not self._transport.get_write_buffer_size()
        ):
            return os.sendfile(self._own, file, start, min(rest, _FILE_PIECE))
        os.lseek(file, start, os.SEEK_SET)
        data = os.read(file, min(rest, _PIECE))
        self._transport.write(data)
        return len(data)

    def _writable(self) -> None:
        self._watch_no_more()
        self._again()

    def _watch_no_more(self) -> None:
        if self._watched:
            self._watched = False
            with suppress(RuntimeError):  # the loop may be closed already, and looks no more
                self._loop.remove_writer(self._own)

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self.lost += len(self._offset)
        self._file = None
        self._offset = range(0)

    def cut(self, exchange: Exchange) -> None:
        """End a response that will not be complete, so that the client can see it (P40, P43)."""
        if exchange.head.version == "1.0" and (self._own != _NONE or self.direct() is not None):
            # Its body may end by the connection's end: only a reset tells the two apart.
            self._reset = True
            with _as_socket(self._own) as own:
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def hang_up(self) -> None:
        """The connection is lost: what a pool thread still sends through the duplicate fails."""
        self._close_file()
        self._watch_no_more()
        if self._own != _NONE and not self._reset:  # after a reset it would look like an end
            with suppress(OSError), _as_socket(self._own) as own:
                own.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the duplicate: no exchange uses it any more."""
        self._close_file()
        self._watch_no_more()
        if self._own != _NONE:
            os.close(self._own)
            self._own = _NONE
        self._send_now = None
        self._again = nothing  # a closed connection is freed without the garbage collector (S20)


@contextmanager
def _as_socket(descriptor: int) -> Iterator[socket.socket]:
    """The descriptor as a socket, for what only a socket can do."""
    own = socket.socket(fileno=descriptor)
    try:
        yield own
    finally:
        own.detach()


def nothing() -> None:
    """What is left to do for a connection that is gone."""

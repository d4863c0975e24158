"""Who owns the write side when, and that no byte and no wake-up is lost (P26, P36, S3, S4, S7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from aiowsgi.bridge.writer import Progress, ResponseWriter
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


class Kernel:
    """The socket's end of `send_now`: takes `room` bytes; both threads append to `sent`."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.sent = b""
        self.calls = 0
        self.gone = False

    def send_now(self, buffers: Sequence[bytes]) -> int:
        self.calls += 1
        if self.gone:
            raise ClientDisconnected("the client left")
        data = b"".join(buffers)[: self.room]
        self.room -= len(data)
        self.sent += data
        return len(data)


class Made:
    """A writer of one response with a Content-Length of 10, its kernel, and its wake-ups."""

    def __init__(
        self,
        kernel: Kernel | None = None,
        *,
        memory: int = 1000,
        disk: int | None = None,
        direct: bool = True,
        keep_alive: bool = True,
    ) -> None:
        self.kernel = kernel or Kernel()
        self.wakes = 0
        encoder = ResponseEncoder("GET", "1.1", keep_alive, ResponseDefaults())
        send_now = self.kernel.send_now if direct else None
        self.writer = ResponseWriter(encoder, self._wake, send_now, memory=memory, disk=disk)

    def _wake(self) -> None:
        self.wakes += 1

    @property
    def on_disk(self) -> int:
        """Bytes that wait in the temporary file."""
        spool = self.writer._spool
        return spool.on_disk if spool else 0

    @property
    def waiting(self) -> int:
        """Bytes that wait at all."""
        spool = self.writer._spool
        return spool.waiting if spool else 0

    def take_all(self) -> Progress:
        """What the loop does: sends all that waits, and gives back."""
        while True:
            taken = self.writer.take(64)
            if not taken.data:
                if taken.progress is Progress.OPEN:
                    self.writer.give_back()
                return taken.progress
            self.kernel.sent += bytes(taken.data)


def head(length: int | None = 10) -> ResponseHead:
    fields = [] if length is None else [("Content-Length", str(length))]
    return ResponseHead(200, "OK", fields, content_length=length)


def test_what_the_kernel_takes_never_meets_the_loop() -> None:
    """Sent at once, head and first block in one call; the end needs no wake-up."""
    made = Made()
    made.writer.start(head(), b"12345")
    assert (made.kernel.sent, made.kernel.calls) == (HEAD + b"12345", 1)
    made.writer.data(b"67890")
    assert made.kernel.sent == HEAD + b"1234567890"
    made.writer.end()
    assert made.wakes == 0
    assert made.writer.sent
    assert made.writer.body_bytes == 10


def test_a_whole_response_is_one_call() -> None:
    made = Made()
    made.writer.whole(head(), [b"12345", b"", b"67890"])
    assert (made.kernel.sent, made.kernel.calls) == (HEAD + b"1234567890", 1)
    assert (made.wakes, made.writer.sent) == (0, True)


def test_the_end_wakes_where_the_connection_is_to_be_closed() -> None:
    made = Made(keep_alive=False)
    made.writer.whole(head(), [b"1234567890"])
    assert made.wakes == 1
    assert made.take_all() is Progress.COMPLETE


def test_ownership_goes_to_the_loop_with_the_first_byte_not_taken_and_comes_back() -> None:
    made = Made(Kernel(room=len(HEAD) + 2))
    made.writer.start(head(), b"1234")
    assert made.kernel.sent == HEAD + b"12"
    assert made.wakes == 1
    made.kernel.room = 10**9
    made.writer.data(b"5")  # the kernel has room again, but 34 must go first
    assert made.kernel.sent == HEAD + b"12"
    assert made.wakes == 1  # it has not looked since
    assert made.take_all() is Progress.OPEN
    assert made.kernel.sent == HEAD + b"12345"
    made.writer.data(b"678")
    assert made.kernel.sent == HEAD + b"12345678"
    made.writer.data(b"90")
    made.writer.end()
    assert (made.kernel.sent, made.wakes) == (HEAD + b"1234567890", 1)
    assert made.writer.sent


def test_nothing_is_given_back_before_the_loop_says_so() -> None:
    """What was taken may still wait in the transport."""
    made = Made(Kernel(room=0))
    made.writer.start(head(), b"1")
    taken = made.writer.take(1000)
    made.kernel.room = 10**9
    made.writer.data(b"2")
    assert made.kernel.sent == b""
    made.kernel.sent += bytes(taken.data)
    made.writer.give_back()  # not with bytes in the spool
    made.writer.data(b"3")
    assert made.kernel.sent == HEAD + b"1"
    assert made.take_all() is Progress.OPEN
    assert made.kernel.sent == HEAD + b"123"


def test_each_batch_wakes_once_and_a_batch_after_a_look_wakes_again() -> None:
    made = Made(direct=False)
    for _ in range(2):
        made.writer.data(b"1")
        made.writer.data(b"2")
    assert made.wakes == 1
    made.writer.take(100)
    made.writer.data(b"3")
    assert made.wakes == 2


def test_without_send_now_the_loop_sends_all_of_it() -> None:
    """TLS, and a connection whose transport still holds the last answer."""
    made = Made(direct=False)
    made.writer.whole(head(), [b"1234567890"])
    assert made.wakes == 1
    assert made.take_all() is Progress.COMPLETE
    assert made.kernel.sent == HEAD + b"1234567890"
    assert not made.writer.sent


def test_a_cut_after_what_was_written_is_seen_after_it() -> None:
    """P43: and it can be cut no more, nor completed."""
    made = Made(direct=False)
    made.writer.start(head(), b"123")
    made.writer.cut()
    assert not made.writer.keep_alive
    assert made.take_all() is Progress.CUT
    assert made.kernel.sent == HEAD + b"123"
    complete = Made()
    complete.writer.whole(head(), [b"1234567890"])
    complete.writer.cut()
    assert complete.writer.sent


@contextmanager
def running(call: object, *arguments: object) -> Iterator[list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call(*arguments)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        thread.join(10)
        assert not thread.is_alive()


def write_until_full(made: Made) -> None:
    """Write from here until one more block would have to wait."""
    made.writer.start(head(1000), b"x")
    while made.on_disk < 100:
        made.writer.data(b"y" * min(20, 100 - made.on_disk))


def test_a_writer_waits_when_the_spools_are_full_and_goes_on_at_half() -> None:
    """S4: back-pressure, with room for a batch of blocks at once."""
    made = Made(direct=False, memory=50, disk=100)
    write_until_full(made)
    going_on = threading.Event()

    def write() -> None:
        made.writer.data(b"more")
        going_on.set()

    with running(write) as errors:
        while made.on_disk > 51:
            made.writer.take(1 if made.on_disk <= 60 else 9)
        assert not going_on.wait(0.1)  # there is room, but not for a batch of blocks
        made.writer.take(1)
        assert going_on.wait(10)
    assert errors == []
    made.writer.abandon()


def test_abandon_wakes_an_application_that_waits_for_room() -> None:
    """S7: the client of a full spool left; the thread is free, and its bytes are."""
    made = Made(direct=False, memory=50, disk=100)
    write_until_full(made)
    with running(made.writer.data, b"more") as errors:
        made.writer.abandon()
    assert [type(error) for error in errors] == [ClientDisconnected]
    assert made.waiting == 0
    assert made.writer.gone


@pytest.mark.parametrize("how", ["abandoned", "found by send_now"])
def test_after_the_client_left_everything_raises(how: str) -> None:
    """S7."""
    made = Made()
    made.writer.start(head(None), b"x")
    if how == "abandoned":
        made.writer.abandon()
    else:
        made.kernel.gone = True
        with pytest.raises(ClientDisconnected):
            made.writer.data(b"y")
    calls = made.kernel.calls
    with pytest.raises(ClientDisconnected):
        made.writer.data(b"z")
    with pytest.raises(ClientDisconnected):
        made.writer.end()
    assert made.writer.gone
    assert made.kernel.calls == calls


def test_the_stop_of_the_server_is_told_where_the_head_is_not_out() -> None:
    """S8."""
    early, late = Made(), Made()
    early.writer.last_answer()
    early.writer.whole(head(), [b"1234567890"])
    assert b"\r\nConnection: close\r\n" in early.kernel.sent
    late.writer.start(head(), b"1")
    late.writer.last_answer()
    assert late.writer.keep_alive

"""A writer between two threads that are switched as often as can be: nothing is lost (S6, S7)."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator, Sequence

import pytest

from aiowsgi.bridge.writer import Progress, ResponseWriter
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead
from tests.bridge.test_writer import Made, head


@pytest.fixture(autouse=True)
def _switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Socket:
    """Takes a random part of what it is given; remembers all of it in order."""

    def __init__(self, seed: int) -> None:
        self._seeded = random.Random(seed)
        self.got: list[bytes] = []

    def send_now(self, buffers: Sequence[bytes]) -> int:
        data = b"".join(buffers)
        taken = data[: self._seeded.randrange(2 * len(data) + 1)]
        self.got.append(taken)
        return len(taken)


class Loop(threading.Thread):
    """Takes when it is woken, and only then: a lost wake-up is a hang."""

    def __init__(self, sock: Socket) -> None:
        super().__init__(name="loop", daemon=True)
        self.woken = threading.Semaphore(0)
        self.writer: ResponseWriter
        self.progress = Progress.OPEN
        self._socket = sock

    def run(self) -> None:
        while self.progress is Progress.OPEN:
            if not self.woken.acquire(timeout=20):
                return
            while (taken := self.writer.take(50)).data:
                self._socket.got.append(bytes(taken.data))
            if taken.progress is Progress.OPEN:
                self.writer.give_back()
            self.progress = taken.progress


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(("memory", "disk"), [(10**6, None), (100, 10**6), (20, 200), (0, 0)])
def test_thousands_of_blocks_arrive_in_order_and_the_end_is_seen(
    direct: bool, memory: int, disk: int | None
) -> None:
    """Every way through: the kernel, memory, the file, and a wait for room."""
    sock = Socket(memory)
    loop = Loop(sock)
    encoder = ResponseEncoder("GET", "1.0", True, ResponseDefaults())  # unframed, and then closes
    loop.writer = writer = ResponseWriter(
        encoder,
        loop.woken.release,
        sock.send_now if direct else None,
        memory=memory,
        disk=disk,
    )
    loop.start()
    writer.start(ResponseHead(200, "OK", []), b"first ")
    for number in range(3000):
        writer.data(b"%d " % number)
    writer.end()
    loop.join(20)
    assert loop.progress is Progress.COMPLETE
    body = b"".join(sock.got).partition(b"\r\n\r\n")[2]
    assert body == b"first " + b"".join(b"%d " % number for number in range(3000))


def test_a_client_that_leaves_at_any_moment_frees_the_writer() -> None:
    """S7: whatever it does just then; nothing is left in its spool."""
    for _ in range(200):
        made = Made(direct=False, memory=10, disk=500)
        made.writer.start(head(None), b"x")
        ready = threading.Barrier(2)
        errors: list[BaseException] = []

        def write(
            made: Made = made,
            ready: threading.Barrier = ready,
            errors: list[BaseException] = errors,
        ) -> None:
            ready.wait(10)
            try:
                while True:
                    made.writer.data(b"y" * 20)
            except ClientDisconnected as error:
                errors.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        ready.wait(10)
        made.writer.abandon()
        thread.join(10)
        assert not thread.is_alive()
        assert len(errors) == 1
        assert made.waiting == 0


def test_who_is_about_to_wait_for_room_says_so_first() -> None:
    """S3: outside the lock, which the loop needs to make room, and not where there is room."""
    said: list[int] = []
    encoder = ResponseEncoder("GET", "1.1", True, ResponseDefaults())
    writer = ResponseWriter(
        encoder, lambda: None, None, memory=0, disk=20, awaited=lambda: said.append(len(drained()))
    )

    def drained() -> bytes:
        data = b""
        while (taken := writer.take(100)).data:
            data += taken.data
        return data

    def write() -> None:
        for _ in range(3):
            writer.data(b"y" * 20)
        writer.end()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert said == [20, 20]
    assert drained() == b"y" * 20

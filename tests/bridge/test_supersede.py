"""The loop answers in the application's stead: one of them has the head, and no byte is mixed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from aiowsgi.bridge.answers import own_answer
from aiowsgi.bridge.outlet import Progress
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead
from tests.bridge.test_writer import Kernel
from tests.switching import switching

LATE = b"HTTP/1.1 504 Gateway Timeout\r\n"


HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def made(kernel: Kernel, memory: int = 1000) -> ResponseWriter:
    encoder = ResponseEncoder("GET", "1.1", True, ResponseDefaults())
    return ResponseWriter(
        encoder, lambda: None, kernel.send_now, memory=memory, disk=None, contested=True
    )


def supersede(writer: ResponseWriter) -> None:
    writer.supersede(*own_answer(504, close=True))


def linger(seeded: random.Random) -> None:
    """For a moment of another length each time, so that either may be first."""
    for _ in range(seeded.randrange(1000)):
        pass


def taken(writer: ResponseWriter) -> tuple[bytes, Progress]:
    data = b""
    while (piece := writer.take(100)).data:
        data += piece.data
    return data, piece.progress


@pytest.mark.parametrize("memory", [0, 1000])
def test_the_loops_answer_is_the_only_one(memory: int) -> None:
    kernel = Kernel()
    writer = made(kernel, memory)
    supersede(writer)
    calls: list[Callable[[], None]] = [
        lambda: writer.inform(103, []),
        lambda: writer.start(ResponseHead(200, "OK", []), b"late"),
        lambda: writer.whole(ResponseHead(200, "OK", []), [b"late"]),
    ]
    for call in calls:
        with suppress(ClientDisconnected):
            call()
    writer.cut()
    data, progress = taken(writer)
    assert data.startswith(LATE)
    assert b"late" not in data
    assert (progress, kernel.sent, writer.keep_alive) == (Progress.COMPLETE, b"", False)


def test_what_is_complete_is_left_alone() -> None:
    kernel = Kernel()
    writer = made(kernel)
    writer.whole(ResponseHead(200, "OK", []), [b"in time"])
    supersede(writer)
    assert kernel.sent.endswith(b"in time")
    assert writer.sent
    assert writer.keep_alive


def test_what_waits_of_a_complete_response_is_not_dropped_with_its_client() -> None:
    kernel = Kernel(room=0)
    writer = made(kernel)
    writer.whole(ResponseHead(200, "OK", []), [b"in time"])
    writer.condemn()
    data, progress = taken(writer)
    assert data.endswith(b"in time")
    assert progress is Progress.COMPLETE


def test_what_was_cut_never_becomes_complete() -> None:
    """P40: although the application goes on to its end."""
    writer = made(Kernel())
    writer.start(ResponseHead(200, "OK", [], content_length=4), b"half")
    supersede(writer)
    writer.end()
    assert taken(writer) == (b"", Progress.CUT)


def test_hints_wait_where_the_loops_answer_comes_after_them() -> None:
    """Sent at once, they might be half sent when the loop has its say."""
    kernel = Kernel()
    writer = made(kernel)
    writer.inform(103, [])
    supersede(writer)
    assert (kernel.calls, taken(writer)[0].removeprefix(HINTS)[: len(LATE)]) == (0, LATE)


def test_they_race_for_the_head_and_the_client_reads_one_answer() -> None:
    seeded = random.Random(1)
    with switching(1e-6):
        won = {"loop": 0, "application": 0}
        for turn in range(2000):
            kernel = Kernel(room=turn % 60)
            writer = made(kernel)
            ready = threading.Barrier(2)

            def run(writer: ResponseWriter = writer, ready: threading.Barrier = ready) -> None:
                ready.wait(10)
                linger(seeded)
                try:
                    writer.inform(103, [])
                    writer.start(ResponseHead(200, "OK", []), b"one")
                    writer.data(b"two")
                    writer.end()
                except ClientDisconnected:
                    writer.cut()

            thread = threading.Thread(target=run)
            thread.start()
            ready.wait(10)
            linger(seeded)
            supersede(writer)
            thread.join(10)
            data, progress = taken(writer)
            wire = kernel.sent + data
            if LATE in wire:
                won["loop"] += 1
                assert b"200 OK" not in wire
                assert wire.endswith(b"Gateway Timeout\n")
                assert wire.removeprefix(HINTS).startswith(LATE)
                assert progress is Progress.COMPLETE
            else:
                won["application"] += 1
                assert progress is Progress.CUT or wire.endswith(b"two\r\n0\r\n\r\n")
        assert sum(won.values()) == 2000  # who wins more often is the scheduler's to say

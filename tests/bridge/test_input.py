"""The streamed body: what the loop feeds is what the application reads (P18, P19)."""

from __future__ import annotations

import io
import random
import threading

import pytest

from aiowsgi.bridge.input import InputStream
from aiowsgi.errors import ClientDisconnected
from tests.switching import switching


def stream(*blocks: bytes, eof: bool = True) -> io.BufferedReader:
    raw = InputStream(lambda: None, 1024)
    for block in blocks:
        raw.feed(block)
    if eof:
        raw.feed_eof()
    return io.BufferedReader(raw)


def test_read_readline_readlines_and_iteration_are_those_of_a_file() -> None:
    """P18."""
    assert stream(b"ab", b"cd").read() == b"abcd"
    assert stream(b"ab", b"cd").read(3) == b"abc"
    assert stream(b"ab", b"cd").read(-1) == b"abcd"
    assert stream(b"a\nb", b"c\nd").readline() == b"a\n"
    assert stream(b"a\nb", b"c\nd").readline(1) == b"a"
    assert stream(b"a\nb", b"c\nd").readlines() == [b"a\n", b"bc\n", b"d"]
    assert list(stream(b"a\nb", b"c\nd")) == [b"a\n", b"bc\n", b"d"]
    buffer = bytearray(3)
    assert stream(b"ab", b"cd").readinto(buffer) == 3
    assert buffer == b"abc"


def test_the_end_is_empty_bytes_ever_after() -> None:
    """P18."""
    body = stream(b"ab")
    assert body.read() == b"ab"
    assert [body.read(), body.read(1), body.readline(), body.read()] == [b"", b"", b"", b""]


def test_a_body_that_was_cut_raises_after_what_came() -> None:
    """P19."""
    raw = InputStream(lambda: None, 1024)
    raw.feed(b"abc")
    raw.abort("the client left")
    body = io.BufferedReader(raw)
    assert body.read(3) == b"abc"
    with pytest.raises(ClientDisconnected, match="the client left"):
        body.read(1)
    with pytest.raises(ConnectionError):
        body.read(1)


def test_the_end_cannot_be_cut_any_more() -> None:
    raw = InputStream(lambda: None, 1024)
    raw.feed_eof()
    raw.abort("too late")
    assert raw.read(1) == b""


def test_reading_demands_more_once_and_feeding_too_much_says_so() -> None:
    demanded: list[int] = []
    raw = InputStream(lambda: demanded.append(1), 10)
    assert raw.feed(b"123")
    assert not raw.feed(b"45678901")  # stop reading
    assert raw.read(11) == b"12345678901"
    assert demanded == []  # the application has not had to wait

    def answer() -> None:
        demanded.append(2)
        raw.feed(b"more")

    raw._demand = answer
    assert raw.read(4) == b"more"
    assert demanded == [2]


def test_a_waiting_reader_is_woken_by_data_by_the_end_and_by_a_cut() -> None:
    """No hand-over is lost, however the threads are switched."""
    seeded = random.Random(3)
    with switching(1e-5):
        for turn in range(200):
            raw = InputStream(lambda: None, 64)
            sent = [seeded.randbytes(seeded.randrange(1, 50)) for _ in range(seeded.randrange(9))]
            got: list[bytes] = []
            cut = turn % 3 == 0

            def read(raw: InputStream = raw, got: list[bytes] = got) -> None:
                try:
                    while piece := raw.read(seeded.randrange(1, 40)):
                        got.append(piece)
                except ClientDisconnected:
                    got.append(b"cut")

            thread = threading.Thread(target=read)
            thread.start()
            for block in sent:
                raw.feed(block)
            if cut:
                raw.abort("left")
            else:
                raw.feed_eof()
            thread.join(10)
            assert not thread.is_alive()
            assert b"".join(got) == b"".join(sent) + (b"cut" if cut else b"")


def test_who_is_about_to_wait_for_bytes_says_so_first() -> None:
    """S3: once they were asked for, and not where there are some."""
    said: list[str] = []

    def awaited() -> None:
        said.append("awaited")
        raw.feed(b"more")

    raw = InputStream(lambda: said.append("demanded"), 10, awaited)
    raw.feed(b"some")
    assert (raw.read(10), said) == (b"some", [])
    reader = threading.Thread(target=lambda: said.append(str(raw.read(10))), daemon=True)
    reader.start()
    reader.join(10)
    assert said == ["demanded", "awaited", "b'more'"]

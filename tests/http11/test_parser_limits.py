"""How much of a request is read before it is refused (S1, S19), with limits small enough to see."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType

import pytest

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits
from aiowsgi.http11.parser import END, RequestParser
from tests.http11.reading import answers, bytewise, error_of, get, read

NONE = Limits(None, None, None, None, None)
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n"


@pytest.mark.parametrize(
    ("limits", "good", "bad", "status"),
    [
        (Limits(request_line=15), get(target=b"/x"), get(target=b"/xy"), 414),
        (Limits(field_size=7), get(b"X: 1234"), get(b"X: 12345"), 431),
        (Limits(fields=2), get(b"X: 1"), get(b"X: 1", b"Y: 2"), 431),
        (Limits(head=37), get(b"X:123456"), get(b"X:1234567"), 431),
        (Limits(body=3), get(b"Content-Length: 3"), get(b"Content-Length: 4"), 413),
        (Limits(body=0), get(b"Content-Length: 0"), get(b"Content-Length: 1"), 413),
        (Limits(body=3), CHUNKED + b"2\r\nab\r\n1\r\nc\r\n", CHUNKED + b"2\r\nab\r\n2\r\n", 413),
        (Limits(fields=2), CHUNKED + LAST + b"a:\r\nb:\r\n", CHUNKED + LAST + b"a:\r\n" * 3, 431),
        (Limits(field_size=26), CHUNKED + LAST + b"X" * 26, CHUNKED + LAST + b"X" * 27, 431),
        (
            Limits(head=60),
            CHUNKED + LAST + b"X: a\r\n" * 10,
            CHUNKED + LAST + b"X: a\r\n" * 11,
            431,
        ),
    ],
)
@pytest.mark.parametrize("cut", [lambda raw: [raw], bytewise], ids=["whole", "bytewise"])
def test_a_limit_lets_pass_what_is_as_large_as_it_says(
    limits: Limits, good: bytes, bad: bytes, status: int, cut: Callable[[bytes], Iterable[bytes]]
) -> None:
    """S1, H6: to the byte; trailers share the limits of the head."""
    assert not any(isinstance(event, ProtocolError) for event in read(cut(good), limits))
    assert answers(read(cut(bad), limits)) == ((status,), ())


def test_no_limits_is_no_limit() -> None:
    """S1: `none` in the configuration."""
    long = b"a" * 100_000
    raw = get(*(b"X: " + long,) * 3, *(b"Y:",) * 1000, target=b"/" + long)
    for pieces in ([raw], [raw[:1000], raw[1000:]]):
        assert read(pieces, NONE)[1:] == [END]


def test_a_refused_body_is_refused_in_the_place_of_its_head() -> None:
    """S1: 413 before a byte of it is stored."""
    error = error_of(get(b"Content-Length: 4"), Limits(body=3))
    assert read([get(b"Content-Length: 4") + b"body"], Limits(body=3)) == [error]


def test_an_announced_body_may_be_as_large_as_a_disk_without_a_limit() -> None:
    """H4: eighteen digits; more is a 413 even so."""
    assert not isinstance(read([get(b"Content-Length: " + b"9" * 18)], NONE)[0], ProtocolError)
    assert error_of(get(b"Content-Length: " + b"9" * 19), NONE).status == 413
    assert read([get(b"Content-Length: " + b"0" * 99 + b"1") + b"x"], NONE)[1:] == [b"x", END]


def test_overhead_may_grow_with_the_body_only() -> None:
    """H6: at most 64 KiB more than the body so far."""
    spare = b"1\r\nx\r\n" * 16_000
    assert not isinstance(read([CHUNKED + spare])[-1], ProtocolError)
    assert answers(read([CHUNKED + spare * 2]))[0] == (400,)
    body = b"186a0\r\n" + bytes(100_000) + b"\r\n"
    assert not isinstance(read([CHUNKED + body + spare * 2])[-1], ProtocolError)


def test_pieces_of_a_read_come_joined() -> None:
    """S19: one event for each read, however many chunks are in it."""
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(CHUNKED)
    assert parser.feed(b"6\r\nabcdef\r\n" * 5000) == [b"abcdef" * 5000]


def calls_made(chunks: int) -> int:
    """How many Python functions run while a body of so many chunks is read."""
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(CHUNKED)
    block = b"6\r\nabcdef\r\n" * chunks
    made = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal made
        made += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parser.feed(block)
    finally:
        sys.setprofile(before)
    return made


def test_150_000_small_chunks_cost_in_proportion() -> None:
    """S19: twice the chunks, at most twice the work."""
    assert calls_made(150_000) <= 2 * calls_made(75_000) + 100


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nX: ", CHUNKED + b"0\r\nX: ", CHUNKED + b"5;", b"A"]
)
def test_what_is_held_of_an_unfinished_head_is_bounded(head: bytes) -> None:
    """S1, S4: refused at the limit, not at the end that never comes."""
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(head)
    fed = 0
    while fed < 1_000_000 and not any(isinstance(e, ProtocolError) for e in parser.feed(b"a" * 99)):
        fed += 99
    assert fed <= 16 * 1024 + 99

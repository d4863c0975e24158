"""The bytes of a response: framing (P41), the verdict on the connection (H1), errors (S13)."""

from __future__ import annotations

import pytest

from aiowsgi.http11.encoder import CONTINUE, ResponseEncoder, error_response
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead

DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
DEFAULTS = ResponseDefaults("Server: aiowsgi\r\n", DATE.decode(), "X-Extra: 1\r\n")
NOTHING = ResponseDefaults()
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"


def sized(length: int) -> bytes:
    return b"Content-Length: %d\r\n" % length


def encoded(
    *blocks: bytes,
    method: str = "GET",
    version: str = "1.1",
    keep_alive: bool = True,
    head: ResponseHead | None = None,
    whole: int | None = None,
) -> tuple[bytes, bytes, bool]:
    """The lines between status line and empty line, what follows the head, and the verdict."""
    encoder = ResponseEncoder(method, version, keep_alive, NOTHING)
    start = encoder.start(head or ResponseHead(200, "OK", []), whole)
    body = b"".join(part for block in blocks for part in encoder.data(block)) + encoder.end()
    status, _, lines = start.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 ")
    assert lines.endswith(b"\r\n")
    return lines[:-2], body, encoder.keep_alive


def own_length(status: int = 200) -> ResponseHead:
    """A head to which the application gave a Content-Length of 2."""
    return ResponseHead(status, "", [("Content-Length", "2")], content_length=2)


def test_the_head_has_all_its_lines() -> None:
    """P34, P41; values are latin-1 (H18)."""
    head = ResponseHead(200, "D'accord \xe9", [("X-A", "\xff"), ("x-a", "")])
    assert ResponseEncoder("GET", "1.1", True, DEFAULTS).start(head, 3).split(b"\r\n") == [
        b"HTTP/1.1 200 D'accord \xe9",
        b"X-A: \xff",
        b"x-a: ",
        b"Server: aiowsgi",
        DATE.rstrip(),
        b"X-Extra: 1",
        b"Content-Length: 3",
        b"",
        b"",
    ]


def test_the_space_before_the_reason_stays_without_one() -> None:
    """RFC 9112 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]."""
    start = ResponseEncoder("GET", "1.1", True, NOTHING).start(ResponseHead(299, "", []), 0)
    assert start.startswith(b"HTTP/1.1 299 \r\n")


def test_the_date_and_server_of_the_application_win() -> None:
    """P34."""
    head = ResponseHead(200, "OK", [("Date", "x"), ("Server", "y")], has_date=True, has_server=True)
    start = ResponseEncoder("GET", "1.1", True, DEFAULTS).start(head, 0)
    assert start.count(b"Date: ") == start.count(b"Server: ") == 1


def test_the_date_is_what_the_defaults_say_at_that_moment() -> None:
    """H12: whoever keeps the time replaces it."""
    defaults = ResponseDefaults()
    encoder = ResponseEncoder("GET", "1.1", True, defaults)
    defaults.tell(DATE.decode())
    assert DATE in encoder.start(ResponseHead(200, "OK", []), 0)


@pytest.mark.parametrize(
    ("version", "whole", "lines", "body", "keep_alive"),
    [
        ("1.1", 4, sized(4), b"abcd", True),
        ("1.0", 4, sized(4) + b"Connection: keep-alive\r\n", b"abcd", True),
        ("1.1", None, CHUNKED, b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", True),
        ("1.0", None, CLOSE, b"abcd", False),
    ],
)
def test_a_body_is_framed_by_what_is_known_of_it(
    version: str, whole: int | None, lines: bytes, body: bytes, keep_alive: bool
) -> None:
    """P41, H14: chunked is never sent to 1.0, whose body the close ends."""
    found = encoded(b"ab", b"cd", version=version, whole=whole)
    assert found == (lines, body, keep_alive)


def test_the_length_that_the_application_gave_is_the_only_one() -> None:
    """P41."""
    assert encoded(b"ab", head=own_length()) == (sized(2), b"ab", True)
    assert encoded(b"ab", head=own_length(), whole=2) == (sized(2), b"ab", True)


def test_an_empty_body_has_its_length() -> None:
    """P6, P41."""
    assert encoded(whole=0) == (sized(0), b"", True)


def test_an_empty_block_is_no_last_chunk() -> None:
    """P38."""
    assert encoded(b"", b"a", b"")[1] == b"1\r\na\r\n0\r\n\r\n"


def test_the_size_of_a_chunk_is_hexadecimal() -> None:
    """RFC 9112 7.1."""
    assert encoded(bytes(0x1A2B))[1].startswith(b"1a2b\r\n")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize(
    ("method", "status", "given", "whole", "length"),
    [
        ("HEAD", 200, False, None, b""),
        ("HEAD", 200, False, 0, b""),
        ("HEAD", 200, False, 7, sized(7)),
        ("HEAD", 200, True, None, sized(2)),
        ("HEAD", 204, True, 7, b""),
        ("GET", 204, False, 0, b""),
        ("GET", 204, False, 7, b""),
        ("GET", 204, True, None, b""),
        ("GET", 304, False, None, b""),
        ("GET", 304, False, 0, b""),
        ("GET", 304, False, 7, sized(7)),
        ("GET", 304, True, None, sized(2)),
    ],
)
def test_what_has_no_body_ends_with_its_head(  # noqa: PLR0913 - one row is one answer
    version: str, method: str, status: int, given: bool, whole: int | None, length: bytes
) -> None:
    """P41: HEAD keeps what GET would say; a 204 says nothing; no framing is added."""
    head = own_length(status) if given else ResponseHead(status, "", [])
    found = encoded(b"ab", version=version, method=method, head=head, whole=whole)
    stays = b"Connection: keep-alive\r\n" if version == "1.0" else b""
    assert found == (length + stays, b"", True)


@pytest.mark.parametrize(("method", "status", "bodiless"), [("HEAD", 200, 1), ("GET", 204, 1)])
def test_the_encoder_tells_that_there_is_no_body(method: str, status: int, bodiless: bool) -> None:
    """P41."""
    encoder = ResponseEncoder(method, "1.1", True, NOTHING)
    encoder.start(ResponseHead(status, "", []))
    assert encoder.bodiless is bool(bodiless)
    other = ResponseEncoder("GET", "1.1", True, NOTHING)
    other.start(ResponseHead(200, "", []))
    assert other.bodiless is False


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_connection_that_closes_is_told(version: str) -> None:
    """H1: because the request said so, or the application (P32)."""
    closing = ResponseHead(200, "OK", [], close=True)
    by_request = encoded(version=version, keep_alive=False, whole=0)
    by_application = encoded(version=version, head=closing, whole=0)
    assert by_request == by_application == (sized(0) + CLOSE, b"", False)


def test_the_verdict_can_be_given_before_the_head() -> None:
    """S8: a server that drains tells its clients."""
    encoder = ResponseEncoder("GET", "1.1", True, NOTHING)
    encoder.keep_alive = False
    assert CLOSE in encoder.start(ResponseHead(200, "OK", []), 0)


def test_interim_responses_are_a_head_and_nothing_more() -> None:
    """RFC 9110 15.2, RFC 8297; P41."""
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"
    encoder = ResponseEncoder("GET", "1.1", True, ResponseDefaults())
    hints = encoder.interim(103, [("Link", "</a>; rel=preload")])
    assert hints == b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


STATUSES = [400, 404, 405, 408, 413, 414, 417, 431, 500, 501, 503, 504, 505]


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_is_whole_plain_and_short(status: int) -> None:
    """S13: of the request nothing is known here, and of the program nothing is told."""
    head, _, body = error_response(status, DEFAULTS).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: text/plain; charset=utf-8" in lines
    assert b"Content-Length: %d" % len(body) in lines
    assert {DATE.rstrip(), b"Server: aiowsgi", b"X-Extra: 1", b"Connection: close"} < set(lines)
    assert 0 < len(body) < 60
    assert (b"Retry-After: 1" in lines) is (status == 503)


def test_an_error_may_leave_the_connection_open() -> None:
    """H9: where the rest of the request was read."""
    assert CLOSE not in error_response(417, NOTHING, keep_alive=True)
    assert CLOSE in error_response(417, NOTHING)


def test_an_error_to_head_has_the_length_and_no_body() -> None:
    """P41."""
    whole = error_response(500, NOTHING)
    assert error_response(500, NOTHING, head_only=True) == whole[: whole.find(b"\r\n\r\n") + 4]

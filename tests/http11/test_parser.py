"""What a RequestHead says, and in which state the parser is when."""

from __future__ import annotations

import pytest

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.parser import END, ParserState, RequestParser
from tests.http11.reading import bytewise, error_of, get, head_of, read

POST = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_head_is_taken_apart() -> None:
    head = head_of(get(b"X-a:  b c\t", b"x-A: \xff", target=b"//p%20q?x=%ff?y"))
    assert (head.method, head.target) == ("GET", "//p%20q?x=%ff?y")
    assert (head.path, head.query, head.version) == ("//p%20q", "x=%ff?y", "1.1")
    assert head.fields == {"HTTP_HOST": "a", "HTTP_X_A": "b c, \xff"}
    assert (head.content_length, head.chunked, head.expect_continue) == (None, False, False)
    assert head.keep_alive


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"X:a", "a"),
        (b"X: \t a \t ", "a"),
        (b"X: \xa0a\xa0", "\xa0a\xa0"),
        (b"X: \x85", "\x85"),
        (b"X:", ""),
        (b"X: \t", ""),
        (b"X: a  b\tc", "a  b\tc"),
    ],
)
def test_optional_white_space_is_space_and_tab_only(line: bytes, value: str) -> None:
    """H18, and P10: what is white space elsewhere stays."""
    assert head_of(get(line)).fields["HTTP_X"] == value


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://b", "/", ""),
        ("http://b?q", "/", "q"),
        ("https://b:443/c/d?e=/f", "/c/d", "e=/f"),
        ("HTTP://b/?", "/", ""),
    ],
)
def test_absolute_form_is_read_as_path_and_query(target: str, path: str, query: str) -> None:
    """H3."""
    head = head_of(get(target=target.encode()))
    assert (head.target, head.path, head.query) == (target, path, query)


def test_the_authority_of_absolute_form_is_the_one_host() -> None:
    """H3, RFC 9112 3.2.2."""
    head = head_of(get(b"X: y", target=b"http://b:81/"))
    assert head.fields == {"HTTP_HOST": "b:81", "HTTP_X": "y"}


def test_absolute_form_gives_a_host_to_http_1_0() -> None:
    """H3: also where no Host was sent."""
    assert head_of(b"GET http://b/ HTTP/1.0\r\n\r\n").fields == {"HTTP_HOST": "b"}


def test_asterisk_form_has_an_asterisk_for_its_path() -> None:
    """H3."""
    assert head_of(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path == "*"


def test_framing_is_told() -> None:
    """H4, H5."""
    sized, chunked = head_of(POST), head_of(CHUNKED)
    assert (sized.content_length, sized.chunked) == (4, False)
    assert (chunked.content_length, chunked.chunked) == (None, True)
    assert head_of(get(b"Content-Length: 0")).content_length == 0


@pytest.mark.parametrize(
    ("raw", "waits"),
    [
        (get(b"Expect: 100-continue", b"Content-Length: 1"), True),
        (get(b"Expect: 100-Continue", b"Transfer-Encoding: chunked"), True),
        (get(b"Expect: 100-continue", b"Content-Length: 0"), False),
        (get(b"Expect: 100-continue"), False),
        (b"GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", False),
        (get(b"Content-Length: 1"), False),
    ],
)
def test_only_a_client_with_a_body_waits_for_100(raw: bytes, waits: bool) -> None:
    """H10, P42; RFC 9110 10.1.1: HTTP/1.0 knows no Expect."""
    assert head_of(raw).expect_continue is waits


def test_trailers_never_reach_the_fields() -> None:
    """H16."""
    events = read([CHUNKED + b"1\r\nx\r\n0\r\nX-Trailer: 1\r\n\r\n"])
    head = events[0]
    assert isinstance(head, RequestHead)
    assert set(head.fields) == {"HTTP_HOST", "HTTP_TRANSFER_ENCODING"}
    assert events[1:] == [b"x", END]


def test_an_upgrade_that_we_do_not_know_is_a_request_like_any_other() -> None:
    """H13, H23: llhttp would stop after such a head."""
    upgrade = (b"Connection: upgrade", b"Upgrade: x")
    assert read([get(*upgrade)])[1:] == [END]
    assert read([get(*upgrade, b"Content-Length: 2") + b"hi"])[1:] == [b"hi", END]


def test_tls_on_a_plain_port_is_named() -> None:
    """H15: one clear line for the log."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"
    for pieces in ([hello], bytewise(hello)):
        assert read(pieces) == [ProtocolError(400, "a client speaks HTTPS to an HTTP port")]


@pytest.mark.parametrize("name", [b"X_Forwarded_For", b"_", b"Content_Length"])
def test_names_with_an_underscore_are_refused_where_told(name: bytes) -> None:
    raw = get(name + b": 5")
    assert RequestParser(HeadReader(Limits())).feed(raw)[-1] is END
    for pieces in ([raw], bytewise(raw)):
        parser = RequestParser(HeadReader(Limits(), refuse_underscores=True))
        events = [event for piece in pieces for event in parser.feed(piece)]
        assert [getattr(event, "status", None) for event in events] == [400]
    assert (
        RequestParser(HeadReader(Limits(), refuse_underscores=True)).feed(get(b"X: _"))[-1] is END
    )


def test_states_follow_one_request() -> None:
    parser = RequestParser(HeadReader(Limits()))
    states = [parser.state]
    for piece in (b"\r\n", b"POST /up HTTP/1.1\r\n", POST[19:], b"bo", b"dy"):
        parser.feed(piece)
        states.append(parser.state)
    idle, head, body = ParserState.IDLE, ParserState.HEAD, ParserState.BODY
    assert states == [idle, idle, head, body, body, ParserState.COMPLETE]
    assert parser.resume() == []
    assert parser.state is idle


def test_nothing_after_the_end_is_looked_at_before_resume() -> None:
    """H2, H20: also what is wrong waits its turn, and is bounded by whoever reads."""
    parser = RequestParser(HeadReader(Limits()))
    assert parser.feed(get() + b"\x00")[1:] == [END]
    assert parser.waiting == 1
    assert parser.feed(b"\x01\x02") == []
    assert parser.waiting == 3
    (error,) = parser.resume()
    assert isinstance(error, ProtocolError)
    assert (error.status, parser.waiting, parser.state) == (400, 0, ParserState.CLOSED)


def test_resume_takes_one_message_at_a_time() -> None:
    """H2."""
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(get(target=b"/0") + POST + b"body" + get(target=b"/2"))
    assert [type(event) for event in parser.resume()] == [RequestHead, bytes, type(END)]
    assert parser.waiting == len(get(target=b"/2"))
    assert [type(event) for event in parser.resume()] == [RequestHead, type(END)]
    assert parser.resume() == []
    assert parser.state is ParserState.IDLE


def test_resume_before_the_end_does_nothing() -> None:
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(POST + b"bo")
    assert parser.resume() == []
    assert parser.feed(b"dy") == [b"dy", END]


@pytest.mark.parametrize(
    "raw", [get(b"Connection: close"), b"GET / HTTP/1.0\r\n\r\n", get(b"X : y"), b"\x00"]
)
def test_nothing_is_parsed_after_the_last_message_or_an_error(raw: bytes) -> None:
    """H8, H24."""
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(raw + get())
    assert parser.state is ParserState.CLOSED
    assert (parser.feed(get()), parser.resume(), parser.waiting) == ([], [], 0)


def test_a_body_before_an_error_is_given_first() -> None:
    """H20 within a message: how reads were cut does not show."""
    events = read([CHUNKED + b"2\r\nhi\r\nzz"])
    assert events[1:] == [b"hi", ProtocolError(400, "malformed chunk")]


def test_a_sized_body_that_came_by_itself_is_not_copied() -> None:
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(POST)
    block = bytes(4)
    assert parser.feed(block)[0] is block


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (get(b"Transfer-Encoding: chunked", b"Content-Length: 1"), "Transfer-Encoding together"),
        (get(b"Transfer-Encoding: gzip"), "not chunked"),
        (get(b"X : a"), "malformed field line"),
        (get(b"Host: b"), "twice"),
        (b"GET / HTTP/1.1\r\n\r\n", "no Host"),
        (b"GET  / HTTP/1.1\r\n", "one space between"),
    ],
)
def test_a_reason_says_which_rule_was_broken(raw: bytes, reason: str) -> None:
    """For whoever reads the log; also where llhttp was the one that refused."""
    assert reason in error_of(raw).reason


def test_a_refusal_carries_its_request_line_and_no_other_byte_of_the_request() -> None:
    """S13: the reason goes to the log, the line to the access log."""
    error = error_of(get(b"Secret : hunter2", target=b"/x"))
    assert error.line == b"GET /x HTTP/1.1"
    assert "hunter2" not in error.reason
    assert error_of(get(b"Content-Length: hunter2")).line == b"GET / HTTP/1.1"
    assert len(error_of(b"GET /" + b"a" * 100_000).line) <= 16 * 1024

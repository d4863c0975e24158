"""What we leave to llhttp, and what we know that it lets through: each release has to be the same.

`grammar.py` says what we hold ourselves. The two readings of a head, llhttp's and walk.py's, have
to agree byte for byte, or a request that the network has cut would be judged by another rule.
"""

from __future__ import annotations

import pytest
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from aiowsgi.http11.grammar import FIELD_LINE, METHODS, TARGET
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits
from tests.http11.reading import plain, well_read

METHODS_OF_LLHTTP_THAT_WE_REFUSE = "DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN REDIRECT FLUSH"


class Seen:
    """The callbacks, noted."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_message_complete(self) -> None:
        self.complete += 1


def taken(raw: bytes) -> Seen | None:
    """What llhttp sees in `raw`; None where it refuses."""
    seen = Seen()
    try:
        HttpRequestParser(seen).feed_data(raw)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        return None
    return seen


@pytest.mark.parametrize("template", [b"X%bY: a", b"X: a%bb", b"X: %b", b"X:%bb", b"X: b%b"])
def test_both_readings_of_a_field_line_agree_on_every_byte(template: bytes) -> None:
    """H7: control characters, names that are no tokens."""
    for code in range(256):
        line = template % bytes([code])
        ours = FIELD_LINE.fullmatch(line) is not None
        theirs = taken(b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n") is not None
        assert (code, ours) == (code, theirs)


@pytest.mark.parametrize(
    "template",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie%bA: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a%bb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n%bCookie: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a%bb\r\nCookie: a\r\n\r\n",
        b"GET /a%bb HTTP/1.1\r\nHost: a\r\nCookie: a\r\n\r\n",
        b"GET /?a%bb HTTP/1.1\r\nHost: a\r\nCookie: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %b1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked%b\r\n\r\n",
    ],
)
def test_what_need_not_go_through_llhttp_would_pass(template: bytes) -> None:
    """H3-H7: a reader that knows all names reads every byte as one that has read nothing."""
    for code in range(256):
        head = template % bytes([code])
        assert plain([well_read(head).read(head)]) == plain([HeadReader(Limits()).read(head)])


def test_llhttp_takes_bare_lf_for_the_end_of_a_line_without_a_version() -> None:
    """H7, H11: HTTP/0.9's line, with a field behind it; walk.py refuses the LF itself."""
    seen = taken(b"GET /a\nX:b HTTP/1.1\r\n\r\n")
    assert seen is not None
    assert seen.fields == [(b"X", b"b HTTP/1.1")]


@pytest.mark.parametrize("template", [b"/a%bb", b"/?a%bb"])
def test_both_readings_of_a_target_agree_on_every_byte(template: bytes) -> None:
    """H7. Only "#" is another rule's, RFC 9112 3.2: llhttp takes fragments, and we do not (H3)."""
    for code in range(256):
        target = template % bytes([code])
        ours = TARGET.fullmatch(target) is not None
        theirs = taken(b"GET " + target + b" HTTP/1.1\r\n\r\n") is not None
        assert (code, ours) == (code, theirs)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_each_method_that_we_list_is_known_to_llhttp(method: str) -> None:
    assert taken(method.encode() + b" / HTTP/1.1\r\n\r\n") is not None


@pytest.mark.parametrize("method", METHODS_OF_LLHTTP_THAT_WE_REFUSE.split())
def test_other_methods_that_llhttp_knows_are_not_for_http(method: str) -> None:
    assert taken(method.encode() + b" / HTTP/1.1\r\n\r\n") is None


@pytest.mark.parametrize(
    "field",
    [
        b"X : a",
        b": a",
        b"X",
        b"X: a\r\n b",
        b"X: a\rb",
        b"X: a\nb",
        b"Content-Length: +1",
        b"Content-Length: 1 1",
        b"Content-Length: 1\r\nContent-Length: 1",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
    ],
)
def test_llhttp_refuses_as_we_do(field: bytes) -> None:
    """H4, H5, H7: two locks on the doors through which requests are smuggled."""
    assert taken(b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    "raw",
    [
        b"\nGET / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / RTSP/1.0\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET /#f HTTP/1.1\r\n\r\n",
        b"GET * HTTP/1.1\r\n\r\n",
        b"GET ftp://a/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
    ],
)
def test_llhttp_lets_through_what_we_refuse(raw: bytes) -> None:
    """H3-H5, H7, H11, H22: should a release refuse one of these, our check of it may go."""
    assert taken(raw) is not None


def test_white_space_after_a_value_stays_in_it() -> None:
    """H18: why head.py takes it off."""
    seen = taken(b"GET / HTTP/1.1\r\nX: \t a \t\r\n\r\n")
    assert seen is not None
    assert seen.fields == [(b"X", b"a \t")]


def test_an_upgrade_skips_the_body() -> None:
    """H23: why bodies are not llhttp's to read."""
    raw = b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhi"
    with pytest.raises(HttpParserUpgrade) as error:
        HttpRequestParser(Seen()).feed_data(raw)
    assert error.value.args == (len(raw) - 2,)


def test_trailers_come_like_fields() -> None:
    """H16: why trailers are not llhttp's to read."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    seen = taken(head + b"0\r\nX: y\r\n\r\n")
    assert seen is not None
    assert (b"X", b"y") in seen.fields

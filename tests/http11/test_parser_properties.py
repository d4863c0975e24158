"""Laws of the parser that hold for all bytes: hypothesis looks for those that break them."""

from __future__ import annotations

import random

import h11
import pytest
from httptools import HttpParserError, HttpRequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.chunked import ChunkedBody
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.parser import END, ParserState, RequestParser
from tests.corpus import CASES
from tests.http11.reading import answers, cut_at_random, plain, read, well_read

STATUSES = {200, 400, 413, 414, 417, 431, 501, 505}
SMALL = Limits(request_line=40, fields=6, field_size=30, head=120, body=30)

# Pieces of requests, good and bad: what they make together is wrong in ways that noise never is.
pieces = st.sampled_from(
    [
        *(b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"GET  / HTTP/1.1\r\n", b"G", b"a" * 20),
        *(b"Host: a\r\n", b"Host: a b\r\n", b"X: \ty \r\n", b"X : y\r\n", b" y\r\n", b": y\r\n"),
        *(b"Content-Length: 3\r\n", b"Content-Length: 99\r\n", b"Transfer-Encoding: chunked\r\n"),
        *(b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n", b"Expect: x\r\n"),
        *(b"\r\n", b"\r\n\r\n", b"\r", b"\n", b"\x00", b" ", b":", b"\x16", b"\xff", b"\t"),
        *(b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n", b"5;x\r\n", b"f\r\n", b"zz", b"abc"),
    ]
)
requests = st.lists(pieces, max_size=14).map(b"".join)


@settings(max_examples=400)
@given(requests, st.lists(st.integers(0, 400), max_size=6), st.sampled_from([SMALL, Limits()]))
def test_what_comes_out_does_not_depend_on_how_reads_cut_it(
    raw: bytes, cuts: list[int], limits: Limits
) -> None:
    """feed(a + b) == feed(a) + feed(b): H8, S21."""
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    parts = [raw[start:stop] for start, stop in zip(edges, edges[1:], strict=False)]
    assert plain(read(parts, limits)) == plain(read([raw], limits))


@settings(max_examples=200)
@given(requests, st.integers(0, 400))
def test_what_waits_does_not_depend_on_how_reads_cut_it(raw: bytes, cut: int) -> None:
    """H2: without resume(), one message comes out, and the bytes after it are counted."""
    whole, parts = RequestParser(HeadReader(SMALL)), RequestParser(HeadReader(SMALL))
    events = whole.feed(raw)
    assert plain(parts.feed(raw[:cut]) + parts.feed(raw[cut:])) == plain(events)
    assert (parts.state, parts.waiting) == (whole.state, whole.waiting)
    assert events.count(END) <= 1


@settings(max_examples=200)
@given(st.binary(max_size=200) | requests)
def test_nothing_raises_and_an_error_is_the_last_event(raw: bytes) -> None:
    """S21, H8."""
    parser = RequestParser(HeadReader(SMALL))
    events = parser.feed(raw)
    errors = [event for event in events if isinstance(event, ProtocolError)]
    assert errors == ([events[-1]] if parser.state is ParserState.CLOSED and errors else [])
    assert all(error.status in STATUSES for error in errors)
    if errors:
        assert parser.feed(raw) == parser.resume() == []


@pytest.mark.parametrize("seed", range(20))
def test_a_corrupted_request_is_answered_or_refused_but_never_breaks_the_parser(seed: int) -> None:
    """S21: every case of the corpus with bytes changed, lost and doubled."""
    chance = random.Random(seed)
    for case in CASES:
        raw = bytearray(case.raw[:2000])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(raw) + 1)
            change = chance.choice((b"", bytes([chance.randrange(256)]), raw[at : at + 9] * 2))
            raw[at : at + chance.randint(1, 3)] = change
        noise = bytes(raw)
        events = read([noise])
        assert STATUSES.issuperset(answers(events)[0])
        assert plain(read(cut_at_random(noise, seed))) == plain(events)
        assert plain(read([noise], reader=well_read(noise))) == plain(events)


@settings(max_examples=200)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.randoms(use_true_random=False))
def test_chunks_come_back_as_the_body_that_was_sent(
    blocks: list[bytes], chance: random.Random
) -> None:
    """H6."""
    lines = [b"%x%b" % (len(block), chance.choice((b"", b";a=b"))) for block in blocks]
    wire = b"".join(
        line + b"\r\n" + block + b"\r\n" for line, block in zip(lines, blocks, strict=True)
    )
    parts: list[bytes] = []
    body = ChunkedBody(Limits())
    for piece in cut_at_random(wire + b"0\r\n\r\n", chance.randrange(9)):
        assert body.feed(piece, 0, parts) == len(piece)
    assert (body.done, b"".join(parts)) == (True, b"".join(blocks))


class _Llhttp:
    def __init__(self) -> None:
        self.body = b""
        self.complete = False

    def on_body(self, block: bytes) -> None:
        self.body += block

    def on_message_complete(self) -> None:
        self.complete = True


chunk_bytes = st.lists(
    st.sampled_from(
        [b"0", b"1", b"3", b"a", b"\r\n", b"\r", b"\n", b"abc", b";", b" ", b"x: y\r\n", b"0\r\n"]
    ),
    max_size=12,
).map(lambda parts: b"".join(parts) + b"\r\n\r\n")


@settings(max_examples=500)
@given(chunk_bytes)
def test_no_chunked_body_is_taken_that_llhttp_would_read_otherwise(wire: bytes) -> None:
    """H6: ours is as strict, and where it sees an end, it sees the same body."""
    ours = ChunkedBody(Limits())
    parts: list[bytes] = []
    stop = ours.feed(wire, 0, parts)
    if isinstance(stop, ProtocolError) or not ours.done:
        return
    theirs = _Llhttp()
    parser = HttpRequestParser(theirs)
    parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        parser.feed_data(wire[:stop])
    except HttpParserError as error:
        raise AssertionError(f"llhttp refuses {wire[:stop]!r}") from error
    assert (theirs.complete, theirs.body) == (True, b"".join(parts))


@settings(max_examples=300)
@given(requests)
def test_no_request_is_taken_that_h11_would_read_otherwise(raw: bytes) -> None:
    """H4-H8: where both take it, they see the same request and the same body."""
    events = read([raw], Limits())
    if not events or not isinstance(events[0], RequestHead) or END not in events:
        return
    peer = h11.Connection(h11.SERVER)
    peer.receive_data(raw.lstrip(b"\r\n"))
    body = b""
    try:
        head = peer.next_event()
        assert isinstance(head, h11.Request)
        while isinstance(event := peer.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError:
        return
    ours = events[0]
    assert (head.method, head.target) == (ours.method.encode(), ours.target.encode())
    theirs = [(name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items()]
    assert FieldNames().join(theirs) == ours.fields
    if isinstance(event, h11.EndOfMessage):
        assert body == answers(events)[1][0]

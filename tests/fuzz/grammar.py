"""Requests for hypothesis: made by the grammar of RFC 9112, then bent in one or a few places.

What is made by rule and has one fault comes far deeper into a parser than noise does. A mutation
may hit the framing (another length, another coding, a second field), the line ends, the bytes.
"""

from __future__ import annotations

from hypothesis import strategies as st

from aiowsgi.http11.grammar import METHODS

TCHARS = "!#$%&'*+-.^_`|~09AZaz"
_text = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
_visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)

_methods = st.sampled_from(["GET", "POST", "OPTIONS", *sorted(METHODS)])
_segments = st.text("ab%2Ef./;:@!$&'()*+,=~_-", max_size=8)
_queries = st.text(_visible.filter(lambda char: char != "#"), max_size=8).map("?".__add__)
_paths = st.tuples(_segments, st.just("") | _queries).map(lambda parts: "/" + "".join(parts))
_hosts = st.sampled_from(["a", "a.example:80", "[::1]:8000", "a%20b", "x_y:", "1.2.3.4:65535"])
_targets = st.one_of(
    _paths,
    st.tuples(st.sampled_from(["http://", "HTTPS://"]), _hosts, _paths).map("".join),
    st.just("*"),
)

_spaces = st.text(" \t", max_size=2)
_values = st.text(_text, max_size=12)
_names = st.text(TCHARS, min_size=1, max_size=6)
_odd = st.sampled_from(
    [
        *("Connection: close", "Connection: keep-alive, Upgrade", "Upgrade: h2c", "Cookie: a=b"),
        *("Expect: 100-continue", "Expect: x", "Content-Type: a/b", "Proxy: p", "X_Y: 1"),
        *("TE: trailers", "Trailer: X", "Keep-Alive: 5", "Accept:", "Transfer_Encoding: chunked"),
    ]
)
_plain_fields = st.one_of(
    _odd,
    st.tuples(_names, st.just(":"), _spaces, _values, _spaces).map("".join),
)

# Where two servers have disagreed on the end of a request (CL.TE, TE.CL, TE.TE).
_framings = st.sampled_from(
    [
        *("Content-Length: 5", "Content-Length: 05", "Content-Length: +5", "Content-Length: 5 ,5"),
        *("Content-Length: 0", "Content-Length: ", "Content-Length: 0x5", "Content-Length: 5;"),
        *("Content-Length : 5", "Content-Length: 99999999999999999999", "Content-Length: -0"),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: CHUNKED", "transfer-encoding:chunked"),
        *("Transfer-Encoding : chunked", "Transfer-Encoding: chunked, identity"),
        *("Transfer-Encoding: gzip, chunked", "Transfer-Encoding:\tchunked\t", "Host: b"),
        *("Transfer-Encoding: x\n chunked", "X: y\r\n\tfolded", "Transfer-Encoding: chunked;a=b"),
        *("Transfer-Encoding: \x0bchunked", "Transfer-Encoding: identity", "Transfer-Encoding:"),
    ]
)

_extensions = st.sampled_from(["", "", ";a", ";a=b", ';a="b;c"', ";", " ;a", ";a=\n", ";a = b"])
_blocks = st.lists(st.tuples(st.binary(min_size=1, max_size=20), _extensions), max_size=4)
_trailers = st.lists(st.sampled_from(["X: y", "Content-Length: 3", "x : y", " y", "Host: b"]))


@st.composite
def _chunked(draw: st.DrawFn) -> bytes:
    form = draw(st.sampled_from(["%x", "%X", "00%x"]))
    parts = [
        (form % len(block) + extension).encode() + b"\r\n" + block + b"\r\n"
        for block, extension in draw(_blocks)
    ]
    trailers = draw(st.just([]) | _trailers)
    return b"".join(parts) + "\r\n".join(["0", *trailers, "", ""]).encode()


@st.composite
def good_requests(draw: st.DrawFn) -> bytes:
    """A request that keeps the rules, but for what its fields may say together."""
    target = draw(_targets)
    method = "OPTIONS" if target == "*" else draw(_methods)
    version = draw(st.sampled_from(["1.1", "1.1", "1.1", "1.0"]))
    fields = [f"Host: {draw(_hosts)}", *draw(st.lists(_plain_fields, max_size=4))]
    body = b""
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    if framing == "length":
        body = draw(st.binary(max_size=30))
        fields.append(f"Content-Length: {len(body)}")
    elif framing == "chunked" and version == "1.1":
        body = draw(_chunked())
        fields.append("Transfer-Encoding: chunked")
    fields = draw(st.permutations(fields))
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *fields, "", ""])
    return head.encode("latin-1") + body


_noise = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\x00",
        b" ",
        b"\t",
        b":",
        b"\x0b",
        b"\xff",
        b"0",
        b"\r\n\r\n",
        b"a",
        b"\nX:y",
    ]
)


@st.composite
def _bent(draw: st.DrawFn, request: bytes) -> bytes:
    """One fault: a byte, a line, a field of framing that is one too many."""
    kind = draw(st.sampled_from(["field", "insert", "line", "cut", "line end", "double", "byte"]))
    if kind == "field":
        line, _, rest = request.partition(b"\r\n")
        return line + b"\r\n" + draw(_framings).encode("latin-1") + b"\r\n" + rest
    # The request line is a small part of it, and the part where most readers differ.
    most = max(0, request.find(b"\r\n")) if kind == "line" else len(request)
    at = draw(st.integers(0, most))
    if kind in ("insert", "line"):
        return request[:at] + draw(_noise) + request[at:]
    if kind == "cut":
        return request[:at] + request[at + draw(st.integers(1, 9)) :]
    if kind == "double":
        return request[:at] + request[max(0, at - draw(st.integers(1, 30))) :]
    if kind == "byte":
        return request[:at] + draw(st.binary(min_size=1, max_size=1)) + request[at + 1 :]
    end = request.find(b"\r\n", at)
    other = draw(st.sampled_from([b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n", b"\r\n "]))
    return request if end < 0 else request[:end] + other + request[end + 2 :]


@st.composite
def streams(draw: st.DrawFn, most_faults: int = 3) -> bytes:
    """One to three requests one behind the other, with up to `most_faults` faults in them."""
    wire = b"".join(draw(st.lists(good_requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, most_faults))):
        wire = draw(_bent(wire))
    return wire


@st.composite
def cuts(draw: st.DrawFn, raw: bytes) -> list[bytes]:
    """`raw` in pieces: cut anywhere, or beside a line end, where parsers keep their state."""
    ends = [at for at, byte in enumerate(raw) if byte in b"\r\n:"]
    near = st.sampled_from(ends).flatmap(lambda at: st.sampled_from([at, at + 1])) if ends else None
    anywhere = st.integers(0, len(raw))
    points = draw(st.lists(anywhere if near is None else anywhere | near, max_size=8))
    edges = [0, *sorted(points), len(raw)]
    return [raw[start:stop] for start, stop in zip(edges, edges[1:], strict=False)]

"""What the encoder writes, another implementation reads back as what was meant (P41, P36)."""

from __future__ import annotations

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.http11.encoder import ResponseEncoder, error_response
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead

DEFAULTS = ResponseDefaults("Server: aiowsgi\r\n", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")

names = st.from_regex(r"X-[!#$%&'*+.^_`|~0-9A-Za-z-]{0,10}", fullmatch=True)
values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
bodies = st.lists(st.binary(max_size=50), max_size=5)


def client(method: str) -> h11.Connection:
    """A client that has sent its request."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    return peer


def received(peer: h11.Connection, wire: bytes, closes: bool) -> tuple[h11.Response, bytes]:
    """The one response in `wire`, and its body; AssertionError where it is not whole."""
    peer.receive_data(wire)
    if closes:
        peer.receive_data(b"")
    response = peer.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(event := peer.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage), event
    assert peer.trailing_data[0] == b""
    return response, body


@settings(max_examples=300)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    version=st.sampled_from(["1.0", "1.1"]),
    status=st.sampled_from([200, 204, 206, 304, 404, 500, 599]),
    fields=st.lists(st.tuples(names, values), max_size=5),
    blocks=bodies,
    known=st.sampled_from(["not", "whole", "own"]),
    keep_alive=st.booleans(),
)
def test_what_is_encoded_is_parsed_as_the_same(  # noqa: PLR0913
    *,
    method: str,
    version: str,
    status: int,
    fields: list[tuple[str, str]],
    blocks: list[bytes],
    known: str,
    keep_alive: bool,
) -> None:
    """encode -> parse is identity, for every framing."""
    encoder = ResponseEncoder(method, version, keep_alive, DEFAULTS)
    length = sum(map(len, blocks))
    head = ResponseHead(status, "Some Reason", list(fields))
    if known == "own":
        head.content_length = length
        head.fields.append(("Content-Length", str(length)))
    wire = encoder.start(head, length if known == "whole" else None)
    wire += b"".join(part for block in blocks for part in encoder.data(block)) + encoder.end()
    response, body = received(client(method), wire, not encoder.keep_alive)
    assert (response.status_code, bytes(response.reason)) == (status, b"Some Reason")
    bodiless = method == "HEAD" or status in (204, 304)
    assert body == (b"" if bodiless else b"".join(blocks))
    found = [(name, value) for name, value in response.headers.raw_items() if name[:2] == b"X-"]
    assert found == [(n.encode(), v.encode("latin-1").strip(b" \t")) for n, v in fields]
    closing = (b"connection", b"close") in list(response.headers)
    assert closing is not encoder.keep_alive


@given(st.sampled_from([400, 413, 431, 500, 503]), st.booleans())
def test_errors_are_parsed_as_whole_responses(status: int, keep_alive: bool) -> None:
    """S13."""
    wire = error_response(status, DEFAULTS, keep_alive=keep_alive)
    response, body = received(client("GET"), wire, False)
    assert response.status_code == status
    assert body.endswith(b"\n")

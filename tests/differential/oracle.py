"""Whether a front and its back have read the same requests out of the same bytes.

Three witnesses: the wire between them, with the front's stamp on each request that it sent; what
the application saw; and h11, a third reader of the wire. Where the back refuses a request and
closes, nothing was read differently; where it goes on, both must have gone on at the same byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import h11

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.differential.fronts import SECRET
from tests.differential.tap import Wire

_STAMPED = re.compile(rb"\r\nX-Front: " + SECRET.encode() + rb"/([\w-]+) ", re.IGNORECASE)
_FINAL = re.compile(rb"HTTP/1\.[01] [2-5]\d\d [^\r\n]*\r\n")
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3}).*?\r\n\r\n", re.DOTALL)
_ASKED = re.compile(rb"\r\nX-Asked: (\S+)\r\n", re.IGNORECASE)
_SEEN = re.compile(rb"\r\nX-Seen: (\S+)\r\n", re.IGNORECASE)


@dataclass
class Seen:
    """One request as a back saw it; `body` is None until it is read whole."""

    port: int
    stamp: str
    method: str
    target: str
    host: str
    body: bytes | None = None

    @property
    def id(self) -> str | None:
        """What the front called it; None where no front has sent it."""
        secret, _, rest = self.stamp.partition("/")
        return rest.partition(" ")[0] if secret == SECRET else None

    @property
    def true(self) -> bool:
        """Whether it is the request that the front wrote on its stamp."""
        method, target, host = (self.stamp.split(" ") + ["", "", ""])[1:4]
        if target.startswith("?"):  # nginx's name for what it sends with a slash, as RFC 9112 3.2.1
            target = f"/{target}"
        elif absolute := re.match(r"\w+://([^/?]*)", target):
            host = absolute[1]  # RFC 9112 3.2.2; HAProxy, where lenient, leaves another Host there
        return (method, target, host) == (self.method, self.target, self.host)


@dataclass
class Record:
    """An application that writes down what it is asked, before it answers."""

    seen: list[Seen] = field(default_factory=list)

    def on(self, wire: Wire) -> list[Seen]:
        """What came over this connection."""
        return [seen for seen in self.seen if seen.port == wire.port]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen = Seen(
            int(environ["REMOTE_PORT"]),
            environ.get("HTTP_X_FRONT", ""),
            environ["REQUEST_METHOD"],
            environ["RAW_URI"],
            environ.get("HTTP_HOST", ""),
        )
        self.seen.append(seen)
        seen.body = environ["wsgi.input"].read()
        start_response("200 OK", [("X-Seen", seen.id or "unsent")])
        return [seen.target.encode("latin-1")]


def third_reading(raw: bytes) -> Iterator[bytes | None]:
    """The bodies that h11 reads out of a wire; None for one that is not whole."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    reader.receive_data(raw)
    reader.receive_data(b"")
    body: bytes | None = None
    try:
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Request):
                body = b""
            elif isinstance(event, h11.Data):
                body = (body or b"") + bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                yield body
                body = None
                reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                reader.send(h11.EndOfMessage())
                reader.start_next_cycle()
            else:
                return
    except h11.ProtocolError:
        if body is not None:
            yield None


def on_the_wire(wire: Wire, seen: Sequence[Seen]) -> Iterator[str]:
    """What the front and the back disagree about on one connection between them."""
    raw = bytes(wire.to_back)
    sent = [found.decode() for found in _STAMPED.findall(raw)]
    for request in seen:
        if request.id is None:
            yield f"seen, and never sent: {request}"
        elif not request.true:
            yield f"seen as another than was sent: {request}"
    if [request.id for request in seen] != sent[: len(seen)]:
        yield f"sent {sent}, and not in this order seen: {seen}"
    if len(sent) > len(seen) + 1:
        yield f"sent after one that the back refused or still reads: {sent}, seen: {seen}"
    answers = len(_FINAL.findall(bytes(wire.to_front)))
    if answers > len(sent):
        yield f"{answers} answers to {len(sent)} requests: {bytes(wire.to_front)!r}"
    for request, body in zip(seen, third_reading(raw), strict=False):
        if request.body is not None and request.body != body:
            yield f"a body that is {body!r} on the wire: {request}"


def is_settled(wire: Wire, seen: Sequence[Seen]) -> bool:
    """Whether all that was sent was seen and answered, so that nothing more is due."""
    sent = len(_STAMPED.findall(bytes(wire.to_back)))
    return sent == len(seen) == len(_FINAL.findall(bytes(wire.to_front)))


def in_pairs(answers: bytes) -> Iterator[str]:
    """The answers of the back that reached a client as answers to something else."""
    for head in _HEAD.finditer(answers):
        asked, seen = _ASKED.search(head[0]), _SEEN.search(head[0])
        if seen and not (asked and asked[1] == seen[1]):
            yield f"the answer to another request: {head[0]!r}"


def is_own_answer(answer: bytes, target: bytes) -> bool:
    """Whether this is one answer, 200, of the back, to the request that was asked."""
    head = _HEAD.match(answer)
    return bool(
        head
        and head[1] == b"200"
        and _SEEN.search(head[0])
        and not list(in_pairs(answer))
        and answer[head.end() :] == target
    )

"""How the tests of this floor talk to a parser: feed it in any cuts, and compare what comes out."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Iterator

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.parser import END, Event, ParserState, RequestParser

# The attributes that a head has room for, whether its class is interpreted or compiled; but for the
# one that says what is known of the others.
_PARTS = [
    name
    for name, value in vars(RequestHead).items()
    if inspect.isdatadescriptor(value) and not name.startswith("_") and name != "printable"
]


def well_read(raw: bytes, limits: Limits | None = None) -> HeadReader:
    """A reader that has seen every field of `raw` whose name may be one, with a good value."""
    reader = HeadReader(limits or Limits())
    for line in raw.split(b"\r\n"):
        name = line.partition(b":")[0]
        for value in (b"1", line[len(name) + 1 :]):
            reader.read(b"GET / HTTP/1.1\r\nHost: a\r\n%b:%b\r\n\r\n" % (name, value))
    return reader


def read(
    pieces: Iterable[bytes], limits: Limits | None = None, reader: HeadReader | None = None
) -> list[Event]:
    """All events of a client that sends `pieces`, each exchange being over at once."""
    parser = RequestParser(reader or HeadReader(limits or Limits()))
    events: list[Event] = []
    for piece in pieces:
        events += parser.feed(piece)
        while parser.state is ParserState.COMPLETE and parser.waiting:
            events += parser.resume()
    return events


def bytewise(raw: bytes) -> Iterator[bytes]:
    return (raw[at : at + 1] for at in range(len(raw)))


def cut_at_random(raw: bytes, seed: int) -> Iterator[bytes]:
    """Pieces of 1 to 40 bytes, now and then of thousands, the same for the same seed."""
    chance = random.Random(seed)
    at = 0
    while at < len(raw):
        size = chance.choice((1, 2, 3, 7, 40, 5000))
        yield raw[at : at + size]
        at += size


def plain(events: Iterable[Event]) -> list[object]:
    """Events as values that compare: pieces of a body joined, heads taken apart.

    An error's `line` is left out: it is as long as what had come when the error was seen.
    """
    out: list[object] = []
    for event in events:
        if isinstance(event, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += event
        elif isinstance(event, RequestHead):
            texts = [event.target, *event.fields, *event.fields.values()]
            assert not event.printable or all(t.isascii() and t.isprintable() for t in texts)
            out.append({name: getattr(event, name) for name in _PARTS})
        elif isinstance(event, ProtocolError):
            out.append((event.status, event.reason))
        else:
            out.append(event)
    return out


def answers(events: Iterable[Event]) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """The statuses that an application of 200 and the parser give, and the bodies of the 200s."""
    statuses: list[int] = []
    bodies: list[bytes] = []
    body = b""
    for event in events:
        if isinstance(event, RequestHead):
            body = b""
        elif isinstance(event, bytes):
            body += event
        elif event is END:
            statuses.append(200)
            bodies.append(body)
        elif isinstance(event, ProtocolError):
            statuses.append(event.status)
    return tuple(statuses), tuple(bodies)


def head_of(raw: bytes, limits: Limits | None = None) -> RequestHead:
    """The head of a request that must be a good one."""
    first = RequestParser(HeadReader(limits or Limits())).feed(raw)[0]
    assert isinstance(first, RequestHead), first
    return first


def error_of(raw: bytes, limits: Limits | None = None) -> ProtocolError:
    """What a parser has against bytes that must be refused."""
    last = RequestParser(HeadReader(limits or Limits())).feed(raw)[-1]
    assert isinstance(last, ProtocolError), last
    return last


def get(*fields: bytes, target: bytes = b"/") -> bytes:
    """A GET with a Host and these field lines."""
    return b"\r\n".join((b"GET %b HTTP/1.1" % target, b"Host: a", *fields, b"", b""))

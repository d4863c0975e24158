"""What holds for any bytes that a client may send; a law that is broken is told with the bytes.

Used by hypothesis (test_requests.py) and by a coverage-guided search (parser_target.py) alike:

    check(raw, pieces)   pieces are `raw`, cut in any way

1. Nothing raises, an error is the last event, and after it nothing is read (H8, S21).
2. How reads cut the bytes does not matter, and `whole()` says what `feed()` says; nor does it
   matter what the reader of heads has seen before.
3. What is taken means the same when it is written out again, plainly, to us and to h11.
4. What was sent means to h11, where h11 takes it, what it means to us.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, NoReturn

import h11

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.parser import END, Event, ParserState, RequestParser
from tests.http11.reading import plain, read, well_read

STATUSES = frozenset({400, 413, 414, 417, 431, 501, 505})
# Near enough for a search to find them, and wide enough for an ordinary request.
SMALL = Limits(request_line=60, fields=8, field_size=60, head=250, body=60)
WIDE = Limits()


class LawBroken(AssertionError):
    """A law does not hold; the message holds the bytes."""


class Message(NamedTuple):
    """One request that has come whole."""

    head: RequestHead
    body: bytes


def check(raw: bytes, pieces: Iterable[bytes], limits: Limits = WIDE) -> list[Message]:
    """Hold all laws against `raw`; the messages in it, or LawBroken."""
    pieces = list(pieces)
    try:
        events = read([raw], limits)
        _errors_are_last(raw, events)
        if plain(read(pieces, limits)) != plain(events):
            _broken("cutting changes what comes out", raw, pieces)
        if plain(read([raw], limits, well_read(raw, limits))) != plain(events):
            _broken("what was read before changes what comes out", raw)
        _whole_says_what_feed_says(raw, limits)
        found = messages(events)
        for message in found:
            _means_the_same_again(raw, message)
        if found:
            _means_the_same_to_h11(raw, found[0])
    except LawBroken:
        raise
    except Exception as error:
        raise LawBroken(f"{type(error).__name__}: {error}: {raw!r} as {pieces!r}") from error
    return found


def messages(events: Iterable[Event]) -> list[Message]:
    """The complete messages among `events`."""
    found: list[Message] = []
    head: RequestHead | None = None
    body: list[bytes] = []
    for event in events:
        if isinstance(event, RequestHead):
            head, body = event, []
        elif isinstance(event, bytes):
            body.append(event)
        elif event is END and head is not None:
            found.append(Message(head, b"".join(body)))
    return found


def encode(message: Message) -> bytes:
    """Write a request out from what was understood of it, a chunked body in chunks of 1 to 7."""
    head, body = message
    lines = [f"{head.method} {head.target} HTTP/{head.version}"]
    lines += [f"{_spelled(name)}: {value}" for name, value in _meaning(head.fields).items()]
    wire = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if not head.chunked:
        return wire + body
    at, size = 0, 1
    while at < len(body):
        block = body[at : at + size]
        wire += b"%x\r\n%b\r\n" % (len(block), block)
        at, size = at + size, size % 7 + 1
    return wire + b"0\r\n\r\n"


def _spelled(variable: str) -> str:
    return variable.removeprefix("HTTP_").replace("_", "-").title()


def _meaning(fields: dict[str, str]) -> dict[str, str]:
    """Fields as they are compared: a length without zeros ahead, an empty last member left out."""
    found = {name: value.strip(" \t") for name, value in fields.items()}
    if "CONTENT_LENGTH" in found:
        found["CONTENT_LENGTH"] = str(int(found["CONTENT_LENGTH"]))
    if "HTTP_TRANSFER_ENCODING" in found:
        found["HTTP_TRANSFER_ENCODING"] = found["HTTP_TRANSFER_ENCODING"].lower()
    return found


def _errors_are_last(raw: bytes, events: list[Event]) -> None:
    errors = [event for event in events if isinstance(event, ProtocolError)]
    if errors and (len(errors) > 1 or events[-1] is not errors[0]):
        _broken("an error is not the last event", raw)
    if any(error.status not in STATUSES for error in errors):
        _broken("an error has a status that is not for it", raw)
    if not errors:
        return
    parser = RequestParser(HeadReader(WIDE))
    parser.feed(raw)
    if parser.state is ParserState.CLOSED and (parser.feed(b"GET / ") or parser.resume()):
        _broken("something is read after the last message", raw)


def _whole_says_what_feed_says(raw: bytes, limits: Limits) -> None:
    short, long = RequestParser(HeadReader(limits)), RequestParser(HeadReader(limits))
    head = short.whole(raw)
    if head is None:
        if short.state is not ParserState.IDLE or plain(short.feed(raw)) != plain(long.feed(raw)):
            _broken("whole() took nothing, and left a trace", raw)
    elif plain([head, END]) != plain(long.feed(raw)):
        _broken("whole() and feed() read different requests", raw)
    if (short.state, short.waiting) != (long.state, long.waiting):
        _broken("whole() and feed() leave different states", raw)


def _means_the_same_again(raw: bytes, message: Message) -> None:
    """The plain spelling is the same request, to us and to h11 (H3-H7)."""
    wire = encode(message)
    again = messages(read([wire], Limits(None, None, None, None, None)))
    if len(again) != 1 or _facts(again[0]) != _facts(message):
        _broken("written out again it is another request to us", raw, wire)
    theirs = _read_by_h11(wire)
    if theirs is None or theirs != _seen(message):
        _broken("written out again it is another request to h11", raw, wire, theirs)


def _means_the_same_to_h11(raw: bytes, first: Message) -> None:
    theirs = _read_by_h11(raw.lstrip(b"\r\n"))
    if theirs is None:
        return  # h11 is stricter in places, and waits where we have limits of our own
    ours = _seen(first)
    if not first.head.target.startswith(("/", "*")):
        # RFC 9112 3.2.2: its authority is our Host, while h11 gives what was sent.
        theirs.fields.pop("HTTP_HOST", None)
        ours.fields.pop("HTTP_HOST", None)
    if theirs != ours:
        _broken("h11 reads another request", raw, theirs)


class _Seen(NamedTuple):
    method: str
    target: str
    version: str
    fields: dict[str, str]
    body: bytes


def _seen(message: Message) -> _Seen:
    head = message.head
    fields = _meaning(head.fields)
    return _Seen(head.method, head.target, head.version, fields, message.body)


def _facts(message: Message) -> tuple[object, ...]:
    head = message.head
    flags = (head.path, head.query, head.content_length, head.chunked)
    return *_seen(message), *flags, head.keep_alive, head.expect_continue


def _read_by_h11(wire: bytes) -> _Seen | None:
    """The first request in `wire` as h11 reads it; None where it refuses it, or waits for more."""
    peer = h11.Connection(h11.SERVER)
    body: list[bytes] = []
    try:
        peer.receive_data(wire)
        head = peer.next_event()
        if not isinstance(head, h11.Request):
            return None
        while isinstance(event := peer.next_event(), h11.Data):
            body.append(bytes(event.data))
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.EndOfMessage):
        return None
    sent = [(name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items()]
    fields = _meaning(FieldNames().join(sent))
    method, target = head.method.decode(), head.target.decode()
    return _Seen(method, target, head.http_version.decode(), fields, b"".join(body))


def _broken(law: str, raw: bytes, *more: object) -> NoReturn:
    raise LawBroken(" | ".join([law, repr(raw), *map(repr, more)]))

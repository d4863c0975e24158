"""What holds for anything that an application may answer, and the bytes that leave for it.

    check(answer)   runs an application that gives `answer` through Call and the real encoder

Either the application is told what is wrong, and its client never sees a complete response; or the
client, which is h11's, reads what was meant: the same status, fields and body, and nothing more
(P31, P32, P39-P41). `from_bytes` makes an answer of any bytes, for a coverage-guided search.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import h11

from aiowsgi.errors import ApplicationError
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.filewrapper import FileRegion
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.fuzz.request_laws import LawBroken

KINDS = ("list", "tuple", "generator", "write", "mixed", "again")
METHODS = ("GET", "HEAD", "POST")
VERSIONS = ("1.1", "1.0")
SEPARATOR = "\x1e"  # between the parts of an answer in bytes: no header may hold it either
OURS = {b"server", b"date", b"content-length", b"transfer-encoding", b"connection"}
DEFAULTS = ResponseDefaults("Server: ours\r\n", "Date: Sat, 21 Nov 2026 02:55:29 GMT\r\n")


class Answer(NamedTuple):
    """What an application gives, right or wrong, and to which request."""

    status: Any
    headers: Any
    blocks: list[Any]
    kind: str = "list"
    method: str = "GET"
    version: str = "1.1"
    keep_alive: bool = True

    def app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Be that application."""
        if self.kind == "generator":
            return self._late(start_response)
        if self.kind == "again":
            start_response("500 Before", [("X-Gone", "1")])
            try:
                raise ValueError("why it changed its mind")
            except ValueError:
                start_response(self.status, self.headers, sys.exc_info())
            return self.blocks
        write = start_response(self.status, self.headers)
        if self.kind in ("list", "tuple"):
            return self.blocks if self.kind == "list" else tuple(self.blocks)
        written = len(self.blocks) if self.kind == "write" else 1
        for block in self.blocks[:written]:
            write(block)
        return self.blocks[written:]

    def _late(self, start_response: StartResponse) -> Iterator[bytes]:
        start_response(self.status, self.headers)
        yield from self.blocks


class Wire:
    """An output that a Call fills with the bytes that a socket would get."""

    def __init__(self, answer: Answer) -> None:
        self.encoder = ResponseEncoder(answer.method, answer.version, answer.keep_alive, DEFAULTS)
        self.sent = b""

    def start(self, head: ResponseHead, block: bytes) -> None:
        self.sent += self.encoder.start(head) + b"".join(self.encoder.data(block))

    def data(self, block: bytes) -> None:
        self.sent += b"".join(self.encoder.data(block))

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        self.sent += b"".join(self.encoder.whole(head, blocks))

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        return False

    def end(self) -> None:
        self.sent += self.encoder.end()


def check(answer: Answer) -> bool:
    """Hold the law; whether the response was sent whole. LawBroken where it does not hold."""
    wire = Wire(answer)
    call = Call(answer.app, {}, wire, bodiless=answer.method == "HEAD")
    try:
        call.run()
    except ApplicationError:
        if not call.complete:
            _never_looks_complete(answer, wire)
            return False
    except Exception as error:
        raise LawBroken(f"{type(error).__name__}: {error}: {answer!r}") from error
    reads_as_meant(answer, wire)
    return True


def from_bytes(raw: bytes) -> Answer:
    """An answer out of any bytes: two bytes of choices, then parts with SEPARATOR between.

    The parts are the status, a name and a value by turns up to an empty name, then blocks.
    """
    choice = int.from_bytes(raw[:2].ljust(2, b"\0"), "little")
    text = raw[2:].decode("utf-8" if choice & 1 else "latin-1", "surrogateescape")
    status, *parts = text.split(SEPARATOR)
    headers = []
    while len(parts) > 1 and parts[0]:
        headers.append((parts[0], parts[1]))
        del parts[:2]
    blocks = [part.encode("utf-8", "surrogateescape") for part in parts[1:]]
    return Answer(
        status,
        headers,
        blocks,
        KINDS[(choice >> 1 & 7) % len(KINDS)],
        METHODS[(choice >> 8 & 3) % 3],
        VERSIONS[choice >> 10 & 1],
        bool(choice >> 11 & 1),
    )


def to_bytes(answer: Answer) -> bytes:
    """The bytes that `from_bytes` makes an answer of: for seeds."""
    choice = KINDS.index(answer.kind) << 1 | METHODS.index(answer.method) << 8
    choice |= VERSIONS.index(answer.version) << 10 | answer.keep_alive << 11
    fields = [part for field in answer.headers for part in field]
    blocks = [block.decode("latin-1") for block in answer.blocks]
    text = SEPARATOR.join([answer.status, *fields, "", *blocks])
    return choice.to_bytes(2, "little") + text.encode("latin-1")


def _never_looks_complete(answer: Answer, wire: Wire) -> None:
    if not wire.sent:
        return
    client = _client(answer)
    client.receive_data(wire.sent)
    announced, body = None, b""
    try:
        while (event := client.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                announced = dict(event.headers).get(b"content-length")
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif announced is None or int(announced) != len(body):
                _broken("an answer that failed looks complete", answer, wire)
            else:
                break  # all that was announced had been sent when the application failed
    except h11.RemoteProtocolError as error:
        _broken(f"h11: {error}", answer, wire)


def reads_as_meant(answer: Answer, wire: Wire) -> None:
    client = _client(answer)
    client.receive_data(wire.sent)
    if not wire.encoder.keep_alive:
        client.receive_data(b"")
    body = b""
    try:
        response = client.next_event()
        while isinstance(event := client.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError as error:
        _broken(f"h11: {error}", answer, wire)
    if not isinstance(response, h11.Response) or not isinstance(event, h11.EndOfMessage):
        _broken("an answer that did not fail is not complete", answer, wire)
    if client.trailing_data[0]:
        _broken("bytes follow the response", answer, wire)
    _has_the_head(answer, wire, response)
    if body != _meant_body(answer, response.status_code):
        _broken(f"the body is {body!r}", answer, wire)


def _has_the_head(answer: Answer, wire: Wire, response: h11.Response) -> None:
    code, _, reason = answer.status.partition(" ")
    if (response.status_code, bytes(response.reason)) != (int(code), reason.encode("latin-1")):
        _broken("the status is another one", answer, wire)
    dropped = {"connection"} | ({"content-length"} if response.status_code == 204 else set())
    meant = [
        (name.lower().encode(), value.encode("latin-1").strip(b" "))
        for name, value in answer.headers
        if name.lower() not in dropped
    ]
    theirs = list(response.headers)
    rest = theirs[len(meant) :]
    if theirs[: len(meant)] != meant or not {name for name, _ in rest} <= OURS:
        _broken(f"the fields are {theirs}", answer, wire)
    if len(rest) != len({name for name, _ in rest}):
        _broken("a field of ours is there twice", answer, wire)
    if ((b"connection", b"close") in rest) is wire.encoder.keep_alive:
        _broken("the client is told otherwise than the connection is kept", answer, wire)


def _meant_body(answer: Answer, status: int) -> bytes:
    if answer.method == "HEAD" or status in (204, 304):
        return b""
    body = b"".join(block for block in answer.blocks if isinstance(block, bytes))
    lengths = [int(value) for name, value in answer.headers if name.lower() == "content-length"]
    return body[: lengths[0]] if lengths else body


def _client(answer: Answer) -> h11.Connection:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=answer.method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    return client


def _broken(law: str, answer: Answer, wire: Wire) -> NoReturn:
    raise LawBroken(f"{law} | {answer!r} | {wire.sent!r}")

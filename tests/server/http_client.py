"""A client of raw bytes on a plain socket, and the applications that the tests of HTTP serve."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple

from aiowsgi.server.connection import Connection
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live

LOOPS = ["uvloop", "asyncio"]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def get(*fields: bytes, target: bytes = b"/") -> bytes:
    """A GET with these field lines after its Host."""
    lines = b"".join(line + b"\r\n" for line in fields)
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (target, lines)


def post(length: int, *fields: bytes, body: bytes = b"") -> bytes:
    """The head of a POST that announces `length` bytes, and those that come with it."""
    return get(b"Content-Length: %d" % length, *fields).replace(b"GET", b"POST", 1) + body


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the body of the request, or with its path where it has none."""
    body = environ["wsgi.input"].read() or environ["PATH_INFO"].encode("latin-1")
    start_response("200 OK", [("X-Method", environ["REQUEST_METHOD"])])
    return [body]


def same(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the body of the request and nothing else."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


def deaf(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer without a look at the body."""
    start_response("200 OK", [])
    return [b"heard nothing"]


class Answer(NamedTuple):
    """One response; names of fields in lower case; `whole`: its framing was honoured to the end."""

    status: int
    fields: dict[str, str]
    body: bytes
    whole: bool = True


class Peer:
    """One connection, closed at the end of its block."""

    def __init__(self, server: Live, *, receive: int | None = None) -> None:
        self.socket = socket.socket()
        if receive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", server.port))
        self._stream = self.socket.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()
        self.socket.close()

    def send(self, raw: bytes) -> None:
        """Send these bytes."""
        self.socket.sendall(raw)

    def half_close(self) -> None:
        """Say that nothing more will come."""
        self.socket.shutdown(socket.SHUT_WR)

    def ask(self, raw: bytes, method: str = "GET") -> Answer:
        """Send these bytes and read one response."""
        self.send(raw)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """Read one response. Raises EOFError where the server closes instead."""
        line = self._stream.readline()
        if not line:
            raise EOFError("closed")
        version, code, _ = line.split(b" ", 2)
        assert version == b"HTTP/1.1"
        status, fields = int(code), self._fields()
        if method == "HEAD" or status < 200 or status in (204, 304):
            return Answer(status, fields, b"")
        if fields.get("transfer-encoding") == "chunked":
            return Answer(status, fields, *self._chunks())
        if "content-length" not in fields:
            return Answer(status, fields, self._stream.read())
        length = int(fields["content-length"])
        body = self._stream.read(length)
        return Answer(status, fields, body, len(body) == length)

    def _fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while (line := self._stream.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), "the head is cut"
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in fields, f"{name} is there twice"
            fields[name.lower()] = value.strip()
        return fields

    def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        while line := self._stream.readline():
            size = int(line, 16)
            data = self._stream.read(size + 2)
            body += data[:size]
            if data[size:] != b"\r\n":
                return body, False
            if not size:
                return body, True
        return body, False

    def rest(self) -> bytes:
        """Everything that still comes until the server closes in order."""
        return self._stream.read()

    def reset(self) -> bool:
        """Whether the end is a reset and not an orderly close; what comes before it is dropped."""
        try:
            self._stream.read()
        except ConnectionResetError:
            return True
        return False

    def wait_for_the_end(self, seconds: float) -> bool:
        """Whether the server resets or closes for good within this time."""
        poll = select.poll()
        poll.register(self.socket, 0)  # POLLHUP and POLLERR are always reported
        return bool(poll.poll(seconds * 1000))

    def readable(self, seconds: float = 0) -> bool:
        """Whether something has come that was not read, or comes within this time."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def peek_until(self, end: bytes) -> bytes:
        """What has come when `end` has; it stays unread."""
        while end not in (data := self.socket.recv(65536, socket.MSG_PEEK)):
            assert data, "closed"
        return data

    def send_until_it_stalls(self, raw: bytes) -> int:
        """Send until nothing more is taken for a while; how much was."""
        self.socket.setblocking(False)
        sent = 0
        while sent < len(raw) and self._is_taken():
            sent += self.socket.send(raw[sent : sent + 65536])
        self.socket.settimeout(10)
        return sent

    def _is_taken(self) -> bool:
        # Not in one go: a moment in which the machine runs none of us would be the whole of it.
        return any(select.select([], [self.socket], [], 0.02)[1] for _ in range(15))

    def hurry(self) -> None:
        """Be a slow reader no more."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)


def connections(server: Live) -> list[Connection]:
    """The connections of a running server, from the inside."""
    service: Any = server.server._service
    return list(service.connections)


def turn_of_the_loop(server: Live) -> None:
    """Return when the server's loop has seen all that was sent before the call."""
    for _ in range(2):
        with Peer(server) as peer:
            assert peer.ask(b"nonsense\r\n\r\n").status == 400

"""A client on a plain socket: it reads one response by its framing and says whether it was whole.

The applications below are the ones that several tests of `tests/server/test_wsgi_*` serve.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.live import Live, live

TEXT = [("Content-Type", "text/plain")]
LOOPS = ["uvloop", "asyncio"]


class Answer(NamedTuple):
    """One response; names of fields in lower case, repeated ones joined by a line feed."""

    status: int
    fields: dict[str, str]
    body: bytes
    complete: bool


class Client:
    """One connection; closed at the end of its block."""

    def __init__(self, server: Live, timeout: float = 10) -> None:
        self.socket = server.connect(timeout)
        self._stream = self.socket.makefile("rb", buffering=0)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self.socket.close()

    def reset(self) -> None:
        """Leave without a word: the kernel sends a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(
        self,
        method: str = "GET",
        target: str = "/",
        *,
        fields: Iterable[str] = (),
        body: bytes = b"",
        version: str = "1.1",
    ) -> None:
        lines = [f"{method} {target} HTTP/{version}", "Host: test", *fields, "", ""]
        self.socket.sendall("\r\n".join(lines).encode("latin-1") + body)

    def ask(
        self,
        method: str = "GET",
        target: str = "/",
        *,
        fields: Iterable[str] = (),
        body: bytes = b"",
        version: str = "1.1",
    ) -> Answer:
        """Send one request and read its response."""
        self.send(method, target, fields=fields, body=body, version=version)
        return self.read(bodiless=method == "HEAD")

    def upload(self, body: bytes, target: str = "/", *, chunked: bool = False) -> Answer:
        """Send a body, sized or in chunks of 1000 bytes."""
        if not chunked:
            return self.ask("POST", target, fields=[f"Content-Length: {len(body)}"], body=body)
        return self.ask("POST", target, fields=["Transfer-Encoding: chunked"], body=in_chunks(body))

    def read(self, *, bodiless: bool = False) -> Answer:
        """Read the next response."""
        status, fields = self.head()
        if bodiless or status in (204, 304) or status < 200:
            return Answer(status, fields, b"", True)
        if "transfer-encoding" in fields:
            assert fields["transfer-encoding"] == "chunked"
            assert "content-length" not in fields
            return Answer(status, fields, *self._chunked())
        if "content-length" in fields:
            size = int(fields["content-length"])
            body = self.exactly(size)
            return Answer(status, fields, body, len(body) == size)
        body, whole = self.rest()
        return Answer(status, fields, body, whole)

    def head(self) -> tuple[int, dict[str, str]]:
        """Read a status line and the header section after it."""
        status = self.line()
        assert status.startswith(b"HTTP/1.1 "), status
        fields: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(": ")
            key = name.lower()
            fields[key] = f"{fields[key]}\n{value}" if key in fields else value
        return int(status[9:12]), fields

    def line(self) -> bytes:
        """Read a line that ends in CRLF; without it."""
        found = b""
        while not found.endswith(b"\r\n"):
            byte = self._stream.read(1)
            if not byte:
                return found
            found += byte
        return found[:-2]

    def exactly(self, size: int) -> bytes:
        """Read `size` bytes, or fewer where the connection ends before."""
        pieces = []
        while size:
            try:
                piece = self._stream.read(min(size, 65536))
            except ConnectionResetError:
                break
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def rest(self) -> tuple[bytes, bool]:
        """Read until the connection ends; whether it ended in good order."""
        data = b""
        try:
            while piece := self._stream.read(65536):
                data += piece
        except ConnectionResetError:
            return data, False
        return data, True

    def ended(self) -> bool:
        """Whether the server has closed, having sent nothing more; waits for either."""
        return self.exactly(1) == b""

    def chunk(self) -> bytes:
        """Read one chunk of a chunked body; empty for the last one, and at the connection's end."""
        try:
            line = self.line()
        except ConnectionResetError:
            return b""
        if not line:
            return b""
        block = self.exactly(int(line, 16))
        assert self.line() == b""
        return block

    def _chunked(self) -> tuple[bytes, bool]:
        body = b""
        while True:
            try:
                line = self.line()
            except ConnectionResetError:
                return body, False
            if not line:
                return body, False
            size = int(line, 16)
            body += self.exactly(size)
            if self.line() != b"" or size == 0:
                return body, size == 0


def in_chunks(body: bytes, size: int = 1000, trailers: Sequence[bytes] = ()) -> bytes:
    """Frame a body as RFC 9112 7.1 says."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


def ask(app: WSGIApplication, method: str = "GET", version: str = "1.1") -> Answer:
    """Serve `app` for one request."""
    with live(app) as server, Client(server) as client:
        return client.ask(method, version=version)


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return [b"hello"]


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"hel"
    yield b""
    yield b"lo"

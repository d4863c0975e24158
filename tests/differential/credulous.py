"""A front that believes what it likes best and passes on every byte: nothing is cleaned behind it.

Each kind reads the end of a request in one way that real proxies have had. Its stamp and its one
connection to the back are as the real fronts' are.
"""

from __future__ import annotations

import itertools
import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import BinaryIO

from tests.differential.fronts import SECRET, Front

_ids = itertools.count()


class Belief(Enum):
    """By what a front ends a request."""

    FIRST_LENGTH = "the first Content-Length, whatever else is there"
    LAST_LENGTH = "the last Content-Length, whatever else is there"
    CHUNKED = "chunks, where the head holds both words, else the last Content-Length"


class Credulous:
    """Serves one client after the other on a unix socket, and the back over one connection."""

    def __init__(self, path: str, back: int, belief: Belief) -> None:
        self._back = back
        self._belief = belief
        self._to_back: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                with suppress(OSError, ValueError), client, client.makefile("rb") as stream:
                    while self._one(client, stream):
                        pass

    def _one(self, client: socket.socket, stream: BinaryIO) -> bool:
        """Pass on one request and its answer; whether another may follow."""
        line = stream.readline()
        fields = list(iter(stream.readline, b"\r\n"))[:200] if line else []
        if not line or not all(fields):
            return False
        body = self._body(stream, b"".join(fields))
        method, target, _ = line.decode("latin-1").split(" ", 2)
        own = next(_ids)
        stamp = f"X-Front: {SECRET}/{own} {method} {target} {self._host(fields)}\r\n"
        request = line + stamp.encode("latin-1") + b"".join(fields) + b"\r\n" + body
        client.sendall(self._ask(request, method).replace(b"\r\n", b"\r\nX-Asked: %d\r\n" % own, 1))
        return b"connection: close" not in request.lower()

    @staticmethod
    def _host(fields: list[bytes]) -> str:
        hosts = [field[5:].strip() for field in fields if field[:5].lower() == b"host:"]
        return hosts[0].decode("latin-1") if hosts else ""

    def _body(self, stream: BinaryIO, fields: bytes) -> bytes:
        wide = re.search(rb"transfer-encoding.*chunked", fields.lower(), re.DOTALL)
        if wide and self._belief is Belief.CHUNKED:
            body = b""
            while size := int((line := stream.readline()).partition(b";")[0], 16):
                body += line + stream.read(size) + stream.readline()
            return body + line + stream.readline()
        lengths = re.findall(rb"content-length\s*:\D*(\d+)", fields.lower())
        if not lengths:
            return b""
        length = int(lengths[0 if self._belief is Belief.FIRST_LENGTH else -1])
        return stream.read(min(length, 1 << 20))  # no case has more

    def _ask(self, request: bytes, method: str) -> bytes:
        """The back's answer; the connection is kept unless it says close."""
        if self._to_back is None:
            self._to_back = socket.create_connection(("127.0.0.1", self._back), 10)
        self._to_back.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = self._to_back.recv(1)  # no byte of the next answer
            if not more:
                break
            answer += more
        length = re.search(rb"content-length: (\d+)", answer.lower())
        missing = int(length[1]) if length and method != "HEAD" else 0
        while missing and (more := self._to_back.recv(missing)):
            answer += more
            missing -= len(more)
        if not answer or b"connection: close" in answer.lower():
            self.drop()
        return answer

    def drop(self) -> None:
        """Close the connection to the back."""
        if self._to_back is not None:
            self._to_back.close()
            self._to_back = None

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        self.drop()


@contextmanager
def credulous(back: int, belief: Belief) -> Iterator[Front]:
    """Stand in front of the port `back` for as long as the block runs."""
    with tempfile.TemporaryDirectory() as home:
        running = Credulous(f"{home}/front", back, belief)
        try:
            yield Front(f"{home}/front")
        finally:
            running.close()

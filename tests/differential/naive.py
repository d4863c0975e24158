"""A back with a fault, of the kinds that real servers have had: what the oracle is there to catch.

It reads lines, skips what is no request line, and has no limits.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import BinaryIO

from tests.differential.oracle import Record, Seen


class Fault(Enum):
    """What a back does wrong."""

    NONE = "nothing"
    NO_CHUNKS = "it has never heard of Transfer-Encoding"
    NO_BODY_OF_GET = "it reads no body where the method is GET"
    FIRST_LENGTH = "it takes the first Content-Length of two"
    ANY_ENCODING = "it finds chunked in every Transfer-Encoding that holds the word"
    NO_TRAILERS = "it ends a chunked body at the line of its last chunk"
    LATE_ANSWERS = "it answers each request with the answer to the one before"
    LOSES_BYTES = "it reads the body right and keeps half"


Fields = list[tuple[str, str]]


class Naive:
    """One listening socket, a thread for each connection."""

    def __init__(self, record: Record, fault: Fault) -> None:
        self._record = record
        self._fault = fault
        self._before = "unsent"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, (_, port) = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(peer, port))
                self._open.append(peer)
                self._threads.append(thread)
                thread.start()

    def _serve(self, peer: socket.socket, port: int) -> None:
        with suppress(OSError), peer, peer.makefile("rb") as stream:
            while line := stream.readline():
                words = line.decode("latin-1").split()
                if len(words) != 3:
                    continue
                seen = self._read(stream, port, words)
                answer = self._before if self._fault is Fault.LATE_ANSWERS else seen.id
                self._before = seen.id or "unsent"
                body = seen.target.encode("latin-1")
                head = f"HTTP/1.1 200 OK\r\nX-Seen: {answer}\r\nContent-Length: {len(body)}\r\n\r\n"
                peer.sendall(head.encode("latin-1") + (b"" if seen.method == "HEAD" else body))

    def _read(self, stream: BinaryIO, port: int, words: list[str]) -> Seen:
        fields: Fields = []
        while (line := stream.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name.strip().lower(), value.strip()))
        method, target, _ = words
        first = dict(reversed(fields))
        seen = Seen(port, first.get("x-front", ""), method, target, first.get("host", ""))
        self._record.seen.append(seen)
        body = self._body(stream, method, fields)
        seen.body = body[: len(body) // 2] if self._fault is Fault.LOSES_BYTES else body
        return seen

    def _body(self, stream: BinaryIO, method: str, fields: Fields) -> bytes:
        encodings = [value.lower() for name, value in fields if name == "transfer-encoding"]
        lengths = [value for name, value in fields if name == "content-length"]
        if method == "GET" and self._fault is Fault.NO_BODY_OF_GET:
            return b""
        wide = self._fault is Fault.ANY_ENCODING and "chunked" in " ".join(encodings)
        if wide or (encodings == ["chunked"] and self._fault is not Fault.NO_CHUNKS):
            return self._chunks(stream)
        if not lengths:
            return b""
        return stream.read(int(lengths[0 if self._fault is Fault.FIRST_LENGTH else -1]))

    def _chunks(self, stream: BinaryIO) -> bytes:
        body = b""
        while size := int(stream.readline().partition(b";")[0] or b"0", 16):
            body += stream.read(size)
            stream.readline()
        while self._fault is not Fault.NO_TRAILERS and stream.readline().strip():
            pass
        return body

    def close(self) -> None:
        """Cut every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        self._listener.close()
        for peer in self._open:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)


@contextmanager
def naive(record: Record, fault: Fault) -> Iterator[Naive]:
    """Serve with this fault for as long as the block runs."""
    running = Naive(record, fault)
    try:
        yield running
    finally:
        running.close()

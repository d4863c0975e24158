"""The WSGI application of the soak: each answer names its own request, so that a mix-up shows."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from benchmarks.apps import Environ, Start

BLOCK = 10_000
ON_PURPOSE = "on purpose"
EVENT = b"data: tick\n\n"
BETWEEN = 0.5  # seconds between two events


def expected(name: str, body: bytes, pad: int) -> bytes:
    """What the answer to a request must be: its name, the digest of its body, and a pad."""
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return f"{name} {digest} ".encode() + b"x" * pad


def digest(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """As a list, block by block, or as a file, as the client asks."""
    body: bytes = environ["wsgi.input"].read()
    answer = expected(environ["QUERY_STRING"], body, int(environ.get("HTTP_X_PAD", "0")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    how = environ.get("HTTP_X_HOW")
    if how == "blocks":
        return (answer[at : at + BLOCK] for at in range(0, len(answer), BLOCK))
    if how == "file":
        wrapper: Callable[[IO[bytes], int], Iterable[bytes]] = environ["wsgi.file_wrapper"]
        return wrapper(file_of(answer), BLOCK)
    return [answer]


def file_of(answer: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    file.write(answer)
    file.seek(0)
    return file


def events(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return ticks()


def ticks() -> Iterator[bytes]:
    while True:
        yield EVENT
        time.sleep(BETWEEN)


def fail(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Fails before its head, or behind it with what was begun cut."""
    if environ["QUERY_STRING"] == "late":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return failing()
    raise RuntimeError(ON_PURPOSE)


def failing() -> Iterator[bytes]:
    yield b"begun"
    raise RuntimeError(ON_PURPOSE)


VIEWS: dict[str, Callable[[Environ, Start], Iterable[bytes]]] = {
    "/events": events,
    "/fail": fail,
}


def wsgi(environ: Environ, start_response: Start) -> Iterable[bytes]:
    return VIEWS.get(environ["PATH_INFO"], digest)(environ, start_response)

"""The WSGI application of the ladder and of tests like it: a small answer, and what holds clients.

Bodies are made anew for each request, as real views do, so that a server that keeps them whole
for its deaf readers shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from benchmarks.apps import Environ, Start, answer, hello

KIB64 = 64 * 1024
MIB4 = 4 * 1024 * 1024
MIB64 = 64 * 1024 * 1024
EVENT = b"data: tick\n\n"
BETWEEN = 1.0  # seconds between two events


def mib4(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """A large page: one block."""
    return answer(start_response, b"x" * MIB4)


def mib64(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """A download: block by block, of a length that is known."""
    start_response(
        "200 OK",
        [("Content-Type", "application/octet-stream"), ("Content-Length", str(MIB64))],
    )
    return (b"x" * KIB64 for _ in range(MIB64 // KIB64))


def upload(environ: Environ, start_response: Start) -> Iterable[bytes]:
    length = int(environ["CONTENT_LENGTH"])
    return answer(start_response, str(len(environ["wsgi.input"].read(length))).encode())


def events(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return ticks()


def ticks() -> Iterator[bytes]:
    while True:
        yield EVENT
        time.sleep(BETWEEN)


VIEWS: dict[str, Callable[[Environ, Start], Iterable[bytes]]] = {
    "/4m": mib4,
    "/64m": mib64,
    "/upload": upload,
    "/events": events,
}


def wsgi(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Every path without a view of its own says hello."""
    return VIEWS.get(environ["PATH_INFO"], hello)(environ, start_response)

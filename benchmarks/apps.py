"""The WSGI applications under load: one callable, one view per path, the same for every server.

The views do no work of their own beyond what their workload names, so that what is measured is the
server. `benchmarks/asgi_apps.py` gives the same answers as a native ASGI application.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]

HELLO = b"Hello, world!\n"
KIB10 = b"x" * (10 * 1024)
MIB1 = b"x" * (1024 * 1024)
BLOCKS = 64
FILE_VARIABLE = "BENCHMARK_FILE"  # names the file of 10 MiB; the runner makes it
FILE_BLOCK = 64 * 1024
SLEEP = 0.010
SLOW = 0.020
CPU_STEPS = 20_000
CPU_ANSWER = str(sum(step * step for step in range(CPU_STEPS))).encode()


def answer(start_response: Start, body: bytes) -> list[bytes]:
    start_response(
        "200 OK",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]


def hello(environ: Environ, start_response: Start) -> Iterable[bytes]:
    return answer(start_response, HELLO)


def kib10(environ: Environ, start_response: Start) -> Iterable[bytes]:
    return answer(start_response, KIB10)


def mib1(environ: Environ, start_response: Start) -> Iterable[bytes]:
    return answer(start_response, MIB1)


def stream(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """No Content-Length: the server frames each block as it comes."""
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return (KIB10 for _ in range(BLOCKS))


def post(environ: Environ, start_response: Start) -> Iterable[bytes]:
    body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return answer(start_response, str(len(body)).encode())


def sleep(environ: Environ, start_response: Start) -> Iterable[bytes]:
    time.sleep(SLEEP)
    return answer(start_response, HELLO)


def slow(environ: Environ, start_response: Start) -> Iterable[bytes]:
    time.sleep(SLOW)
    return answer(start_response, HELLO)


def cpu(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """About a millisecond of Python that never lets go of the GIL by itself."""
    return answer(start_response, str(sum(step * step for step in range(CPU_STEPS))).encode())


def file(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """As frameworks do it: the server's wrapper where there is one, else block by block."""
    opened = open(os.environ[FILE_VARIABLE], "rb")  # noqa: SIM115 - the server closes it
    length = os.fstat(opened.fileno()).st_size
    start_response(
        "200 OK",
        [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))],
    )
    wrapper: Callable[[IO[bytes], int], Iterable[bytes]] | None
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(opened, FILE_BLOCK) if wrapper else blocks(opened)


def blocks(opened: IO[bytes]) -> Iterator[bytes]:
    with opened:
        while block := opened.read(FILE_BLOCK):
            yield block


VIEWS: dict[str, Callable[[Environ, Start], Iterable[bytes]]] = {
    "/10k": kib10,
    "/1m": mib1,
    "/stream": stream,
    "/post": post,
    "/sleep": sleep,
    "/slow": slow,
    "/cpu": cpu,
    "/file": file,
}


def wsgi(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Every path without a view of its own says hello: those of changing paths too."""
    return VIEWS.get(environ["PATH_INFO"], hello)(environ, start_response)

"""The application under attack: a small answer, large ones of every kind, and what streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from aiowsgi.wsgi.types import Environ, StartResponse

KIB64 = b"x" * 65_536
MIB64 = 64 * 1024 * 1024
SMALL = b"small"


class Target:
    """Answers by path; counts how many bodies it began and how many were closed, for any thread."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "large"
        with self._file.open("wb") as file:
            file.truncate(MIB64)
        self._lock = threading.Lock()
        self.begun = self.closed = self.refused = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            return self.upload(environ, start_response)
        path = environ["PATH_INFO"]
        kind = "text/event-stream" if path == "/events" else "application/octet-stream"
        start_response("200 OK", [("Content-Type", kind)])
        if path == "/list":
            return [KIB64] * (MIB64 // len(KIB64))
        if path == "/file":
            wrapper: Callable[[Any, int], Iterable[bytes]] = environ["wsgi.file_wrapper"]
            return wrapper(self._file.open("rb"), len(KIB64))
        if path == "/generator":
            return self.counted(KIB64 for _ in range(MIB64 // len(KIB64)))
        if path == "/endless":
            return self.counted(iter(lambda: KIB64, b""))
        if path == "/events":
            return self.counted(self.events())
        return [SMALL]

    def upload(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            size = len(environ["wsgi.input"].read())
        except ConnectionError:
            with self._lock:
                self.refused += 1
            raise
        start_response("200 OK", [])
        return [b"%d" % size]

    def events(self) -> Iterator[bytes]:
        tick = threading.Event()  # never set: it waits as a view that has nothing to tell yet
        while True:
            yield b"data: tick\n\n"
            tick.wait(0.2)

    def counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        with self._lock:
            self.begun += 1
        try:
            yield from blocks
        finally:
            with self._lock:
                self.closed += 1

"""Applications and bodies that several tests use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

OK = "200 OK"
TEXT = [("Content-Type", "text/plain")]
ERRORS = "aiowsgi.error"


def returning(result: Any, length: int | None = None, status: str = OK) -> WSGIApplication:
    """Make an application that returns `result`, with a Content-Length where one is given."""
    fields = TEXT.copy()
    if length is not None:
        fields.append(("Content-Length", str(length)))

    def app(environ: Environ, start_response: StartResponse) -> Any:
        start_response(status, fields)
        return result

    return app


class Closed:
    """Blocks, a close() that is counted, and one that may fail."""

    def __init__(self, *blocks: bytes, error: BaseException | None = None) -> None:
        self.blocks = blocks
        self.error = error
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)

    def close(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error

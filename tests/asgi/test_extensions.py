"""What a host may offer beyond the protocol: early hints, files by their names (A14, P45)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, Given, StartResponse
from tests.asgi.host import ask, scope


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def hinting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload"), ("X-Other", "1")])
    return hello(environ, start_response)


async def test_early_hints_go_where_they_are_offered() -> None:
    """A14."""
    offered = scope(extensions={"http.response.early_hint": {}})
    host = await ask(WSGIMiddleware(hinting), offered)
    assert host.sent[0] == {
        "type": "http.response.early_hint",
        "links": [b"</a.css>; rel=preload"],
    }
    assert len((await ask(WSGIMiddleware(hinting), scope())).sent) == 2


class Files:
    """Serves a part of a file."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def __call__(self, environ: Environ, start_response: StartResponse) -> Given:
        file = self.path.open("rb")
        file.seek(self.offset)
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)


async def test_a_file_goes_by_its_name_where_that_is_offered(tmp_path: Path) -> None:
    """A14, P45."""
    path = tmp_path / "file"
    path.write_bytes(os.urandom(600_000))
    offered = scope(extensions={"http.response.pathsend": {}})
    host = await ask(WSGIMiddleware(Files(path)), offered)
    if sys.platform == "linux":
        assert host.sent[1] == {"type": "http.response.pathsend", "path": str(path)}
    assert host.headers[b"content-length"] == b"600000"
    part = await ask(WSGIMiddleware(Files(path, 100)), offered)
    assert part.body == path.read_bytes()[100:]
    plain = await ask(WSGIMiddleware(Files(path)), scope())
    assert plain.body == path.read_bytes()

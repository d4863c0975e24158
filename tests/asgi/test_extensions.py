"""What a host may offer beyond the protocol: early hints, files by their names (A14, P45)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, Given, StartResponse
from tests.asgi.host import Host, ask, scope


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


async def test_a_file_is_read_no_further_once_the_client_left(tmp_path: Path) -> None:
    """A7: where `send` is a silent no-op that never waits, too."""
    path = tmp_path / "file"
    path.write_bytes(bytes(50 * 1024 * 1024))
    host, seen = Host(), 0

    async def send(message: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            host.leave()

    await asyncio.wait_for(WSGIMiddleware(Files(path))(scope(), host.receive, send), 10)
    assert seen < 20


async def test_a_host_that_refuses_the_head_of_a_file_leaves_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S6."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    made: list[int] = []

    def dup(fileno: int, real: Any = os.dup) -> int:
        made.append(real(fileno))
        return made[-1]

    async def send(message: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(os, "dup", dup)
    host = Host()
    with pytest.raises(OSError, match="gone"):
        await WSGIMiddleware(Files(path))(scope(), host.receive, send)
    assert len(made) == 1
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(made[0])


async def test_a_file_that_others_read_too_is_sent_from_its_own_place(tmp_path: Path) -> None:
    """P45: duplicates of a descriptor share its position."""
    path = tmp_path / "file"
    path.write_bytes(os.urandom(600_000))
    with path.open("rb") as shared:

        def app(environ: Environ, start_response: StartResponse) -> Given:
            start_response("200 OK", [])
            return environ["wsgi.file_wrapper"](os.fdopen(os.dup(shared.fileno()), "rb"))

        host = Host()

        async def send(message: Any) -> None:
            await host.send(message)
            shared.seek(500_000)

        await asyncio.wait_for(WSGIMiddleware(app)(scope(), host.receive, send), 10)
    assert host.body == path.read_bytes()

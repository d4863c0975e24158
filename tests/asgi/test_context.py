"""What an exchange gets of its host's context, and what it keeps alive (P30, P46, S20)."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.asgi.host import Host, ask, scope

name: ContextVar[str] = ContextVar("name", default="nobody")


def tells(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Says who is there in the call and in the iteration, and then is somebody itself."""
    start_response("200 OK", [])
    yield name.get().encode()
    name.set("the application")
    yield b", " + name.get().encode()


async def test_what_the_host_has_set_for_a_request_is_there_and_comes_not_back() -> None:
    """P46: traces and the like, which middleware around the mount has begun."""
    middleware = WSGIMiddleware(tells, threads=1)

    async def one(who: str) -> bytes:
        name.set(who)
        body = (await ask(middleware, scope())).body
        assert name.get() == who
        return body

    answers = await asyncio.gather(one("alice"), one("bob"))
    assert list(answers) == [b"alice, the application", b"bob, the application"]
    assert (await ask(middleware, scope())).body == b"nobody, the application"


class Mark(dict[str, Any]):
    """A scope whose end can be seen."""


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


@pytest.mark.parametrize("app", [echo, tells])
@pytest.mark.parametrize("buffering", [True, False])
async def test_a_request_that_is_over_is_freed_without_the_garbage_collector(
    app: Any, buffering: bool
) -> None:
    """P30, S20."""
    middleware = WSGIMiddleware(app, request_buffering=buffering, spool_threshold=10)
    gone = asyncio.Event()
    gc.collect()
    gc.disable()
    try:
        of = Mark(scope(method="POST"))
        loop = asyncio.get_running_loop()
        weakref.finalize(of, loop.call_soon_threadsafe, gone.set)
        host = Host(b"x" * 8, b"x" * 8)
        await middleware(of, host.receive, host.send)
        del of
        await asyncio.wait_for(gone.wait(), 10)
    finally:
        gc.enable()

"""What an application raises is for the host to answer, or to cut (A20, P40, P43)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.asgi.host import Host, scope


class Odd(Exception):
    """An application's own."""


@pytest.mark.parametrize("error", [Odd("why"), KeyError(1)])
async def test_an_error_before_the_head_is_the_hosts(error: Exception) -> None:
    """DESIGN: the host answers 500; nothing was sent."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    host = Host()
    with pytest.raises(type(error)) as caught:
        await WSGIMiddleware(app)(scope(), host.receive, host.send)
    assert caught.value is error
    assert host.sent == []


@pytest.mark.parametrize(
    "error",
    [
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        StopIteration(),
        asyncio.CancelledError(),
    ],
)
async def test_what_would_end_the_host_is_an_ordinary_error(error: BaseException) -> None:
    """A20, P44."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    host = Host()
    with pytest.raises(ApplicationError, match=type(error).__name__) as caught:
        await WSGIMiddleware(app)(scope(), host.receive, host.send)
    assert caught.value.__cause__ is error


async def test_an_error_after_the_head_is_raised_and_the_response_has_no_end() -> None:
    """P43: so that the host cuts it."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"some"
        raise Odd("late")

    host = Host()
    with pytest.raises(Odd):
        await WSGIMiddleware(app)(scope(), host.receive, host.send)
    assert not host.over


async def test_a_short_body_is_an_error_and_has_no_end() -> None:
    """P40."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "10")])
        return iter([b"short"])

    host = Host()
    with pytest.raises(ApplicationError, match="5 bytes short"):
        await WSGIMiddleware(app)(scope(), host.receive, host.send)
    assert not host.over

"""WSGIMiddleware without a server: below the middleware of Starlette, asked by httpx in process."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, StartResponse


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Gives the body back, in blocks where the path says so."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (body for _ in range(50)) if environ["PATH_INFO"] == "/blocks" else [body]


async def marking(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers["X-Marked"] = "yes"
    return response


@pytest.mark.parametrize("squeezed", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 2])
async def test_middleware_that_wraps_receive_and_send_changes_nothing(
    depth: int, squeezed: bool
) -> None:
    """A6, A12: each layer has tasks of its own, between the host's and ours."""
    layers = [Middleware(BaseHTTPMiddleware, dispatch=marking)] * depth
    layers += [Middleware(GZipMiddleware)] * squeezed
    mount = Mount("/legacy", app=WSGIMiddleware(app, threads=2))
    transport = httpx.ASGITransport(Starlette(routes=[mount], middleware=layers))
    async with httpx.AsyncClient(transport=transport, base_url="http://example.org") as client:
        for _ in range(3):
            answer = await client.post("/legacy/list", content=b"a body")
            assert (answer.text, "x-marked" in answer.headers) == ("a body", depth > 0)
            answer = await client.post("/legacy/blocks", content=b"0123456789" * 100)
            assert answer.text == "0123456789" * 5000

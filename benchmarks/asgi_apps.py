"""The answers of `benchmarks/apps.py` as a native ASGI application, and the bridge of a2wsgi.

There are no views that wait: one that blocked would stop the loop, and one that awaits is other
work than what a WSGI application does.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import apps

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS_VARIABLE = "BENCHMARK_THREADS"
TEXT = (b"content-type", b"text/plain; charset=utf-8")


async def native(scope: Scope, receive: Receive, send: Send) -> None:
    path: str = scope["path"]
    if path == "/stream":
        await stream(send)
    elif path == "/file":
        await file(send)
    elif path == "/post":
        await answer(send, str(await length(receive)).encode())
    elif path == "/cpu":
        await answer(send, str(sum(step * step for step in range(apps.CPU_STEPS))).encode())
    else:
        await answer(send, {"/10k": apps.KIB10, "/1m": apps.MIB1}.get(path, apps.HELLO))


async def start(send: Send, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answer(send: Send, body: bytes) -> None:
    await start(send, TEXT, (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.body", "body": body})


async def stream(send: Send) -> None:
    await start(send, TEXT)
    for _ in range(apps.BLOCKS):
        await send({"type": "http.response.body", "body": apps.KIB10, "more_body": True})
    await send({"type": "http.response.body"})


async def length(receive: Receive) -> int:
    total, more = 0, True
    while more:
        message = await receive()
        total += len(message.get("body", b""))
        more = message.get("more_body", False)
    return total


async def file(send: Send) -> None:
    opened = open(os.environ[apps.FILE_VARIABLE], "rb")  # noqa: ASYNC230, SIM115 - a cached file
    size = os.fstat(opened.fileno()).st_size
    content_type = (b"content-type", b"application/octet-stream")
    await start(send, content_type, (b"content-length", str(size).encode()))
    for block in apps.blocks(opened):
        await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body"})


def bridged() -> Any:
    """The WSGI application behind a2wsgi; a factory, so that only uvicorn's process needs it."""
    from a2wsgi import WSGIMiddleware

    app: Any = apps.wsgi  # it types environ by a class of its own
    return WSGIMiddleware(app, workers=int(os.environ[THREADS_VARIABLE]))

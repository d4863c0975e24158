"""WSGIMiddleware: a WSGI application as an ASGI application (ASGI 3)."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import time
from concurrent.futures import Executor

from aiowsgi.asgi.request import Receive, Request, Send
from aiowsgi.asgi.room import Limits, Room
from aiowsgi.asgi.scope import Scope
from aiowsgi.bridge.application import Application, ids
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.threads import ThreadSource, own_threads
from aiowsgi.cpus import default_threads
from aiowsgi.version import __version__
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.types import WSGIApplication

# How long a thread of our own waits for the next exchange, in seconds. Nobody tells us of the end
# of the process, which waits as long.
_PATIENCE = 0.25


class WSGIMiddleware:
    """Serves a WSGI application inside an ASGI stack: `app.mount("/legacy", WSGIMiddleware(wsgi))`.

    `threads` run the application, min(32, usable CPUs + 4) of them by default (a2wsgi's word
    `workers` is taken, too), or `executor` does, which is then yours to shut down. A request body
    is whole before a thread is taken: up to `spool_threshold` bytes in memory, past that in a
    temporary file, or streamed without `request_buffering`. What the client has not read of a
    response waits in memory up to `response_buffer` bytes, then in a file up to `response_spool`;
    then the application waits. `spool_memory` and `spool_disk` bound what all requests hold
    together; `max_streams` and `stream_after` (seconds) are those of the server.
    `send_queue_size` is accepted and means nothing: responses are bounded in bytes.

    The instance may serve several event loops. What the application raises before its response is
    complete is raised to the host. Raises TypeError for what is no callable, ValueError where
    threads and workers disagree or are less than one.
    """

    def __init__(
        self,
        app: WSGIApplication,
        threads: int | None = None,
        *,
        workers: int | None = None,
        send_queue_size: int | None = None,  # noqa: ARG002 - a2wsgi's
        executor: Executor | None = None,
        request_buffering: bool = True,
        spool_threshold: int = 512 * 1024,
        response_buffer: int = 1024 * 1024,
        response_spool: int | None = 256 * 1024 * 1024,
        spool_memory: int | None = 128 * 1024 * 1024,
        spool_disk: int | None = 8 * 1024**3,
        max_streams: int = 1000,
        stream_after: float | None = 5.0,
    ) -> None:
        if not callable(app):
            raise TypeError(f"a WSGI application is a callable, not {type(app).__name__}")
        count = _threads(threads, workers)
        self._limits = Limits(
            count,
            max_streams,
            stream_after,
            request_buffering,
            spool_threshold,
            response_buffer,
            response_spool,
        )
        self._budget = Budget(spool_memory, spool_disk)
        self._application = Application(
            app,
            EnvironBuilder(
                multithread=count > 1,
                multiprocess=True,  # the host may have other processes; it does not tell
                software=f"aiowsgi/{__version__}",
            ),
            context=contextvars.Context(),  # each request brings its own
            clock=time.monotonic,
            request_ids=ids(itertools.count(1)),
            raises=True,
        )
        if executor is None:
            self._source, self._patience = own_threads(count, max_streams), _PATIENCE
        else:
            self._source, self._patience = ThreadSource(executor, count), 0.0
        self._rooms: dict[asyncio.AbstractEventLoop, Room] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope; ValueError for a type that is not known (A1)."""
        kind = scope["type"]
        if kind == "http":
            room = self._rooms.get(asyncio.get_running_loop()) or self._room()
            await Request(room, scope, receive, send).run()
        elif kind == "lifespan":
            await _live(receive, send)
        elif kind == "websocket":
            await receive()  # websocket.connect
            await send({"type": "websocket.close"})  # before it was accepted: a 403 (A3)
        else:
            raise ValueError(f"{kind!r} is no scope that a WSGI application can serve")

    def _room(self) -> Room:
        for loop in [loop for loop in self._rooms if loop.is_closed()]:
            del self._rooms[loop]
        loop = asyncio.get_running_loop()
        self._rooms[loop] = room = Room(
            loop,
            self._application,
            self._source,
            self._limits,
            self._budget,
            patience=self._patience,
        )
        return room


async def _live(receive: Receive, send: Send) -> None:
    """Acknowledge both events of a lifespan (A2)."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def _threads(threads: int | None, workers: int | None) -> int:
    if threads is not None and workers is not None and threads != workers:
        raise ValueError("threads and workers are two names of one thing: give one of them")
    count = workers if threads is None else threads
    if count is None:
        return default_threads()
    if count < 1:
        raise ValueError(f"threads: {count} is not valid: expected a number from 1 up")
    return count

"""One request of an ASGI host on its way through the bridge; all of it on the loop thread.

One task is the only caller of `receive()`: it brings the body, and stays on to see the client
leave. The host's own coroutine is the only caller of `send()` (A12). What waits for a slow client
waits in the response's spool, and the pool thread is free.

Call flow: run -> _read -> RequestBody -> Exchange -> Dispatcher; the exchange wakes -> _pump ->
send; a disconnect, or the host's cancellation -> Exchange.abandon.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import copy_context
from functools import partial
from typing import Any

from aiowsgi.asgi.body import RequestBody
from aiowsgi.asgi.encoder import MessageEncoder, body
from aiowsgi.asgi.files import file_messages
from aiowsgi.asgi.room import Room
from aiowsgi.asgi.scope import Scope, endpoints, offers, request_head
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.waiting import withdraw
from aiowsgi.bridge.writer import Progress, ResponseWriter, Taken
from aiowsgi.errors import ApplicationError, ClientDisconnected
from aiowsgi.wsgi.environ import script_name
from aiowsgi.wsgi.filewrapper import FileRegion

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Blocks that wait are sent in one message up to this size; a larger one goes as it is.
_PIECE = 64 * 1024
_END = Taken(b"", None, Progress.COMPLETE)


def _nobody() -> None:
    """Whom the writer of nobody wakes."""


# Stands for the writer of a request that is over: the writer has us called, so a cycle ends here.
_OVER = ResponseWriter(
    MessageEncoder("GET", informs=False, says_close=False), _nobody, None, memory=0, disk=0
)


class Request:
    """One `http` scope; used once."""

    def __init__(self, room: Room, scope: Scope, receive: Receive, send: Send) -> None:
        self._room = room
        self._scope = scope
        self._receive = receive
        self._send = send
        self._news: asyncio.Future[None] | None = None
        self._begun = False  # the head went to the host
        self._gone = False  # the client left
        self._error: Exception | None = None  # of receive()
        self._file: FileRegion | None = None  # that is being sent; its descriptor is ours to close
        self._encoder = MessageEncoder(
            scope["method"].upper(),
            informs=offers(scope, "http.response.early_hint"),
            says_close=(scope.get("http_version") or "1.1").startswith("1"),
        )
        self._writer = ResponseWriter(
            self._encoder,
            partial(room.wakes.put, self._woken),
            None,
            memory=room.limits.response_buffer,
            disk=room.limits.response_spool,
            awaited=room.dispatcher.client_awaited,
            budget=room.budget,
            alive=room.alive,
        )
        self._body = RequestBody(room, request_head(scope))
        self._exchange: Exchange | None = None

    async def run(self) -> None:
        """Have the application answer; returns when the host has all of it, or nobody wants it.

        Raises what the application raised before its response was complete, for the host to answer
        or to cut; ClientDisconnected where the response was cut for another reason.
        """
        self._room.enter()
        reading = self._room.loop.create_task(self._read())
        answered = False
        try:
            answered = await self._answer()
        finally:
            reading.cancel()
            self._end(answered)
            self._room.leave()

    async def _answer(self) -> bool:
        """Send the response; whether the host has all of it."""
        progress = Progress.OPEN
        while progress is Progress.OPEN and not self._gone:
            self._news = self._room.loop.create_future()  # what comes while we look is not missed
            progress = await self._pump()
            if self._news.done():  # to await it would not let the others have their turn
                await asyncio.sleep(0)
            elif progress is Progress.OPEN and not self._gone:
                await self._news
        if self._error is not None:
            raise self._error
        if progress is Progress.CUT and not self._gone:
            raise self._failure()
        return progress is Progress.COMPLETE

    def _failure(self) -> Exception:
        failure = None if self._exchange is None else self._exchange.failure
        if failure is None:
            return ClientDisconnected("the response was cut: its client made no progress")
        if isinstance(failure, Exception) and not isinstance(failure, StopIteration):
            return failure
        # What would end the host, or this coroutine, is an error like any other (A20).
        wrapped = ApplicationError(f"the application raised {type(failure).__name__}: {failure}")
        wrapped.__cause__ = failure
        return wrapped

    def _end(self, answered: bool) -> None:
        """Nothing is sent any more: what still runs for nobody learns of it (S7, A17)."""
        self._body.close()
        self._writer = _OVER
        if self._file is not None:
            os.close(self._file.fileno)
            self._file = None
        exchange, self._exchange = self._exchange, None
        if exchange is None or answered:
            return
        exchange.abandon("the client left")
        if not exchange.started and withdraw(self._room.dispatcher.queue, exchange):
            exchange.skip()  # A16

    def _woken(self) -> None:
        """Something is new; where the loop is closed, on the thread that found it so."""
        if not self._room.alive():
            self._writer.abandon()
        elif self._news is not None and not self._news.done():
            self._news.set_result(None)

    # -- the response --

    async def _pump(self) -> Progress:
        """Send what waits; how far the response is then."""
        encoder = self._encoder
        while True:
            pieces, last = self._collect()
            self._file = last.file
            while encoder.hints and not self._begun:
                await self._send(encoder.hints.pop(0))
            if encoder.head is not None and not self._begun:
                self._begun = True
                await self._send(encoder.head)
            complete = last.progress is Progress.COMPLETE and not last.data
            if last.file is not None:
                return await self._send_file(last.file)
            if pieces or complete:
                await self._send(body(_joined(pieces), more=not complete))
            if complete or last.progress is Progress.CUT or not last.data:
                return last.progress
            await asyncio.sleep(0)  # `send` may never wait, as where nobody reads any more
            if self._writer.gone:
                return Progress.CUT

    async def _send_file(self, file: FileRegion) -> Progress:
        for message in file_messages(self._scope, file):
            await self._send(message)
            await asyncio.sleep(0)  # as in _pump
            if self._writer.gone:
                return Progress.CUT
        return Progress.COMPLETE

    def _collect(self) -> tuple[list[bytes | memoryview], Taken]:
        """Take the blocks that wait, as many as go into one message, and what follows them."""
        pieces: list[bytes | memoryview] = []
        size = 0
        while True:
            taken = self._writer.take(self._room.limits.response_buffer)
            if not taken.data:
                return pieces, taken
            pieces.append(taken.data)
            size += len(taken.data)
            if size >= _PIECE:
                return pieces, _END if self._writer.exhausted() else taken

    # -- the request --

    async def _read(self) -> None:
        """Receive the body, then wait for the client to leave (A6)."""
        try:
            while await self._body.receive(self._receive):
                if self._body.ready and self._exchange is None:
                    self._dispatch()
            if self._body.whole and self._exchange is None:
                self._dispatch()
            while self._body.whole and (await self._receive())["type"] != "http.disconnect":
                pass
        except Exception as error:  # the host's, or no room for the body
            self._error = error
        self._gone = True
        if self._exchange is not None:
            self._exchange.abandon("the client left")
        self._woken()

    def _dispatch(self) -> None:
        room, scope, head = self._room, self._scope, self._body.head
        template = room.application.environ.connection(endpoints(scope))
        template.keys["SCRIPT_NAME"] = script_name(scope.get("root_path") or "")
        template.keys["asgi.scope"] = scope
        wake = partial(room.wakes.put, self._woken)
        self._exchange = exchange = Exchange(room.application, head, self._writer, template, wake)
        self._body.hand_over(exchange)
        exchange.with_context(copy_context())  # what the host has set for this request is in it
        room.dispatcher.submit(exchange)


def _joined(pieces: list[bytes | memoryview]) -> bytes:
    """The pieces as bytes (A4), without a copy where one of them is all of a block."""
    if len(pieces) == 1:
        piece = pieces[0]
        if isinstance(piece, memoryview) and type(piece.obj) is bytes:
            whole: bytes = piece.obj
            return whole if len(whole) == len(piece) else bytes(piece)
    return b"".join(pieces)

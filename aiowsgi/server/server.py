"""Server: one process that accepts, serves, drains and stops; on the loop thread.

It turns a Config into plain values for the floors below, and owns the listeners and the executor.
It may be run (`run`), awaited in a running loop (`serve`, `async with`), or in a thread of its own.

Call flow: start -> listeners -> Connection ...; stop -> drain -> closed.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import socket
import time
from concurrent.futures import Executor
from contextlib import ExitStack
from enum import Enum
from functools import partial
from types import TracebackType

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.config import Config
from aiowsgi.server.acceptor import Acceptor
from aiowsgi.server.account import Account
from aiowsgi.server.asked import Route
from aiowsgi.server.assembly import assemble, proxy_protocol
from aiowsgi.server.banner import greet, name_of
from aiowsgi.server.certificates import Certificates
from aiowsgi.server.descriptors import raise_descriptor_limit
from aiowsgi.server.drain import drain, unfinished, until
from aiowsgi.server.handshake import Handshake
from aiowsgi.server.loops import name_of_loop, new_loop, run
from aiowsgi.server.opening import open_listeners
from aiowsgi.server.overdue import log_stuck
from aiowsgi.server.service import RequestLog, Service
from aiowsgi.server.signals import alone, endings, on_signals
from aiowsgi.server.sockets import Listener
from aiowsgi.server.systemd import Notifier, told
from aiowsgi.server.view import View
from aiowsgi.wsgi.types import WSGIApplication

logger = logging.getLogger("aiowsgi.error")


class State(Enum):
    """The life of a server; changed by `_enter` alone."""

    NEW = "not started"
    SERVING = "accepts and serves"
    DRAINING = "finishes what is under way"
    STOPPED = "is over"


class Server:
    """Serves one application; `executor` runs it, by default a pool of `config.threads` threads.

    The loop thread's, but for `stop`, which may be called from any thread. A server serves once.
    """

    def __init__(
        self,
        app: WSGIApplication,
        config: Config | None = None,
        *,
        executor: Executor | None = None,
    ) -> None:
        self.config = Config() if config is None else config
        self._app = app
        self._executor = executor
        self._state = State.NEW
        self._listeners: list[Listener] = []
        self._adopted = False
        self._announces = True
        self._certificates: Certificates | None = None
        self._service: Service | None = None
        self._acceptor: Acceptor | None = None
        self._sweeping = ExitStack()
        self._stopping: asyncio.Future[None] | None = None
        self._stop_early = False  # stop() came before the start
        self._retires = False  # others serve on at the same addresses
        self._killed = False  # patience is over
        self.name = name_of(app)  # what the banner calls it
        self.account = Account()  # what was done
        self.log: RequestLog | None = None  # instead of the config's; set before the start
        self.relay: Route | None = None  # who answers operators instead; set before the start
        self.view: View | None = None  # what an operator may see, once it serves
        self.stuck: list[Exchange] = []  # what was still running when patience ended

    # -- any thread --

    @property
    def urls(self) -> list[str]:
        """Where the server listens, once it is bound."""
        return [listener.url for listener in self._listeners]

    @property
    def url(self) -> str:
        """The first address. Raises RuntimeError before the server is bound."""
        if not self._listeners:
            raise RuntimeError("the server has no address yet: call bind() or start it first")
        return self.urls[0]

    @property
    def busy(self) -> bool:
        """Whether a client is connected or an exchange is under way."""
        return self._service is not None and self._service.busy

    def stop(self, *, now: bool = False) -> None:
        """End gracefully, or with `now` without waiting for anything; returns at once."""
        self._stop_early, self._killed = True, self._killed or now
        if self._service is not None:
            self._service.wakes.put(self._stop)

    # -- loop thread --

    def bind(self) -> list[str]:
        """Read the certificate, open the addresses of the config; the urls.

        Raises ConfigError: exit code 1 for an address, 2 for what is wrong with the certificate.
        """
        if not self._listeners and not self._adopted:
            self._listeners, self._certificates = open_listeners(self.config)
        return self.urls

    def adopt(
        self, listeners: list[Listener], own: Certificates | None = None, *, alone: bool = False
    ) -> None:
        """Serve on these sockets instead of the config's addresses; they are closed at the end.

        `alone`: nobody else has them, and so the log says where they are.
        """
        self._listeners, self._certificates, self._adopted = listeners, own, True
        self._announces = alone
        for each in listeners:
            each.borrowed |= not alone

    async def serve_client(self, client: socket.socket) -> None:
        """Serve one request of a client that was accepted elsewhere; until it is closed."""
        service = self._running
        service.draining = True  # so that the answer is the connection's last
        await self._accepting.take(client)
        await until(lambda: not service.connections)

    def run(self) -> None:
        """Serve until INT or TERM. Raises ConfigError where an address cannot be opened."""
        raise_descriptor_limit()
        self.bind()
        try:
            loop = new_loop(self.config.loop)
            run(self._run(loop), loop)
        finally:
            self._close_listeners()

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        acts = endings(term=self.leave, stop=self._stop, kill=partial(self._stop, True))
        with on_signals(loop, {**acts, **alone(self._stop, self._renew)}):
            async with self:
                with told(loop, Notifier(os.environ)):
                    await self.stopped()

    def leave(self) -> None:
        """End gracefully, after `shutdown_delay`; readiness fails at once."""
        delay = self.config.shutdown_delay
        if delay:
            logger.info("Serving for another %gs, with readiness failing", delay)
            self.fail_readiness()
        self._running.loop.call_later(delay, self._stop)

    def fail_readiness(self) -> None:
        """Say, to who asks, that the service ends soon."""
        self._running.leaving = True

    def retire(self) -> None:
        """End gracefully, as others serve on at the same addresses: readiness does not fail."""
        self._retires = True
        self._stop()

    async def serve(self) -> None:
        """Serve in the running loop until `stop()`; cancelling it stops at once."""
        async with self:
            await self.stopped()

    async def stopped(self) -> None:
        """Wait until `stop()` was called; for use inside `async with server`."""
        if self._stopping is None:
            raise RuntimeError("the server is not started")
        await asyncio.shield(self._stopping)

    async def __aenter__(self) -> Server:
        """Start: bind, and accept."""
        if self._state is not State.NEW:
            raise RuntimeError(f"this server {self._state.value}: make a new one")
        loop = asyncio.get_running_loop()
        self._stopping = loop.create_future()
        self.bind()
        self._service = service = assemble(
            *(self._app, self.config, loop, self._executor, contextvars.copy_context()),
            request_ids=self.account.request_ids(),
            log=self.log,
            relay=self.relay,
        )
        self._acceptor = Acceptor(
            service, self._tls(service), self.config.limit_connections, proxy_protocol(self.config)
        )
        self.view = View(service, self.config.thread_count)
        self._sweeping.enter_context(service.sweeping())
        self._sweeping.enter_context(self.view.looking())
        self._enter(State.SERVING)
        try:
            # In a worker, its supervisor has the addresses for operators.
            if self._announces and self.config.operated:
                from aiowsgi.server.one_process import OneProcess
                from aiowsgi.server.sites import show

                one = OneProcess(self.view, self.urls, self.leave)
                await show(self.config, one, service, self._sweeping)
            for listener in self._listeners:
                await self._accepting.open(listener, self.config.backlog)
        except BaseException:
            self._finish(service)
            raise
        if self._announces:
            greet(self.name, self.config, name_of_loop(loop), self.urls)
        if self._stop_early:
            self._stop()
        return self

    def _renew(self) -> None:
        if self._certificates is not None:
            self._certificates.renew()

    def _tls(self, service: Service) -> Handshake | None:
        if self._certificates is None:
            return None
        service.also, config = self._certificates.sweep, self.config
        return Handshake(service, self._certificates, config.header_timeout, config.send_timeout)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drain and stop; at once where the block was cancelled."""
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self._stop(now=True)
        try:
            await self._drain(self._running)
        finally:
            self._finish(self._running)
            if self._announces:
                logger.info("Stopped: %s", self.account)

    def _stop(self, now: bool = False) -> None:
        self._killed = self._killed or now
        if self._stopping is not None and not self._stopping.done():
            self._stopping.set_result(None)

    async def _drain(self, service: Service) -> None:
        self._enter(State.DRAINING)
        service.leaving = service.leaving or not self._retires
        closed = [] if self._retires else self._listeners
        patience = self.config.graceful_timeout
        await drain(service, self._accepting, closed, patience, lambda: self._killed)

    @property
    def _running(self) -> Service:
        if self._service is None:
            raise RuntimeError("the server is not started")
        return self._service

    @property
    def _accepting(self) -> Acceptor:
        if self._acceptor is None:
            raise RuntimeError("the server is not started")
        return self._acceptor

    def _finish(self, service: Service) -> None:
        """Cut what is left, and give everything back."""
        self.account.close(unfinished(service))
        self.stuck = service.dispatcher.close()
        log_stuck(service.dispatcher, time.monotonic())
        self._accepting.give_up()
        for connection in list(service.connections):
            connection.abort()
        self._sweeping.close()
        self._close_listeners()
        service.dispatcher.source.shutdown(wait=not self.stuck)
        service.close()
        self._enter(State.STOPPED)

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _enter(self, state: State) -> None:
        self._state = state

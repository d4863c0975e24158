"""Exchanges whose application does what a test says: for tests of who runs them, and when."""

from __future__ import annotations

import contextvars
import itertools
import time
from collections.abc import Callable, Iterable

from aiowsgi.bridge.application import Application
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import Endpoints, RequestHead, ResponseDefaults
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.types import Environ, StartResponse

BUILDER = EnvironBuilder()
TEMPLATE = BUILDER.connection(Endpoints(("192.0.2.1", "5"), ("127.0.0.1", "80")))
CONTEXT = contextvars.copy_context()


class Work:
    """One exchange; `times` is how often its application was called."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self.times = 0
        application = Application(
            self._app,
            BUILDER,
            context=CONTEXT,
            clock=time.monotonic,
            request_ids=map(str, itertools.count()),
        )
        encoder = ResponseEncoder("GET", "1.1", True, ResponseDefaults())
        writer = ResponseWriter(encoder, self._wake, None, memory=1000, disk=None)
        head = RequestHead("GET", "/", "/", "", "1.1", {})
        self.exchange = Exchange(application, head, writer, TEMPLATE, self._wake)

    def _app(self, _: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.times += 1
        self._run()
        start_response("200 OK", [])
        return []

    def _wake(self) -> None:
        """Nobody waits for what it sends."""

    @property
    def done(self) -> bool:
        return self.exchange.done

    @property
    def skipped(self) -> bool:
        """Whether it was ended without having run."""
        return self.done and not self.times

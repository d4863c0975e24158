"""What all exchanges of one application share, whichever door its requests come through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any

from aiowsgi.bridge.disconnect import Aside
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.types import WSGIApplication


class Application:
    """One application; any thread may read it."""

    __slots__ = (
        "app",
        "aside",
        "clock",
        "context",
        "environ",
        "on_end",
        "patience",
        "raises",
        "request_ids",
    )

    def __init__(
        self,
        app: WSGIApplication,
        environ: EnvironBuilder,
        *,
        context: Context,
        clock: Callable[[], float],
        request_ids: Iterator[str],
        patience: float | None = None,
        on_end: Callable[[Any], None] | None = None,
        raises: bool = False,
    ) -> None:
        self.app = app
        self.environ = environ
        self.context = context  # each exchange runs in a fresh copy of it (P46)
        self.clock = clock  # monotonic seconds
        self.request_ids = request_ids  # a new one with each next()
        self.aside = Aside()  # where callbacks run when a client leaves
        self.patience = patience  # seconds that an exchange waits for a thread; None = no limit
        self.raises = raises  # what the application raises is for the host, not for us to answer
        self.on_end = on_end  # called on the pool thread when the response is over: the access log

"""Pages: what operators see at the addresses of clients, where a path was given for it.

A request for one of them is taken out of the clients' way before it becomes an exchange: no
thread, no queue, no application. The connection goes with it and ends with its answer, so that
nobody who looks is waited for when the server stops, and none of it is in the access log. For whom
the audience does not admit there is no such path: the application answers.

Call flow: Connection -> Pages.take -> AdminConnection -> a route, or the supervisor (visits.py).
"""

from __future__ import annotations

import asyncio

from aiowsgi.http11.messages import RequestHead
from aiowsgi.server.admin import AdminConnection, Site
from aiowsgi.server.asked import TEXT, Asked, Route, Routes, answer_by
from aiowsgi.server.audience import Audience
from aiowsgi.server.endpoints import Ends


class Pages(Site):
    """The pages of one server; the loop thread's.

    `metrics`, `status`: their paths as requests spell them, None for what has none. `relay`: who
    answers, where that is not this process.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        audience: Audience,
        *,
        metrics: str | None,
        status: str | None,
        relay: Route | None,
    ) -> None:
        super().__init__(loop, {})
        self._audience = audience
        self._metrics = metrics
        self._status = status
        self._relay = relay

    def open(self, routes: Routes) -> None:
        """Answer by these, whose paths are those that the pages have at an address of their own."""
        self.routes = routes

    def take(self, transport: asyncio.Transport, head: RequestHead, ends: Ends) -> bool:
        """Whether the client is ours from now on: it asks for a page, and may see it."""
        path = self._own_path(head.path)
        if path is None or head.method not in ("GET", "HEAD"):
            return False
        if head.chunked or head.content_length:  # a body, which is the application's to read
            return False
        who = ends(transport)
        if not self._audience.admits(who, head.fields):
            where = self._metrics if head.path == self._metrics else self._status
            self._audience.refused(who, str(where))
            return False
        AdminConnection(self).take_over(transport, head, path)
        return True

    def answer(self, asked: Asked) -> None:
        """Answer a request, or have it answered."""
        if not asked.path:  # the names in the page are relative to a directory
            where = f"./{str(self._status).rpartition('/')[2]}/"
            moved = (308, "Permanent Redirect")
            asked.answer(b"", TEXT, status=moved, fields=[("Location", where)])
        elif self._relay is not None:
            self._relay(asked)
        else:
            answer_by(self.routes, asked)

    def _own_path(self, path: str) -> str | None:
        """The path that a page has at an address of its own; None for what is no page."""
        if path == self._metrics:
            return "/metrics"
        if self._status is not None and path.startswith(self._status):
            rest = path[len(self._status) :]
            return rest if not rest or rest[0] == "/" else None
        return None

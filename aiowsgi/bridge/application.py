"""What all exchanges of one application share, whichever door its requests come through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from itertools import repeat
from typing import Any, Final, TypeAlias

from aiowsgi.bridge.answers import own_answer
from aiowsgi.bridge.disconnect import Aside
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.http11.messages import RequestHead, ResponseHead
from aiowsgi.wsgi.environ import EnvironBuilder, Template
from aiowsgi.wsgi.types import WSGIApplication

# Makes head and body of the answer to a request whose application has raised; never raises.
Explain: TypeAlias = Callable[[RequestHead, BaseException], tuple[ResponseHead, bytes]]

_next: Final = next  # compiled code would look a builtin up


class Application:
    """One application; any thread may read it."""

    __slots__ = (
        "_id_field",
        "_id_header",
        "_id_name",
        "app",
        "aside",
        "clock",
        "context",
        "environ",
        "explain",
        "on_end",
        "own_ids",
        "patience",
        "raises",
        "request_ids",
        "timed",
    )

    def __init__(
        self,
        app: WSGIApplication,
        environ: EnvironBuilder,
        *,
        context: Context,
        clock: Callable[[], float],
        request_ids: Iterator[str],
        own_ids: Iterator[str] | None = None,
        id_header: str = "",
        patience: float | None = None,
        on_end: tuple[Callable[[Any], None], ...] = (),
        timed: bool = True,
        raises: bool = False,
        explain: Explain | None = None,
    ) -> None:
        self.app = app
        self.environ = environ
        self.context = context  # each exchange runs in a fresh copy of it (P46)
        self.clock = clock  # monotonic seconds
        self.request_ids = request_ids  # a new one with each next()
        self.own_ids = own_ids or repeat("")  # the same for whom we answer ourselves
        # Where a trusted proxy says the id and clients are told it, "" = nowhere; and its variable.
        self._id_header = id_header
        self._id_name = id_header.lower()
        self._id_field = "HTTP_" + id_header.upper().replace("-", "_")
        self.aside = Aside()  # where callbacks run when a client leaves
        self.patience = patience  # seconds that an exchange waits for a thread; None = no limit
        self.raises = raises  # what the application raises is for the host, not for us to answer
        self.explain = explain  # instead of a plain 500 (--debug); None = no word of it (S13)
        # Each called once the client has all that it will get, on the pool thread or the loop's:
        # what counts and the access log. `timed`: one of them wants to know when the first and the
        # last byte were sent.
        self.on_end = on_end
        self.timed = timed and bool(on_end)

    def identify(
        self, template: Template, head: RequestHead, writer: ResponseWriter, *, own: bool = False
    ) -> str:
        """The id of a request: a trusted proxy's, or our own; its client is told.

        `own`: the application is not called for it, and it does not count as a request of its.
        """
        found = _next(self.own_ids if own else self.request_ids)  # in any case: they are counted
        if self._id_header:
            found = template.request_id(head, self._id_field) or found
            writer.identify(f"{self._id_header}: {found}\r\n", self._id_name)
        return found

    def failed(self, head: RequestHead, error: BaseException) -> tuple[ResponseHead, bytes]:
        """Make the answer to a request whose application has raised: a plain 500, or why."""
        if self.explain is None:
            return own_answer(500, close=False)
        return self.explain(head, error)


def ids(numbers: Iterable[int]) -> Iterator[str]:
    """Make an id of each number, with what other processes and servers do not have in theirs."""
    return map(f"{os.urandom(8).hex()}-%d".__mod__, numbers)

"""The gate before the pool: what the loop answers by itself, even with every thread stuck.

An exchange that the gate does not let through has its answer when `admits` returns, from the same
writer and with the same fields, log line and keep-alive as any other; the application is not called
for it, and no thread is needed. That is the health check (S17), and a 503 for a request that comes
when the queue is full, or has been in it for too long (S9). Requests are counted, not connections.
"""

from __future__ import annotations

import logging

from aiowsgi.bridge.exchange import STREAMS, Exchange
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.waiting import withdraw_older
from aiowsgi.watch.numbers import SHED
from aiowsgi.watch.tally import Tally

logger = logging.getLogger("aiowsgi.error")


class Gate:
    """Looks at each exchange before it is queued, and at the queue once per sweep; the loop's.

    `threads`: how many run the application. `limit`: exchanges that may wait for a thread;
    `patience`: for how long, in seconds; `health`: the path of the health check as requests spell
    it. None = there is none.
    """

    __slots__ = ("_dispatcher", "_health", "_limit", "_patience", "_refused", "_tally", "_threads")

    def __init__(
        self,
        dispatcher: Dispatcher,
        threads: int,
        tally: Tally,
        *,
        limit: int | None = None,
        patience: float | None = None,
        health: str | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._threads = threads
        self._tally = tally
        self._limit = limit
        self._patience = patience
        self._health = health
        self._refused = 0  # since the last sweep

    def admits(self, exchange: Exchange, *, leaving: bool) -> bool:
        """Whether the exchange may be queued; `leaving`: the service ends soon."""
        head = exchange.head
        if head.path == self._health and head.method in ("GET", "HEAD"):
            self._tell(exchange, leaving=leaving)
            return False
        if self.full:
            self._refuse(exchange, "queue_full")
            return False
        return True

    @property
    def full(self) -> bool:
        """Whether the next request would be one too many.

        In the queue are also those that free threads are about to take: they do not wait.
        """
        limit = self._limit
        if limit is None or self._dispatcher.waiting < limit:
            return False
        held = sum(each.standing != STREAMS for each in self._dispatcher.running)
        return self._dispatcher.waiting - max(0, self._threads - held) >= limit

    def sweep(self, now: float) -> None:
        """Refuse what has waited for too long; `now` in monotonic seconds."""
        if self._patience is not None:
            for exchange in withdraw_older(self._dispatcher.queue, now - self._patience):
                self._refuse(exchange, "queue_timeout")
        if self._refused:  # told once per sweep: an overload must not fill the log, too
            logger.warning("No thread was free for %d requests: they got a 503", self._refused)
            self._refused = 0

    def _refuse(self, exchange: Exchange, reason: str) -> None:
        self._refused += 1
        self._tally.note(SHED, reason)
        exchange.answer(503, close=True)

    def _tell(self, exchange: Exchange, *, leaving: bool) -> None:
        wrong = ""
        if _asks_whether_ready(exchange.head.query):
            wrong = "draining" if leaving else "shedding" if self.full else ""
        exchange.answer(503 if wrong else 200, wrong or "ok")


def _asks_whether_ready(query: str) -> bool:
    return any(part.partition("=")[0] == "ready" for part in query.split("&"))

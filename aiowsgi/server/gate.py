"""The gate before the pool: what the loop answers by itself, even with every thread stuck.

An exchange that the gate does not let through has its answer when `admits` returns, from the same
writer and with the same fields, log line and keep-alive as any other; the application is not called
for it, and no thread is needed (S17).
"""

from __future__ import annotations

from aiowsgi.bridge.exchange import Exchange


class Gate:
    """Looks at each exchange before it is queued; the loop thread's.

    `health` is the path of the health check as requests spell it; None = there is none.
    """

    __slots__ = ("_health",)

    def __init__(self, *, health: str | None = None) -> None:
        self._health = health

    def admits(self, exchange: Exchange, *, draining: bool) -> bool:
        """Whether the exchange may be queued; `draining`: the server stops."""
        head = exchange.head
        if head.path == self._health and head.method in ("GET", "HEAD"):
            if draining and _asks_whether_ready(head.query):
                exchange.answer(503, "draining")
            else:
                exchange.answer(200, "ok")
            return False
        return True


def _asks_whether_ready(query: str) -> bool:
    return any(part.partition("=")[0] == "ready" for part in query.split("&"))

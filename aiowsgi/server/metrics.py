"""The site of metrics: what Prometheus scrapes, wherever it is that the numbers come together."""

from __future__ import annotations

from aiowsgi.server.asked import Asked, Route
from aiowsgi.server.watched import Watched
from aiowsgi.watch.prometheus import Exposition


def routes(watched: Watched) -> dict[tuple[str, str], Route]:
    """What can be asked. Raises ConfigError where prometheus-client is not installed."""
    exposition = Exposition(watched.numbers)

    def scrape(asked: Asked) -> None:
        body, kind = exposition.text(asked.accept)
        asked.answer(body, kind)

    return {("GET", "/metrics"): scrape}

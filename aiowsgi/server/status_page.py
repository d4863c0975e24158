"""The site of the status page: the page's files, what changes each second, and the table.

The page is four files of aiowsgi/watch/page/, sent as they are; what they show comes as server-sent
events (HTML 9.2), made once a second and only while somebody looks. A browser is told to load
nothing from elsewhere, and to show the page in no frame.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aiowsgi.config import OPTIONS, Config
from aiowsgi.server.asked import EVENTS, Asked, Route
from aiowsgi.server.control import table
from aiowsgi.server.watched import REQUESTS, STACKS, Watched
from aiowsgi.version import described
from aiowsgi.watch import stacks
from aiowsgi.watch.numbers import BOUNDS

_SECOND = 1.0  # from one event to the next
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIELDS = [("Content-Security-Policy", _POLICY), ("Referrer-Policy", "no-referrer")]
_FOLDER = Path(stacks.__file__).parent / "page"


def routes(
    watched: Watched, config: Config, loop: asyncio.AbstractEventLoop
) -> dict[tuple[str, str], Route]:
    """What can be asked."""
    feed = Feed(loop, partial(_event, watched, _about(config)))
    found: dict[tuple[str, str], Route] = {
        ("GET", "/"): partial(_send, "page.html"),
        ("GET", "/events"): feed.join,
        ("GET", "/requests"): table(watched, REQUESTS),
        ("GET", "/stacks"): table(watched, STACKS),
    }
    for name in ("page.css", "page.js", "chart.js"):
        found["GET", f"/{name}"] = partial(_send, name)
    return found


class Feed:
    """Sends an event to all who look, once a second while anybody does; the loop thread's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, event: Callable[[], bytes]) -> None:
        self._loop = loop
        self._event = event
        self._sends: list[Callable[[bytes], bool]] = []

    def join(self, asked: Asked) -> None:
        """Begin to send to whoever has asked."""
        send = asked.stream(EVENTS)
        if not self._sends:
            self._loop.call_later(_SECOND, self._tick)
        if send(self._event()):
            self._sends.append(send)

    def _tick(self) -> None:
        event = self._event()
        self._sends = [send for send in self._sends if send(event)]
        if self._sends:
            self._loop.call_later(_SECOND, self._tick)


def _send(name: str, asked: Asked) -> None:
    path = _FOLDER / name
    kind = f"{_KINDS[path.suffix]}; charset=utf-8"
    asked.answer(path.read_bytes(), kind, fields=_FIELDS)


def _event(watched: Watched, about: dict[str, Any]) -> bytes:
    told = {
        "now": time.time(),
        "bounds": BOUNDS,
        "status": watched.status(),
        "numbers": dataclasses.asdict(watched.numbers()),
        "about": about,
    }
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def _about(config: Config) -> dict[str, Any]:
    """The version, and the options that are not as they are by default; no secret is shown."""
    values = {name: getattr(config, name) for name in OPTIONS}
    changed = {
        name: option.show(values[name])
        for name, option in OPTIONS.items()
        if values[name] != option.default
    }
    return {"version": f"aiowsgi {described()}", "options": changed}

"""The options of watching: where an operator sees what the server does, and tells it what to do."""

from __future__ import annotations

import dataclasses
from typing import Any

from aiowsgi import kinds
from aiowsgi.binds import TcpBind, parse_bind
from aiowsgi.options import WATCH, option

_PLACE = "HOST:PORT such as 127.0.0.1:{port} (or off)"


def _is_off(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() == "off")


def _place(port: int) -> kinds.Kind:
    """Return the kind of an address of its own that something is shown at."""

    def read(value: Any) -> str | None:
        if _is_off(value):
            return None
        try:
            bind = parse_bind(value)
        except ValueError:
            bind = None
        if not isinstance(bind, TcpBind):
            raise ValueError(_PLACE.format(port=port))
        return str(bind)

    return kinds.Kind("HOST:PORT", read, absent="off")


def check_socket(path: Any) -> str | None:
    """Return the path; None for the server's own choice, empty for off; ValueError for no path."""
    if path is None or (isinstance(path, str) and path.strip().lower() == "auto"):
        return None
    if path == "" or _is_off(path):
        return ""
    if not isinstance(path, str) or path.startswith("@") or "\0" in path:
        raise ValueError("the path of a socket (or off)")
    return path


@dataclasses.dataclass(frozen=True, init=False)
class WatchOptions:
    """What is shown of the server, and where; by default nothing to the network."""

    metrics: str | None = option(
        None,
        _place(9090),
        WATCH,
        "Serve metrics for Prometheus here, at /metrics, summed over the workers; needs the extra "
        "metrics. Whoever can connect can read them.",
    )
    status: str | None = option(
        None,
        _place(9091),
        WATCH,
        "Serve the live status page here: rates, latencies, threads, and each request under way. "
        "Whoever can connect can read it.",
    )
    control_socket: str | None = option(
        None,
        kinds.Kind("PATH", check_socket, lambda path: path or "off", absent="auto"),
        WATCH,
        "The unix socket, for its owner only, by which aiowsgi ctl asks and tells this server; off "
        "is none.",
        default_text="where aiowsgi ctl finds it, with more workers than one; else off",
    )

    @property
    def watched(self) -> bool:
        """Whether anybody may want to know how the server does."""
        return self.counts_requests or self.control_socket != ""

    @property
    def operated(self) -> bool:
        """Whether one process without workers has anything to show to an operator."""
        return self.counts_requests or bool(self.control_socket)

    @property
    def counts_requests(self) -> bool:
        """Whether requests are counted and timed."""
        return self.metrics is not None or self.status is not None

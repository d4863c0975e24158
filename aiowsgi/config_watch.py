"""The options of watching: where an operator sees what the server does, and tells it what to do."""

from __future__ import annotations

import dataclasses
from typing import Any

from aiowsgi import kinds
from aiowsgi.binds import TcpBind, parse_bind
from aiowsgi.config_load import is_path
from aiowsgi.config_proxies import peers
from aiowsgi.errors import ConfigError
from aiowsgi.options import WATCH, option

_PLACE = "HOST:PORT such as 127.0.0.1:{port}, a path such as {path} (or off)"
_PATH = "a path such as {path}: percent-encoded, without ? or #, and no / at its end"


def _is_off(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() == "off")


def path_of(place: str | None) -> str | None:
    """Return the path on the addresses of clients, where one was given instead of an address."""
    return place if place is not None and place.startswith("/") else None


def _place(port: int, path: str) -> kinds.Kind:
    """Return the kind of what something is shown at: an address of its own, or a path."""

    def read(value: Any) -> str | None:
        if _is_off(value):
            return None
        if isinstance(value, str) and value.startswith("/"):
            if not is_path(value) or value.endswith("/"):
                raise ValueError(_PATH.format(path=path))
            return value
        try:
            bind = parse_bind(value)
        except ValueError:
            bind = None
        if not isinstance(bind, TcpBind):
            raise ValueError(_PLACE.format(port=port, path=path))
        return str(bind)

    return kinds.Kind("PLACE", read, absent="off")


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
        _place(9090, "/metrics"),
        WATCH,
        "Serve metrics for Prometheus, summed over the workers: at /metrics of an address of their "
        "own, for whoever can connect, or at a path of the server's, for --watch-allow-from. Needs "
        "the extra metrics.",
    )
    status: str | None = option(
        None,
        _place(9091, "/_status"),
        WATCH,
        "Serve the live status page (rates, latencies, threads, each request under way) at an "
        "address of its own, for whoever can connect, or at a path of the server's, for "
        "--watch-allow-from.",
    )
    watch_allow_from: tuple[str, ...] = option(
        (),
        peers(),
        WATCH,
        "Who is shown metrics and status at a path, beside this machine, repeatable: an IP "
        "address, a network, unix, or *. The client counts, as a trusted proxy names it; for "
        "others the application answers.",
        default_text="nobody else",
    )
    control_socket: str | None = option(
        None,
        kinds.Kind("PATH", check_socket, lambda path: path or "off", absent="auto"),
        WATCH,
        "The unix socket, for its owner only, by which aiowsgi ctl asks and tells this server; off "
        "is none.",
        default_text="where aiowsgi ctl finds it, with more workers than one; else off",
    )

    def check_watch(self, health_path: str | None) -> None:
        """ConfigError where two things are to be at one path, or a list would do nothing."""
        paths = {
            "metrics": path_of(self.metrics),
            "health_path": health_path,
            "status": path_of(self.status),
        }
        taken: dict[str, str] = {}
        for name, path in paths.items():
            for other, there in taken.items():
                if path and (there == path or (name == "status" and there.startswith(f"{path}/"))):
                    raise ConfigError(
                        f"{name}: {path} does not go with {other}: {there}: give them different "
                        "paths, none of them below that of the status page"
                    )
            if path:
                taken[name] = path
        if self.watch_allow_from and not self.shown_to_clients:
            raise ConfigError(
                "watch_allow_from does nothing while neither metrics nor status is a path: give "
                "one, such as --metrics /metrics, or leave it out; an address of their own shows "
                "them to whoever can connect"
            )

    @property
    def shown_to_clients(self) -> bool:
        """Whether operators see something at the addresses of clients."""
        return path_of(self.metrics) is not None or path_of(self.status) is not None

    @property
    def opened_once(self) -> tuple[str | None, ...]:
        """What a supervisor opens at its start: addresses, and any path alike."""
        return tuple("/" if path_of(place) else place for place in (self.metrics, self.status))

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

"""The options of load: how much the server takes at once, and what it says of its health."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from aiowsgi import kinds
from aiowsgi.options import BUFFERS, LOAD, LOGS, THREADS, TIMEOUTS, option

_PATH = re.compile(r"/[!\"$-;=@-~]*", re.ASCII)  # printable, and neither ? nor # nor < >


def is_path(path: str) -> bool:
    """Whether this is a path as a request may spell it."""
    return _PATH.fullmatch(path) is not None


def check_health_path(path: Any) -> str | None:
    """Return the path as a request spells it; None for `off`; ValueError for what is no path."""
    if path is None or (isinstance(path, str) and path.strip().lower() == "off"):
        return None
    if not isinstance(path, str) or not is_path(path):
        raise ValueError("a path such as /health, percent-encoded, without ? or # (or off)")
    return path


@dataclasses.dataclass(frozen=True, init=False)
class LoadOptions:
    """What holds for all clients together."""

    max_streams: int = option(
        1000,
        kinds.count(),
        THREADS,
        "Threads beside these for exchanges that wait for their client or whose response has "
        "become a stream; when they are spent, the client that stalled for longest is cut.",
    )
    timeout: float | None = option(
        None,
        kinds.duration(minimum=0.001, zero=True),
        TIMEOUTS,
        "An application that runs longer for a request: 504, its stack in the log, and its place "
        "given to a new thread; streams are not counted.",
        flags=("-t", "--harakiri"),
    )
    slow_request: float | None = option(
        None,
        kinds.duration(minimum=0.001),
        LOGS,
        "Warn once of an application that runs longer for a request, with the stack of its thread "
        "while it still runs.",
        flags=("--log-slow",),
    )
    stream_after: float | None = option(
        5.0,
        kinds.duration(),
        TIMEOUTS,
        "A response that has been on its way for so long is a stream and gives its place among the "
        "threads back; text/event-stream does at once.",
    )
    queue_timeout: float | None = option(
        None,
        kinds.duration(minimum=0.001),
        TIMEOUTS,
        "A request that has waited for a thread for so long: 503 with Retry-After.",
    )
    limit_connections: int | None = option(
        10_000,
        kinds.count(minimum=1, none=True),
        LOAD,
        "Connections that are open at once, per worker; while there are so many, no other is "
        "accepted. Not on Windows.",
        flags=("--worker-connections", "--connection-limit"),
    )
    limit_queue: int | None = option(
        None,
        kinds.count(none=True),
        LOAD,
        "A request that comes while so many wait for a thread: 503 with Retry-After. Requests are "
        "counted, never connections.",
    )
    spool_memory: int | None = option(
        128 * 1024**2,
        kinds.size(),
        BUFFERS,
        "Memory for the bodies of all requests and responses of a worker together; past it they go "
        "straight to temporary files.",
    )
    spool_disk: int | None = option(
        8 * 1024**3,
        kinds.size(),
        BUFFERS,
        "Temporary files of all requests and responses of a worker together; past it uploads get "
        "503 and responses wait for their clients.",
    )
    health_path: str | None = option(
        None,
        kinds.Kind("PATH", check_health_path, absent="off"),
        LOAD,
        "Answer GET and HEAD of this path with 200 and ok, without the application or a thread; "
        "with ?ready, 503 while the server drains or sheds load.",
    )

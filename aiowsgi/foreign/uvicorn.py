"""The flags of uvicorn, and those that granian has, too."""

from __future__ import annotations

from aiowsgi.foreign.flags import GRANIAN, HTTP2, UVICORN, Foreign, ignored, refused, same

_WEBSOCKETS = "WSGI has no websockets"
_ASGI = "it is of ASGI"

FLAGS: tuple[Foreign, ...] = (
    ignored(
        "--interface NAME",
        [UVICORN, GRANIAN],
        "WSGI is what is served",
        only=["wsgi", "auto"],
        instead="aiowsgi serves WSGI: for an application of ASGI or RSGI, stay with uvicorn or "
        "granian",
    ),
    ignored(
        "--http NAME",
        [UVICORN, GRANIAN],
        "there is one parser, of HTTP/1.1",
        only=["auto", "h11", "httptools", "zttp", "1"],
        instead=HTTP2,
    ),
    ignored(
        "--ws NAME",
        [UVICORN],
        _WEBSOCKETS,
        only=["auto", "none", "websockets", "websockets-sansio", "wsproto"],
        instead=f"{_WEBSOCKETS}: leave it out",
    ),
    ignored(
        "--ws-max-size, --ws-max-queue, --ws-ping-interval, --ws-ping-timeout, "
        "--ws-per-message-deflate VALUE",
        [UVICORN],
        _WEBSOCKETS,
    ),
    ignored("--lifespan NAME", [UVICORN], _ASGI),
    ignored("--reset-contextvars", [UVICORN], "each request always has a context of its own"),
    ignored("--reload-delay SECONDS", [UVICORN], "the system tells of changes: nothing is polled"),
    ignored(
        "--use-colors, --no-use-colors",
        [UVICORN],
        "NO_COLOR and FORCE_COLOR in the environment say so",
    ),
    ignored(
        "--timeout-worker-healthcheck SECONDS",
        [UVICORN],
        "workers are heard once a second, and are replaced after 30 seconds of silence",
    ),
    same("--h11-max-incomplete-event-size SIZE", [UVICORN], "limit_request_head"),
    same("--limit-max-requests-jitter NUMBER", [UVICORN], "max_requests_jitter"),
    refused("--http2", [UVICORN], HTTP2),
    refused(
        "--limit-concurrency NUMBER",
        [UVICORN],
        "requests are counted here, not connections: --limit-queue is how many may wait for a "
        "thread before the next gets a 503, --limit-connections how many clients are let in",
    ),
)

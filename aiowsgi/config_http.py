"""The options of HTTP: timeouts, limits, buffers, and what stands in environ and in answers."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from aiowsgi import kinds
from aiowsgi.options import BUFFERS, FIELDS, LIMITS, TIMEOUTS, option

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 5.5
_FRAMING = frozenset(
    "connection content-length keep-alive te trailer transfer-encoding upgrade".split()
)


def check_field(field: Any) -> tuple[str, str]:
    """Return (name, value) of `NAME:VALUE` or of a pair; ValueError where it could not be sent."""
    if isinstance(field, str):
        name, colon, value = field.partition(":")
        field = (name, value) if colon else ()
    if not isinstance(field, (tuple, list)) or [type(part) for part in field] != [str, str]:
        raise ValueError("NAME:VALUE")
    name, value = field[0], field[1].strip(" \t")
    if not _TOKEN.fullmatch(name):
        raise ValueError("a field name of letters, digits and - (a token, RFC 9110 5.6.2)")
    if not _VALUE.fullmatch(value):
        raise ValueError("a field value in latin-1 without control characters (RFC 9110 5.5)")
    if name.lower() in _FRAMING:
        raise ValueError(f"a field that is not the server's own business, which {name} is")
    return name, value


def check_root_path(path: str) -> str:
    """Return the mount point with a slash before it and none after it; empty for the root."""
    if re.search(r"[\x00-\x20\x7f?#]", path):
        raise ValueError("a path such as /app, without white space, ? or #")
    path = path.strip("/")
    return "/" + path if path else ""


@dataclasses.dataclass(frozen=True, init=False)
class HttpOptions:
    """What holds for each connection, request and response."""

    keep_alive: float | None = option(
        75.0,
        kinds.duration(),
        TIMEOUTS,
        "Close a connection that was idle for this long after an answer; above what load "
        "balancers use, since it costs no thread.",
        flags=("--timeout-keep-alive",),
    )
    header_timeout: float | None = option(
        30.0,
        kinds.duration(minimum=0.001),
        TIMEOUTS,
        "Time for the first byte, and from it for the whole request head: then 408 (a silent "
        "close where no byte came).",
    )
    body_timeout: float | None = option(
        30.0,
        kinds.duration(minimum=0.001),
        TIMEOUTS,
        "No progress of a request body for this long, or under 500 bytes/s on average after it: "
        "408.",
    )
    send_timeout: float | None = option(
        30.0,
        kinds.duration(minimum=0.001),
        TIMEOUTS,
        "No progress of a response for this long: the connection is cut.",
    )
    graceful_timeout: float | None = option(
        30.0,
        kinds.duration(),
        TIMEOUTS,
        "Time that running requests have to end after TERM or INT.",
        flags=("--timeout-graceful-shutdown",),
    )
    limit_request_line: int | None = option(
        16 * 1024, kinds.size(minimum=1, zero=True), LIMITS, "A longer request line: 414."
    )
    limit_request_fields: int | None = option(
        128,
        kinds.count(minimum=1, none=True),
        LIMITS,
        "More header fields, trailers counted too: 431.",
    )
    limit_request_field_size: int | None = option(
        16 * 1024, kinds.size(minimum=1, zero=True), LIMITS, "A longer header field: 431."
    )
    limit_request_head: int | None = option(
        64 * 1024, kinds.size(minimum=1), LIMITS, "A longer request head as a whole: 431."
    )
    limit_request_body: int | None = option(
        1024**3,
        kinds.size(minimum=1),
        LIMITS,
        "A longer request body, announced or received: 413.",
        flags=("--max-request-body-size",),
    )
    request_buffering: bool = option(
        True,
        kinds.switch("value"),
        BUFFERS,
        "on: the application starts when the whole body is here; off: at the head, and the body "
        "is streamed with back-pressure.",
    )
    spool_threshold: int = option(
        512 * 1024,
        kinds.size(none=False),
        BUFFERS,
        "Memory per request body; what is longer goes to a temporary file.",
        flags=("--inbuf-overflow",),
    )
    response_buffer: int = option(
        1024**2,
        kinds.size(none=False),
        BUFFERS,
        "Memory per response that its client has not read yet; then a temporary file.",
        flags=("--outbuf-overflow",),
    )
    response_spool: int | None = option(
        256 * 1024**2,
        kinds.size(),
        BUFFERS,
        "Temporary file per response; when it is full the application waits for the client.",
    )
    root_path: str = option(
        "",
        kinds.text("PATH", check_root_path),
        FIELDS,
        "Where the application is mounted: SCRIPT_NAME.",
        flags=("--url-prefix",),
        default_text="$SCRIPT_NAME or empty",
        well_known="SCRIPT_NAME",
    )
    header_map: str = option(
        "drop",
        kinds.choice("drop", "refuse", "dangerous"),
        FIELDS,
        "Request fields with _ in their names: drop them, refuse the request (400), or pass them "
        "on, mixed up with those that have -.",
    )
    server_header: bool = option(
        True, kinds.switch(), FIELDS, "Send Server; the application's own wins."
    )
    date_header: bool = option(
        True, kinds.switch(), FIELDS, "Send Date; the application's own wins."
    )
    header: tuple[tuple[str, str], ...] = option(
        (),
        kinds.several("NAME:VALUE", check_field, "\n"),
        FIELDS,
        "Send this field with every response, repeatable (one a line in the variable).",
        default_text="none",
    )

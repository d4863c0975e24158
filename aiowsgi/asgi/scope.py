"""An ASGI scope as a RequestHead and its Endpoints (ASGI HTTP spec 2.5, connection scope).

The law: the scope is read and not changed (A13); each optional key may be missing or None (A9);
what the environ gets are the bytes of the wire, where the host kept them (A8).
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, Final
from urllib.parse import quote, unquote

from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.grammar import all_digits
from aiowsgi.http11.messages import Endpoints, RequestHead

Scope = MutableMapping[str, Any]

# RFC 3986 3.3: what may stand in a path as it is.
_IN_PATH: Final = "/:@!$&'()*+,;=~-._"
_NAMES: Final = FieldNames()


def request_head(scope: Scope, names: FieldNames = _NAMES) -> RequestHead:
    """Read what a scope says of its request."""
    path = _path(scope)
    query = (scope.get("query_string") or b"").decode("latin-1")
    fields = names.join(_text(scope.get("headers") or ()))
    length = fields.get("CONTENT_LENGTH", "")
    return RequestHead(
        scope["method"].upper(),
        f"{path}?{query}" if query else path,
        path,
        query,
        scope.get("http_version") or "1.1",
        fields,
        content_length=int(length) if all_digits(length) else None,
        chunked="HTTP_TRANSFER_ENCODING" in fields,
    )


def endpoints(scope: Scope) -> Endpoints:
    """Who talks to whom; a unix socket has a path and no port (A9)."""
    return Endpoints(
        _address(scope.get("client")), _address(scope.get("server")), scope.get("scheme") or "http"
    )


def offers(scope: Scope, extension: str) -> bool:
    """Whether the host has this extension (A14)."""
    return extension in (scope.get("extensions") or ())


def _text(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        yield name.decode("latin-1"), value.decode("latin-1").strip(" \t")


def _path(scope: Scope) -> str:
    """Find the percent-encoded path, with the mount where the host has it there.

    `raw_path` alone has bytes that are no UTF-8; it counts where it says what `path` says, in which
    the mount may be left out (older Starlette). Middleware that rewrites paths changes only `path`.
    """
    path: str = scope.get("path") or ""
    raw: str = (scope.get("raw_path") or b"").partition(b"?")[0].decode("latin-1")
    if raw:
        told = unquote(raw)
        if told == path or told == (scope.get("root_path") or "").rstrip("/") + path:
            return raw
    return quote(path.encode("utf-8", "surrogateescape"), safe=_IN_PATH)


def _address(pair: Any) -> tuple[str, str]:
    if not pair:
        return "", ""
    host, port = pair[0], pair[1]
    return str(host or ""), "" if port is None else str(port)

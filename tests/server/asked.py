"""An application that tells who asked for what, and clients that read it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.server.http_client import get

KEYS = (
    *("REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "HTTPS"),
    *("SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme"),
)


def asked(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the keys that say who asked for what, as JSON."""
    environ["wsgi.input"].read()
    found = {key: environ[key] for key in KEYS if key in environ}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]


def told(answer: bytes) -> dict[str, Any]:
    """What the application told, of the bytes of one response that is complete."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    found = json.loads(body)
    assert isinstance(found, dict)
    return found


def last(*fields: bytes, target: bytes = b"/") -> bytes:
    """A GET after which the server closes."""
    return get(*fields, b"Connection: close", target=target)


def unix_client(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(path)
    return client

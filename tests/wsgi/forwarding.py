"""Requests through a proxy at 10.0.0.1, for the tests of wsgi/forwarded.py."""

from __future__ import annotations

import io
from typing import Any

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.forwarded import ForwardedEnviron
from aiowsgi.wsgi.trust import Trust
from aiowsgi.wsgi.types import Environ

PROXY = Endpoints(("10.0.0.1", "4711"), ("10.0.0.9", "8000"))
UNIX = Endpoints(("", ""), ("localhost", ""))
KEYS = ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTPS", "SERVER_NAME", "SERVER_PORT")
NETWORK = "10.0.0.0/8"


def request(path: str = "/", **fields: str) -> RequestHead:
    """`X_Forwarded_For="a"` is that field; Host is `back:8000` unless it is given."""
    given = {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    given.setdefault("HTTP_HOST", "back:8000")
    return RequestHead("GET", path, path, "", "1.1", given)


def build(
    *trusted: str,
    ends: Endpoints = PROXY,
    path: str = "/",
    root_path: str = "",
    **fields: str,
) -> Environ:
    builder = ForwardedEnviron(EnvironBuilder(root_path=root_path), Trust(trusted))
    head = request(path, **fields)
    return builder.connection(ends, head).build(head, io.BytesIO(), None)


def client(*trusted: str, **fields: Any) -> str:
    return str(build(*trusted, **fields)["REMOTE_ADDR"])


def some(environ: Environ, *keys: str) -> dict[str, Any]:
    return {key: environ[key] for key in keys if key in environ}


EVERYTHING = {
    "x_forwarded_for": "192.0.2.7",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "example.org",
    "x_forwarded_port": "8443",
    "x_forwarded_prefix": "/app",
}

"""aiowsgi: a WSGI server on asyncio. The loop owns every client; a thread runs application code.

The public names. Each is imported at its first use, so that a program that wants one part (say
`aiowsgi.asgi` inside another server) does not pay for the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from aiowsgi.version import __version__

if TYPE_CHECKING:
    from aiowsgi.config import Config
    from aiowsgi.errors import ApplicationError, ClientDisconnected, ConfigError, ProtocolError
    from aiowsgi.run import run, serve
    from aiowsgi.server.server import Server
    from aiowsgi.simple_server import make_server

__all__ = [
    "ApplicationError",
    "ClientDisconnected",
    "Config",
    "ConfigError",
    "ProtocolError",
    "Server",
    "__version__",
    "make_server",
    "run",
    "serve",
]

_HOMES = {
    "ApplicationError": "aiowsgi.errors",
    "ClientDisconnected": "aiowsgi.errors",
    "Config": "aiowsgi.config",
    "ConfigError": "aiowsgi.errors",
    "ProtocolError": "aiowsgi.errors",
    "Server": "aiowsgi.server.server",
    "make_server": "aiowsgi.simple_server",
    "run": "aiowsgi.run",
    "serve": "aiowsgi.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aiowsgi' has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

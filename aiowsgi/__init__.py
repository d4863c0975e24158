"""aiowsgi: a WSGI server on asyncio. The loop owns every client; a thread runs application code.

The public names. What needs asyncio is imported at its first use, so that a wrong flag is told, and
a program that only wants a Config starts, without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from aiowsgi.config import Config
from aiowsgi.errors import ApplicationError, ClientDisconnected, ConfigError, ProtocolError

# Not at its first use: importing the module `run` later would put it in the function's place.
from aiowsgi.run import run, serve
from aiowsgi.version import __version__

if TYPE_CHECKING:
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

_LATER = {"Server": "aiowsgi.server.server", "make_server": "aiowsgi.simple_server"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'aiowsgi' has no attribute {name!r}")
    found = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

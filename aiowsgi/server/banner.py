"""The banner: what whoever starts a server reads first, in the error log.

The same for one process and for a supervisor, which speaks for its workers.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable

from aiowsgi.config import Config
from aiowsgi.server.account import number_of
from aiowsgi.version import __version__, compiled
from aiowsgi.wsgi.types import WSGIApplication

logger = logging.getLogger("aiowsgi.error")


def name_of(app: WSGIApplication | str) -> str:
    """What the application is called: as it was named, or after its function or class."""
    if isinstance(app, str):
        return app
    kind = app if hasattr(app, "__qualname__") else type(app)
    return f"{kind.__module__}:{kind.__qualname__}"


def greet(application: str, config: Config, loop: str, urls: Iterable[str]) -> None:
    """Say what serves which application, and where; `loop` is the event loop's own name."""
    threads = number_of(config.thread_count, "thread")
    if config.worker_count > 1:
        threads = f"{config.worker_count} workers with {threads} each"
    build = "compiled" if compiled() else "pure Python"
    how = f"{build}, {loop}, {threads}"
    logger.info("aiowsgi %s serves %s (%s)", __version__, application, how)
    for url in urls:
        logger.info("Listening at: %s (%d)", url, os.getpid())
    if sys.stderr is not None and sys.stderr.isatty():
        logger.info("(Press CTRL+C to quit)")

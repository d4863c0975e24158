"""From an application and its options to a running server; the way of the command, too."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiowsgi import importer
from aiowsgi.errors import ConfigError
from aiowsgi.settings import Settings, resolve
from aiowsgi.watch.logs import set_up_logs
from aiowsgi.wsgi.types import WSGIApplication


def run(app: WSGIApplication | str, **options: Any) -> None:
    """Serve `app` until INT or TERM; a string is imported as the command does it.

    `options` are the flags with underscores, as Python values or as text; where one is not given,
    its `AIOWSGI_*` variable holds, as for the command. Raises ConfigError (its `exit_code` says
    which kind): a wrong option, an application that does not load, an address that is taken.
    """
    start(app, lambda: resolve(options, os.environ))


serve = run


def start(
    app: WSGIApplication | str,
    read: Callable[[], Settings],
    settings: Settings | None = None,
) -> None:
    """Serve `app` in this process, or with workers where that is wanted. Raises ConfigError.

    `read` makes the settings, for a reload once more; `settings` are what it has made already.
    """
    settings = read() if settings is None else settings
    if not settings.supervised:
        serve_loaded(load(app, settings), settings)
        return
    _check_workers(app, settings)
    if settings.config.preload:
        app = load(app, settings)
    with _no_collection():
        from aiowsgi.supervised import supervise
    supervise(app, settings, read)


def _check_workers(app: WSGIApplication | str, settings: Settings) -> None:
    if not hasattr(os, "fork"):
        raise ConfigError(
            "workers: this system cannot share sockets among processes as workers need it: leave "
            "it out (and WEB_CONCURRENCY), and one process serves"
        )
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError(
            "workers: signals come to a program's main thread only: call run() there, or leave "
            "workers out"
        )
    if not isinstance(app, str) and not settings.config.preload:
        raise ConfigError(
            "workers: each worker is a new process, which imports the application by its name: "
            'give the name, run("module:app", workers=...), or add preload=True'
        )


def load(app: WSGIApplication | str, settings: Settings) -> WSGIApplication:
    """Change the directory, import or make the application, and check it. Raises ConfigError."""
    importer.enter(settings.config.chdir)
    factory = settings.config.factory
    if isinstance(app, str):
        return importer.load(app, factory=factory)
    return importer.check(app, getattr(app, "__qualname__", type(app).__name__), factory=factory)


def check_files(settings: Settings) -> None:
    """Read what serving would read before it listens: certificate and key. Raises ConfigError."""
    from aiowsgi.server.tls import server_context

    server_context(settings.config)


def serve_loaded(application: WSGIApplication, settings: Settings) -> None:
    """Serve an application that `load` returned, until a signal ends it."""
    # Imported late: a wrong flag or a broken application is told without the cost of a loop.
    with _no_collection():
        from aiowsgi.server.server import Server

    set_up_logs(settings.config.log_level)
    server = Server(application, settings.config)
    server.run()
    if server.stuck:
        # The interpreter would join the pool's threads, and a stuck view never ends: the deadline
        # is hard. What ran is in the log by now.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let the garbage collector rest: modules are no garbage, and looking costs a tenth of them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

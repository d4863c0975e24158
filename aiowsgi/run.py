"""From an application and its options to a running server; the way of the command, too."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiowsgi import importer
from aiowsgi.config import Config
from aiowsgi.env_file import Exported
from aiowsgi.errors import ConfigError
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.settings import Settings, resolve
from aiowsgi.wsgi.types import WSGIApplication

if TYPE_CHECKING:
    from aiowsgi.server.certificates import Certificates
    from aiowsgi.server.sockets import Listener


def run(app: WSGIApplication | str, **options: Any) -> None:
    """Serve `app` until INT or TERM; a string is imported as the command does it.

    `options` are the flags with underscores, as Python values or as text; where one is not given,
    its `AIOWSGI_*` variable holds, then the file of options, as for the command. Raises ConfigError
    (its `exit_code` says which kind): a wrong option, an application that does not load, an address
    that is taken.
    """
    environ, directory = dict(os.environ), start_directory()
    start(app, lambda: resolve(options, environ, directory=directory))


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
    exported = Exported(os.environ)
    exported.become(settings.variables)

    def reread() -> Settings:
        again = read()
        exported.become(again.variables)
        return again

    supervised = settings.supervised and _can_supervise(app, settings)
    directory = start_directory()
    importer.enter(settings.config.chdir)
    stuck = False
    with _process(settings.config):
        if supervised and isinstance(app, str) and settings.config.reload:
            with _no_collection():
                from aiowsgi.reloading import serve_and_reload
            serve_and_reload(app, settings, reread, directory)
        elif supervised:
            with _no_collection():
                from aiowsgi.supervised import supervise
            if settings.config.preload:
                app = load(app, settings)
            supervise(app, settings, reread, directory)
        else:
            stuck = _serve_alone(app, settings)
    if stuck:
        # The interpreter would join the pool's threads, and a stuck view never ends: the deadline
        # is hard. What ran is in the log by now.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _can_supervise(app: WSGIApplication | str, settings: Settings) -> bool:
    """Whether there can be a supervisor; ConfigError where one process will not do instead."""
    config = settings.config
    what = "reload" if config.reload else "workers"
    if not hasattr(os, "fork"):
        if config.worker_count == 1 and not config.preload and not config.reload:
            return False
        raise ConfigError(
            f"{what}: this system cannot share sockets among processes as workers need it: leave "
            "it out (and WEB_CONCURRENCY, and preload), and one process serves"
        )
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError(
            f"{what}: signals come to a program's main thread only: call run() there, or leave "
            f"{what} out"
        )
    if not isinstance(app, str) and not config.preload:
        instead = "" if config.reload else ", or add preload=True"
        raise ConfigError(
            f"{what}: each worker is a new process, which imports the application by its name: "
            f'give the name, run("module:app", {what}=...){instead}'
        )
    return True


def load(app: WSGIApplication | str, settings: Settings) -> WSGIApplication:
    """Import or make the application, and check it. Raises ConfigError."""
    factory = settings.config.factory
    if isinstance(app, str):
        return importer.load(app, factory=factory)
    return importer.check(app, getattr(app, "__qualname__", type(app).__name__), factory=factory)


def check(app: str, settings: Settings) -> None:
    """Do what serving does before it listens: load the application, read certificate and key.

    Raises ConfigError.
    """
    from aiowsgi.server.tls import server_context

    Exported(os.environ).become(settings.variables)
    importer.enter(settings.config.chdir)
    load(app, settings)
    server_context(settings.config)


def _serve_alone(app: WSGIApplication | str, settings: Settings) -> bool:
    """Serve in this process, until a signal ends it; whether a thread is stuck in a view."""
    config = settings.config
    another = config.user is not None or config.group is not None
    application = None if another else load(app, settings)
    # Imported late: a wrong flag or a broken application is told without the cost of a loop.
    with _no_collection():
        from aiowsgi.server.server import Server

    set_up_logging(config)
    if application is not None:
        server = Server(application, config)
    else:
        listeners, own, application = _become_another(app, settings)
        server = Server(application, config)
        server.adopt(listeners, own, alone=True)
    if isinstance(app, str):
        server.name = app
    server.run()
    return bool(server.stuck)


def _become_another(
    app: WSGIApplication | str, settings: Settings
) -> tuple[list[Listener], Certificates | None, WSGIApplication]:
    """Open the addresses, become the user and group of the config, and only then load `app`."""
    from aiowsgi.server.identity import identity
    from aiowsgi.server.opening import open_listeners

    owner = identity(settings.config.user, settings.config.group)
    listeners, own = open_listeners(settings.config, owner)
    try:
        if owner is not None:
            owner.assume()
        return listeners, own, load(app, settings)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise


@contextmanager
def _process(config: Config) -> Iterator[None]:
    """Have the mask, the pid file and the name that are wanted; most often none is."""
    if config.umask is None and config.pid is None and config.name is None:
        yield
        return
    from aiowsgi.server.process import as_process, entitle

    with as_process(config):
        entitle(config.name, "")
        yield


def start_directory() -> str:
    """Where we were started, by the name that the shell knows: a reload follows a symbolic link."""
    current, told = os.getcwd(), os.environ.get("PWD", "")
    try:
        return told if told and os.path.samefile(told, current) else current
    except OSError:
        return current


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

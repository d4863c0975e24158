"""Several processes: what the supervisor is given, and what a worker makes of what it is told.

By default a worker is a fresh interpreter that imports the application by its name: a reload brings
new code. With `preload` this process imports it, and workers are copies.
"""

from __future__ import annotations

import os
import pickle
import socket
import sys
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from aiowsgi import importer
from aiowsgi.config import OPTIONS, Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.banner import name_of
from aiowsgi.server.certificates import certificates
from aiowsgi.server.identity import identity
from aiowsgi.server.launch import Launch, Start
from aiowsgi.server.lifeline import FAILED, Lifeline
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.server.opening import open_listeners
from aiowsgi.server.process import entitle
from aiowsgi.server.server import Server
from aiowsgi.server.signals import reset_signals
from aiowsgi.server.sockets import Listener
from aiowsgi.server.spawn import end_now, fork, spawn
from aiowsgi.server.supervisor import Supervisor
from aiowsgi.server.worker import Worker
from aiowsgi.settings import Settings
from aiowsgi.wsgi.types import WSGIApplication

Load = Callable[[], WSGIApplication]


class Task(NamedTuple):
    """What a fresh interpreter has to do; listeners are (descriptor, url)."""

    reference: str
    config: Config
    listeners: list[tuple[int, str]]


def supervise(
    app: WSGIApplication | str,
    settings: Settings,
    reread: Callable[[], Settings],
    directory: str,
) -> None:
    """Serve with as many workers as the settings want, until a signal ends it. ConfigError.

    `app` is the name of the application, or itself where it is preloaded. `reread` makes the
    settings anew, for a reload. `directory`: where we were started.
    """
    config = settings.config
    set_up_logging(config)
    launch: Launch
    if isinstance(app, str):
        check_functions(config)
        launch = Fresh(app, directory)
    else:
        launch = Copies(app)
    listeners, _ = open_listeners(config, identity(config.user, config.group))
    entitle(config.name, "supervisor")
    supervisor = Supervisor(config, listeners, launch, lambda: reread().config)
    supervisor.name = name_of(app)
    supervisor.run()


class Fresh:
    """Launches workers that are interpreters of their own, in the directory that we started in."""

    def __init__(self, reference: str, directory: str) -> None:
        self._reference = reference
        self._directory = directory
        # What we find in the current directory first, they find in theirs, be it another by then.
        self._path = ["", *sys.path[1:]] if sys.path[0] == os.getcwd() else sys.path

    def __call__(self, start: Start) -> tuple[int, bytes]:
        """Start one."""
        listeners = [(each.socket.fileno(), each.url) for each in start.listeners]
        return spawn(
            (__name__, work.__name__),
            Task(self._reference, start.config, listeners),
            start.line.fileno(),
            inherits=[number for number, _ in listeners],
            directory=os.path.join(self._directory, start.config.chdir or ""),
            path=self._path,
        )


class Copies:
    """Launches workers that are copies of this process, application and all."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, start: Start) -> tuple[int, bytes]:
        """Start one."""

        def work_here() -> int:
            start.forget()
            reset_signals()
            # Not the supervisor's own, which remove the files of their sockets when they close.
            listeners = [Listener(each.socket, each.url, borrowed=True) for each in start.listeners]
            line = Lifeline(start.line)
            return _work(lambda: self._application, start.config, listeners, line)

        return fork(work_here), b""


def work(line: int, told: BinaryIO) -> int:
    """Be a worker in a fresh interpreter; the exit code. `told`: where the Task is."""
    reset_signals()
    lifeline = Lifeline(socket.socket(fileno=line))
    try:
        task: Task = pickle.load(told)  # noqa: S301 - our own supervisor wrote it
    except EOFError:
        return 0  # it is dead already
    listeners = [Listener(socket.socket(fileno=number), url) for number, url in task.listeners]

    def load() -> WSGIApplication:
        importer.enter(None)
        return importer.load(task.reference, factory=task.config.factory)

    return _work(load, task.config, listeners, lifeline)


def _work(load: Load, config: Config, listeners: list[Listener], line: Lifeline) -> int:
    """Load the application and serve it; what is wrong with it is for the supervisor to tell."""
    entitle(config.name, "worker")
    try:
        own = certificates(config)
        owner = identity(config.user, config.group)
        if owner is not None:
            owner.assume()  # the key has been read, and no code of the application has run
        application = load()
    except ConfigError as error:
        line.say(FAILED, f"{error.exit_code} {error}")
        return error.exit_code
    set_up_logging(config)
    server = Server(application, config)
    server.adopt(listeners, own)
    Worker(server, line).run()
    if server.stuck:
        end_now(0)  # the interpreter would wait for the threads; the log has what they do
    return 0


def check_functions(config: Config) -> None:
    """ConfigError where an option is a function that a fresh interpreter would not find."""
    for name in OPTIONS:
        value = getattr(config, name)
        if callable(value) and getattr(value, "__module__", None) == "__main__":
            raise ConfigError(
                f"{name}: workers are new processes, which do not run this program and so do not "
                "find its functions: put it into a module of its own, or use preload"
            )

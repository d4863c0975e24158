"""The process as its system sees it: its mask, its pid file, its name in ps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from aiowsgi.config import Config
from aiowsgi.server.pidfile import pid_file


@contextmanager
def as_process(config: Config) -> Iterator[None]:
    """Have what the config wants of the process as a whole for as long as the block runs.

    Raises ConfigError where the pid file cannot be had.
    """
    with ExitStack() as stack:
        if config.umask is not None:
            stack.callback(os.umask, os.umask(config.umask))
        if config.pid is not None:
            stack.enter_context(pid_file(config.pid))
        yield


def entitle(name: str | None, role: str) -> None:
    """Show `name: role` in ps; nothing where there is no name, or setproctitle is not installed."""
    if name is None:
        return
    try:
        from setproctitle import setproctitle
    except ImportError:
        return
    setproctitle(f"{name}: {role}" if role else name)

"""What it takes to start a worker process, whichever way it is started."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from aiowsgi.config import Config
from aiowsgi.server.sockets import Listener


class Start(NamedTuple):
    """What it takes to start a worker; in a copy of this process `forget` closes what is ours."""

    config: Config
    listeners: list[Listener]
    line: socket.socket  # the worker's end
    forget: Callable[[], None]


# Starts a worker: its pid, and what has to be said on its line first. Raises OSError, ConfigError.
Launch = Callable[[Start], tuple[int, bytes]]

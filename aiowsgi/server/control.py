"""The control socket: where it is, and what can be asked and told there.

Whoever can connect to it can stop the server, so that it is its owner's alone: mode 600, in a
directory that nobody else may write to. Its language is HTTP with JSON, which `aiowsgi ctl` speaks,
and `curl --unix-socket` as well.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from functools import partial

from aiowsgi.server.asked import Asked, Route
from aiowsgi.server.watched import REQUESTS, STACKS, CommandRefusedError, Watched

_SUFFIX = ".sock"
_PATIENCE = 1.0  # seconds for a connection


def directory() -> str:
    """Where the sockets of this user's servers are, each named by its process."""
    of_user = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isdir(of_user):
        return os.path.join(of_user, "aiowsgi")
    import tempfile  # brings a lot, and few come here

    return os.path.join(tempfile.gettempdir(), f"aiowsgi-{os.getuid()}")


def default_path() -> str:
    """The path for this process, in a directory that is there then. Raises OSError."""
    own = directory()
    with suppress(FileExistsError):
        os.mkdir(own, 0o700)
    status = os.lstat(own)
    private = status.st_uid == os.getuid() and not status.st_mode & 0o077
    if not (stat.S_ISDIR(status.st_mode) and private):
        raise PermissionError(f"{own} is not a directory of this user's alone")
    for path in found():  # a server that was killed could not remove its own
        pid = os.path.basename(path).removesuffix(_SUFFIX)
        if pid.isdigit() and not _runs(int(pid)) and not is_alive(path):
            with suppress(FileNotFoundError):
                os.unlink(path)
    return os.path.join(own, f"{os.getpid()}{_SUFFIX}")


def found() -> list[str]:
    """The sockets that are there, whether anybody listens or not."""
    own = directory()
    try:
        names = sorted(os.listdir(own))
    except OSError:
        return []
    return [os.path.join(own, name) for name in names if name.endswith(_SUFFIX)]


def is_alive(path: str) -> bool:
    """Whether a server listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE)
        return probe.connect_ex(path) == 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def routes(watched: Watched) -> dict[tuple[str, str], Route]:
    """What can be asked and told."""
    return {
        ("GET", "/status"): lambda asked: asked.answer_json(watched.status()),
        ("GET", "/requests"): table(watched, REQUESTS),
        ("GET", "/stacks"): table(watched, STACKS),
        ("POST", "/reload"): partial(_command, watched),
        ("POST", "/stop"): partial(_command, watched),
        ("POST", "/workers/*"): partial(_command, watched),
    }


def table(watched: Watched, question: str) -> Route:
    """The route that answers a question for the table."""
    return lambda asked: watched.ask(question, asked.answer_json)


def _command(watched: Watched, asked: Asked) -> None:
    _, name, *value = asked.path.split("/")
    try:
        watched.command(name, "".join(value))
    except CommandRefusedError as error:
        asked.refuse(str(error))
    else:
        asked.answer_json({"done": name})

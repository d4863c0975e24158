"""`aiowsgi ctl`: asks a running server what it is doing, and tells it what to do.

It speaks HTTP over the control socket (server/control.py), which it finds where servers of this
user put theirs, unless it is told the path. What it prints is for people, or with `-j` the JSON
that the server said.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

import click

from aiowsgi import ctl_text
from aiowsgi.errors import ConfigError
from aiowsgi.server.control import directory, found, is_alive

_PATIENCE = 10.0  # seconds for an answer
_VARIABLE = "AIOWSGI_CONTROL_SOCKET"
_NOT_THERE = 1  # exit code: no server, or one that refuses

Show = Callable[[Any], list[str]]


class _UnixConnection(http.client.HTTPConnection):
    """HTTP to a socket's file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._path)


def control(args: Sequence[str]) -> int:
    """Run the command; its exit code: 0 done, 1 no server or refused, 2 usage."""
    code = _group().main(args, prog_name="aiowsgi ctl", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _group() -> click.Group:
    group = click.Group(
        "ctl",
        help="Ask a running server what it is doing, or tell it what to do, by its control socket.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    asked: list[tuple[str, Show, str]] = [
        ("status", ctl_text.status, "Show the processes, their threads, queues and connections."),
        ("requests", ctl_text.requests, "Show each request that is not answered yet."),
        ("stacks", ctl_text.stacks, "Show the same with the line of code that each thread is at."),
    ]
    for name, show, words in asked:
        group.add_command(_command(name, words, _asks(name, show)))
    group.add_command(_command("reload", "Replace the workers, one by one.", _tells("reload")))
    group.add_command(_command("stop", "End gracefully.", _tells("stop")))
    number = click.Argument(["number"], type=click.IntRange(1))
    words = "Have so many workers from now on."
    group.add_command(_command("workers", words, _tells("workers"), number))
    return group


def _command(
    name: str, words: str, run: Callable[..., int], *more: click.Parameter
) -> click.Command:
    parameters = [
        *more,
        click.Option(["-j", "--json", "as_json"], is_flag=True, help="Print JSON."),
        click.Option(
            ["--control-socket", "path"],
            metavar="PATH",
            envvar=_VARIABLE,
            help=f"The server's socket [default: ${_VARIABLE}, or the only one that is found].",
        ),
    ]
    return click.Command(name, params=parameters, callback=run, help=words)


def _asks(name: str, show: Show) -> Callable[..., int]:
    def ask(as_json: bool, path: str | None) -> int:
        told = _talk(path, "GET", f"/{name}")
        _print(json.dumps(told, indent=2) if as_json else "\n".join(show(told)))
        return 0

    return ask


def _tells(name: str) -> Callable[..., int]:
    def tell(as_json: bool, path: str | None, number: int | None = None) -> int:
        told = _talk(path, "POST", f"/{name}" if number is None else f"/{name}/{number}")
        if "error" in told:
            if as_json:
                _print(json.dumps(told, indent=2))
            raise ConfigError(told["error"], exit_code=_NOT_THERE)
        _print(json.dumps(told, indent=2) if as_json else ctl_text.DONE[name])
        return 0

    return tell


def _talk(path: str | None, method: str, target: str) -> Any:
    """Ask the server; what it said. Raises ConfigError where there is none."""
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigError("this system has no unix sockets, and so no control socket")
    path = path or _only_one()
    connection = _UnixConnection(path)
    try:
        connection.request(method, target, headers={"Content-Length": "0"})
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise ConfigError(f"no server answers at {path}: {why}", exit_code=_NOT_THERE) from None
    finally:
        connection.close()


def _only_one() -> str:
    alive = [path for path in found() if is_alive(path)]
    if len(alive) == 1:
        return alive[0]
    if alive:
        listed = "".join(f"\n  {path}" for path in alive)
        raise ConfigError(f"several servers run: name one by --control-socket PATH{listed}")
    raise ConfigError(
        f"no server of this user has a control socket in {directory()}: servers with several "
        "workers do; for another, start it with --control-socket PATH, and name the same here",
        exit_code=_NOT_THERE,
    )


def _print(text: str) -> None:
    click.echo(text)

"""A client of the pages for operators, over TCP or a unix socket."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple


class Told(NamedTuple):
    """One answer."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Connection(HTTPConnection):
    """HTTP to a port of this machine, or to a socket's file."""

    def __init__(self, where: int | Path) -> None:
        super().__init__("127.0.0.1", where if isinstance(where, int) else None, timeout=20)
        self._path = str(where) if isinstance(where, Path) else None

    def connect(self) -> None:
        if self._path is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


def ask(where: int | Path, target: str, method: str = "GET", **fields: str) -> Told:
    """Ask once; names of fields have `_` for `-`."""
    with closing(_Connection(where)) as connection:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Told(answer.status, found, answer.read())

"""The plan of a format: made once from its pieces, followed for each line.

A plan is one text with a place for each atom, and the functions that fill the places; no format is
read while requests are served. What a format does not ask for is not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeAlias

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.line_format import Atom
from aiowsgi.watch.combined import user
from aiowsgi.watch.entry import Entry, of_exchange, of_refusal
from aiowsgi.watch.lines import Lines, Stamps, escaped, is_plain, six_digits, stamp

Fill: TypeAlias = Callable[[Entry], str]

_TIMED: Final = frozenset("TMDLF")  # the atoms that need the clock


class PlannedLines(Lines):
    """Makes lines by one function; any thread."""

    def __init__(self, write: Fill, *, timed: bool = True) -> None:
        self._write = write
        self.timed = timed

    def answered(self, exchange: Exchange) -> str:
        """The line of an exchange that is over."""
        return self._write(of_exchange(exchange))

    def rejected(self, client: str, error: ProtocolError, sent: int) -> str:
        """The line of a request that the server refused by itself."""
        return self._write(of_refusal(client, error, sent))


class Plan:
    """Makes the lines of a format; any thread."""

    def __init__(self, pieces: list[str | Atom]) -> None:
        self._text = ""
        self._fills: list[Fill] = []
        self.timed = False
        for piece in pieces:
            if isinstance(piece, str):
                self._text += piece.replace("%", "%%")
                continue
            self._text += f"%{piece.width}s"
            self._fills.append(_fill(piece))
            self.timed = self.timed or piece.letter in _TIMED

    def write(self, entry: Entry) -> str:
        """Make one line."""
        return self._text % tuple([fill(entry) for fill in self._fills])


def _fill(atom: Atom) -> Fill:
    if atom.letter == "t":
        stamps = Stamps(stamp)
        return lambda entry: f"[{stamps.now()}]"
    if atom.letter == "p":
        return lambda entry: f"<{os.getpid()}>"
    if not atom.name:
        return _FILLS[atom.letter]
    if atom.letter == "o":
        wanted = atom.name.lower()
        return lambda entry: _text(
            ", ".join([value for name, value in entry.answer if name.lower() == wanted])
        )
    variable = atom.name
    if atom.letter == "e" and variable in _VARIABLES:
        return _VARIABLES[variable]
    if atom.letter == "i":
        variable = atom.name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):  # CGI has these without HTTP_
            variable = "HTTP_" + variable
    return lambda entry: _text(entry.fields.get(variable, ""))


def _text(value: str) -> str:
    if not value:
        return "-"
    return value if is_plain(value) else escaped(value)


def _seconds(value: float) -> str:
    return six_digits(value) if value >= 0 else "-"


def _whole(value: float, unit: int) -> str:
    return str(int(value * unit)) if value >= 0 else "-"


def _user(entry: Entry) -> str:
    authorization = entry.fields.get("HTTP_AUTHORIZATION", "")
    return user(authorization) or "-" if authorization else "-"


def _connection(entry: Entry) -> str:
    """Apache's %X: X = ended before the response did, + = stays open, - = is closed after it."""
    return "X" if entry.aborted else "+" if entry.kept else "-"


# What is in environ and no field of the request; the rest of environ is gone when a line is made.
_VARIABLES: Final[dict[str, Fill]] = {
    "REQUEST_METHOD": lambda entry: _text(entry.method),
    "REQUEST_URI": lambda entry: _text(entry.target),
    "RAW_URI": lambda entry: _text(entry.target),
    "QUERY_STRING": lambda entry: _text(entry.query),
    "SERVER_PROTOCOL": lambda entry: _text(entry.version and "HTTP/" + entry.version),
    "REMOTE_ADDR": lambda entry: entry.client or "-",
    "aiowsgi.request_id": lambda entry: _text(entry.request_id),
}
_FILLS: Final[dict[str, Fill]] = {
    "h": lambda entry: entry.client or "-",
    "l": lambda entry: "-",
    "u": _user,
    "r": lambda entry: _text(entry.line),
    "m": lambda entry: _text(entry.method),
    "U": lambda entry: _text(entry.path),
    "q": lambda entry: "" if not entry.query else _text(entry.query),
    "H": lambda entry: _text(entry.version and "HTTP/" + entry.version),
    "s": lambda entry: str(entry.status or "-"),
    "b": lambda entry: str(entry.sent or "-"),
    "B": lambda entry: str(entry.sent),
    "f": lambda entry: _text(entry.fields.get("HTTP_REFERER", "")),
    "a": lambda entry: _text(entry.fields.get("HTTP_USER_AGENT", "")),
    "T": lambda entry: _whole(entry.seconds, 1),
    "M": lambda entry: _whole(entry.seconds, 1000),
    "D": lambda entry: _whole(entry.seconds, 1_000_000),
    "L": lambda entry: _seconds(entry.seconds),
    "Q": lambda entry: _seconds(entry.queued),
    "F": lambda entry: _seconds(entry.first),
    "R": lambda entry: _text(entry.request_id),
    "x": lambda entry: str(entry.received),
    "X": _connection,
}

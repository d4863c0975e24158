"""Flags of other servers: an option of ours by another name, nothing at all here, or refused.

So that a command line of gunicorn, uvicorn, waitress-serve or granian runs with its first word
replaced, and never means something else without a word. The table is aiowsgi/foreign/table.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from aiowsgi.errors import ConfigError

GUNICORN = "gunicorn"
UVICORN = "uvicorn"
WAITRESS = "waitress-serve"
GRANIAN = "granian"

HTTP2 = "HTTP/2 is not spoken: a proxy in front speaks it to clients; leave it out"


class Foreign(NamedTuple):
    """Flags of other servers that have the same fate here; `metavar` is empty where none takes one.

    `option` is ours that they are told as, `told` what it is told, with the value in place of {}.
    `why` is why they mean nothing here, for the values in `only` where there are any; `instead` is
    what to do where they cannot be honoured.
    """

    flags: tuple[str, ...]
    metavar: str
    servers: tuple[str, ...]
    option: str = ""
    told: str = "{}"
    why: str = ""
    only: tuple[str, ...] = ()
    instead: str = ""

    def takes(self, value: str) -> bool:
        """Whether a value is ours to translate or to ignore."""
        return bool(self.option or self.why) and (not self.only or value in self.only)


def same(spelled: str, servers: Sequence[str], option: str, told: str = "{}") -> Foreign:
    """Return the row of flags that are one of ours; `spelled` as in help: `-k, --kind NAME`."""
    return Foreign(*_read(spelled), tuple(servers), option=option, told=told)


def ignored(
    spelled: str, servers: Sequence[str], why: str, *, only: Sequence[str] = (), instead: str = ""
) -> Foreign:
    """Return the row of flags that mean nothing here, or only some of their values do."""
    return Foreign(*_read(spelled), tuple(servers), why=why, only=tuple(only), instead=instead)


def refused(spelled: str, servers: Sequence[str], instead: str) -> Foreign:
    """Return the row of flags that cannot be honoured."""
    return Foreign(*_read(spelled), tuple(servers), instead=instead)


def flags_in(args: Iterable[str], table: Sequence[Foreign]) -> Iterator[tuple[str, Foreign]]:
    """Yield each flag of the table, with its row, that a command line may have."""
    words = {arg.partition("=")[0].replace("_", "-") for arg in args if arg.startswith("-")}
    words |= {f"-{letter}" for word in words if word[1:2] != "-" for letter in word[1:]}
    for row in table:
        for flag in row.flags:
            if flag in words:
                yield flag, row


def translated(flag: str, row: Foreign, values: Sequence[str]) -> dict[str, Any]:
    """Return what options of ours are told; nothing where the flag means nothing here.

    `values` are empty for a flag without one. Raises ConfigError where it cannot be honoured.
    """
    for value in values or ("",):
        if not row.takes(value):
            shown = f"{flag} {value}".rstrip()
            raise ConfigError(f"{shown}, of {' and '.join(row.servers)}: {row.instead}")
    if not row.option:
        return {}
    told = [row.told.replace("{}", value) for value in values or ("",)]
    return {row.option: told if len(told) > 1 else told[0]}


def _read(spelled: str) -> tuple[tuple[str, ...], str]:
    """Return flags and metavar of what help would show."""
    *names, last = spelled.replace(",", "").split()
    return (tuple(names), last) if not last.startswith("-") else ((*names, last), "")

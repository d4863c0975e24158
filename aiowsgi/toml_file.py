"""The file of options: which one it is, and what it says, each value with the line it stands in.

A key is the name of an option, written with `_` or with `-`; an alias will do. Values are what TOML
makes of them, or the text of a flag (`keep_alive = "75s"`), and are checked where all others are.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aiowsgi.config import unknown
from aiowsgi.config_sources import ALL_NAMES, ALL_OPTIONS, NO_FILE
from aiowsgi.errors import ConfigError

OWN = "aiowsgi.toml"
PYPROJECT = "pyproject.toml"
_TABLE = ("tool", "aiowsgi")  # where options stand in a pyproject.toml

# What would have to be known before the file is read, or is said elsewhere.
_NOT_HERE = {
    "config": "the file is chosen by --config or AIOWSGI_CONFIG",
    "env": "write variables into a file of their own, and name it by env_file",
}


class TomlFile(NamedTuple):
    """A file as the operator calls it, and its values: option -> (value, label for messages)."""

    path: str
    values: Mapping[str, tuple[Any, str]]


def read_toml(path: str | None, directory: str | None) -> TomlFile | None:
    """Read `path`, or with None what is found in `directory` (None = look nowhere).

    A relative path counts from the directory. Raises ConfigError with file and line.
    """
    if path == NO_FILE or (path is None and directory is None):
        return None
    base = directory or ""
    if path is not None:
        return _parsed(path, _bytes(os.path.join(base, path)), wanted=True)
    for name in (OWN, PYPROJECT):
        place = os.path.join(base, name)
        if os.path.isfile(place) and (found := _parsed(name, _bytes(place), wanted=False)):
            return found
    return None


# -- the file ------------------------------------------------------------------------------------


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"config: {path} cannot be read: {error.strerror or error}") from None


def _parsed(path: str, data: bytes, *, wanted: bool) -> TomlFile | None:
    """Return what the file says; None for a pyproject.toml without a word to us.

    Most of those do not even have our name in them, and are not parsed for it. Raises ConfigError.
    """
    table = _TABLE if os.path.basename(path) == PYPROJECT else ()
    if table and b"aiowsgi" not in data:
        content: Any = {}
    else:
        content = _toml(path, data)
        for name in table:
            content = content.get(name, {}) if isinstance(content, dict) else {}
    if table and content == {}:
        if wanted:
            raise ConfigError(f"{path}: there is no table [{'.'.join(table)}] with options in it")
        return None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: {'.'.join(table)} has to be a table: [{'.'.join(table)}]")
    return TomlFile(path, dict(_values(path, data.decode(errors="replace"), table, content)))


def _toml(path: str, data: bytes) -> Any:
    # The library of 3.11; what it is made of for those before.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:  # of TOML or of UTF-8
        hint = ""
        if path.endswith(".py"):
            hint = (
                "\nHint: gunicorn's file is a program, ours is not: docs/migrating.md says how to "
                "write it, and contrib/gunicorn.py serves under gunicorn as it is"
            )
        raise ConfigError(f"{path}: it is not valid TOML: {error}{hint}") from None


# -- its values ----------------------------------------------------------------------------------


def _values(
    path: str, text: str, table: tuple[str, ...], content: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Yield each option under its own name. Raises ConfigError for what is none."""
    taken: dict[str, str] = {}
    for key, value in content.items():
        line = _line(text, table, key)
        place = path if line is None else f"{path}:{line}"
        label = f"{place}: {'.'.join([*table, key])}"
        name = _known(key, value, place)
        if name in taken:
            raise ConfigError(f"{label}: {name} is given twice, there by {taken[name]}")
        taken[name] = key
        yield name, (value, label)


def _known(key: str, value: Any, place: str) -> str:
    """Return the option that a key names. Raises ConfigError."""
    alias = key.replace("-", "_")
    if alias not in ALL_NAMES:
        if isinstance(value, dict) and key in ("aiowsgi", "tool"):
            raise ConfigError(
                f"{place}: there is no option {key!r}: in this file options stand at the top, "
                "without a table"
            )
        raise ConfigError(f"{place}: {unknown(alias, ALL_NAMES)}")
    name = ALL_NAMES[alias]
    if name in _NOT_HERE:
        raise ConfigError(f"{place}: {key} cannot be said in the file: {_NOT_HERE[name]}")
    if ALL_OPTIONS[name].kind.unit == "octal" and type(value) is int:
        # TOML has 0o660, but whoever writes 660 means that, and would get 1224.
        raise ConfigError(f'{place}: {key} is octal and has to stand in quotes: "660"')
    return name


def _line(text: str, table: tuple[str, ...], key: str) -> int | None:
    """Return the line in which `key` is set, as far as one can see without parsing."""
    name = rf"""["']?{re.escape(key)}["']?\s*"""
    dot = r"\s*\.\s*"
    setting = re.compile(rf"\s*{name}[.=]")
    below = re.compile(rf"\s*\[+\s*{dot.join([*table, name])}[.\]]")
    header = re.compile(rf"\s*\[\s*{dot.join(table)}\s*\]")
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        if below.match(line) or (inside and setting.match(line)):
            return number
        if line.lstrip().startswith("["):
            inside = bool(table and header.match(line))
    return None

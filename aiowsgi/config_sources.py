"""The options that say where other options come from: files, and variables for the application.

They are no part of Config, which is made of what was read: aiowsgi/settings.py acts on them.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

from aiowsgi import kinds
from aiowsgi.config import OPTIONS
from aiowsgi.options import GROUPS, SOURCE, Option, declared, option

PREFIX = "AIOWSGI_"
NO_FILE = "none"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)  # POSIX, Base Definitions 8.1


def check_variable(given: Any) -> tuple[str, str]:
    """Return (name, value) of `NAME=VALUE` or of a pair; ValueError for what is no variable."""
    if isinstance(given, str):
        name, equals, value = given.partition("=")
        given = (name, value) if equals else ()
    if not isinstance(given, (tuple, list)) or [type(part) for part in given] != [str, str]:
        raise ValueError("NAME=VALUE")
    name, value = given
    if not _NAME.fullmatch(name) or "\0" in value:
        raise ValueError("NAME=VALUE, with a name of letters, digits and _")
    if name.startswith(PREFIX):
        flag = "--" + name[len(PREFIX) :].lower().replace("_", "-")
        raise ValueError(f"a variable of the application; for an option of ours there is {flag}")
    return name, value


def check_file(value: Any) -> str:
    """Return a path as text; ValueError for what is none."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError("the path of a file")
    return path


def _names(value: Any) -> str:
    """Show variables by their names: their values may be secrets."""
    return ", ".join(name for name, _ in value) or "none"


@dataclasses.dataclass(frozen=True, init=False)
class SourceOptions:
    """Where settings are read from, beside the command line and the environment."""

    config: str | None = option(
        None,
        kinds.file(),
        SOURCE,
        "Read options from this file of TOML, keep_alive for --keep-alive; none reads no file.",
        flags=("-c",),
        default_text="./aiowsgi.toml, or [tool.aiowsgi] in ./pyproject.toml",
    )
    env_file: tuple[str, ...] = option(
        (),
        kinds.several("FILE", check_file, os.pathsep),
        SOURCE,
        "Set the variables in this file, NAME=VALUE a line, that the environment does not have; "
        "repeatable. Needs python-dotenv (pip install 'aiowsgi[dotenv]').",
        flags=("--env-files",),
        default_text="none",
    )
    env: tuple[tuple[str, str], ...] = option(
        (),
        dataclasses.replace(kinds.several("NAME=VALUE", check_variable, "\n"), show=_names),
        SOURCE,
        "Set this variable for the application, repeatable.",
        flags=("-e",),
        default_text="none",
    )


SOURCES: dict[str, Option] = declared(SourceOptions)
# All that an operator can say, group after group, and under all names.
ALL_OPTIONS: dict[str, Option] = {
    o.name: o
    for group in GROUPS
    for o in (*SOURCES.values(), *OPTIONS.values())
    if o.group == group
}
ALL_NAMES: dict[str, str] = {alias: name for name, o in ALL_OPTIONS.items() for alias in o.names}

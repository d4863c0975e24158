"""The options of development: which files are watched, so that a change brings the new code."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from aiowsgi import kinds
from aiowsgi.errors import ConfigError
from aiowsgi.options import DEVELOPMENT, option


def check_directory(value: Any) -> str:
    """Return a path as text; whether it is there is found out when it is watched."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError("the path of a directory")
    return path


def check_pattern(value: Any) -> str:
    """Return the pattern; ValueError for what can match nothing."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("a pattern such as *.html or templates/*")
    return value.strip()


@dataclasses.dataclass(frozen=True, init=False)
class ReloadOptions:
    """What is watched while somebody works on the application."""

    reload: bool = option(
        False,
        kinds.switch(),
        DEVELOPMENT,
        "Start the application anew when its code changes; for development, with one worker. Needs "
        "watchfiles (pip install 'aiowsgi[reload]').",
    )
    reload_dir: tuple[str, ...] = option(
        (),
        kinds.several("DIRECTORY", check_directory, os.pathsep),
        DEVELOPMENT,
        "Watch this directory and what is in it, repeatable.",
        default_text="the current directory",
    )
    reload_include: tuple[str, ...] = option(
        (),
        kinds.several("PATTERN", check_pattern, ","),
        DEVELOPMENT,
        "Files that count beside *.py, repeatable: a name such as *.html, or a path in the "
        "directory such as templates/*.",
        default_text="none",
    )
    reload_exclude: tuple[str, ...] = option(
        (),
        kinds.several("PATTERN", check_pattern, ","),
        DEVELOPMENT,
        "Files and directories that do not count, repeatable, named as above; those of version "
        "control, caches, .venv and node_modules never do.",
        default_text="none",
    )

    def check_reload(self, preload: bool) -> None:
        """ConfigError where a change would bring nothing."""
        if self.reload and preload:
            raise ConfigError(
                "reload and preload exclude one another: code that was loaded before the workers "
                "stays as it was; leave one of them out"
            )

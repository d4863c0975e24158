"""Variables from a file, and what of them the application gets: for `--env-file` and `--env`.

The file is python-dotenv's: `NAME=VALUE` a line, with `export`, quotes, `#` and `${OTHER}` as a
shell has them. What the environment has already is left as it is.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, MutableMapping

from aiowsgi.errors import ConfigError

# Read before this file is, and so of no use in it.
_NOT_HERE = ("AIOWSGI_CONFIG", "AIOWSGI_ENV_FILE")


def read_env_file(path: str, directory: str | None, label: str) -> dict[str, tuple[str, str]]:
    """Return the variables, each with its place for messages. Raises ConfigError.

    `label` is who named the file. A relative path counts from the directory.
    """
    try:
        import dotenv
        from dotenv.parser import parse_stream
    except ImportError:
        raise ConfigError(
            f"{label}: it takes python-dotenv to read {path}: pip install 'aiowsgi[dotenv]'"
        ) from None
    try:
        with open(os.path.join(directory or "", path), encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"{label}: {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{label}: {path} is not UTF-8: {error}") from None
    values = dotenv.dotenv_values(stream=io.StringIO(text))
    found: dict[str, tuple[str, str]] = {}
    for binding in parse_stream(io.StringIO(text)):
        original = binding.original.string  # with the blank lines before it
        blank = original[: len(original) - len(original.lstrip())].count("\n")
        place = f"{path}:{binding.original.line + blank}"
        if binding.error or (binding.key is not None and binding.value is None):
            raise ConfigError(f"{place}: expected NAME=VALUE")
        if binding.key in _NOT_HERE:
            raise ConfigError(f"{place}: {binding.key} cannot be said here: it is read before")
        if binding.key is not None:
            found[binding.key] = (values[binding.key] or "", f"{place}: {binding.key}")
    return found


class Exported:
    """The variables that we have put into an environment; a reload takes away those that went."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._before: dict[str, str | None] = {}  # what stood there, None = nothing

    def become(self, variables: Mapping[str, str]) -> None:
        """Have exactly these in it, beside what was there before us."""
        for name in [name for name in self._before if name not in variables]:
            before = self._before.pop(name)
            if before is None:
                self._environ.pop(name, None)
            else:
                self._environ[name] = before
        for name, value in variables.items():
            self._before.setdefault(name, self._environ.get(name))
            self._environ[name] = value

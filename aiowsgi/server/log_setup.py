"""Config -> Python's logging: what the operator's file says, then outputs where it says nothing."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.identity import identity
from aiowsgi.watch.colours import wants_colour
from aiowsgi.watch.error_line import COLOURED_LINE, PLAIN_LINE
from aiowsgi.watch.logs import Places, set_up_logs

# What Python's logging raises at a file that says something else.
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError)


def set_up_logging(config: Config) -> None:
    """Set up the loggers of this process; a second time for what has changed. Raises ConfigError.

    Log files that root makes belong to the user of the config, who has to open them anew.
    """
    if config.log_config is not None:
        _configure(config.log_config)
    places = Places(
        config.error_logfile,
        config.access_logfile,
        _error_line(config),
        inherits=config.log_config is not None,
    )
    try:
        set_up_logs(config.log_level, places)
    except OSError as error:
        name = "error_logfile" if error.filename == _whole(places.error) else "access_logfile"
        raise ConfigError(
            f"{name}: cannot open {error.filename!r}: {error.strerror}: expected a file that can "
            "be written to"
        ) from None
    if os.name == "posix" and os.geteuid() == 0:
        owner = identity(config.user, config.group)
        for path in (places.error, places.access):
            if owner is not None and path is not None:
                owner.own(path)


def _whole(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)


def _error_line(config: Config) -> logging.Formatter:
    if config.log_format == "json":
        return _json_line()
    coloured = config.error_logfile is None and wants_colour(sys.stderr, os.environ)
    return COLOURED_LINE if coloured else PLAIN_LINE


def _json_line() -> logging.Formatter:
    try:
        from pythonjsonlogger.json import JsonFormatter
    except ImportError:
        raise ConfigError(
            "log_format: json needs python-json-logger, which is not installed here: install the "
            "extra aiowsgi[json], or use --log-format text"
        ) from None
    return JsonFormatter(
        ["asctime", "levelname", "name", "process", "message"],
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )


def _configure(path: str) -> None:
    """Have Python's logging do what the file says; loggers that it does not name go on."""
    # Here, as below: a plain start does without, and is shorter for it.
    import logging.config
    from configparser import Error as IniError

    try:
        if path.endswith((".toml", ".json")):
            found = _read(path)
            found.setdefault("disable_existing_loggers", False)
            found.setdefault("version", 1)
            logging.config.dictConfig(found)
        else:
            with open(path, encoding="utf-8") as opened:
                logging.config.fileConfig(opened, disable_existing_loggers=False)
    except OSError as error:
        raise ConfigError(f"log_config: cannot read {path!r}: {error.strerror}") from None
    except (*_FAULTS, IniError) as error:
        why = f"{error}: {error.__cause__}" if error.__cause__ else f"{error}"
        raise ConfigError(
            f"log_config: {path!r} says nothing that Python's logging understands: {why}; expected "
            "what logging.config.dictConfig takes (.toml, .json), or the ini form of fileConfig"
        ) from None


def _read(path: str) -> dict[str, Any]:
    with open(path, "rb") as opened:
        data = opened.read()
    if path.endswith(".json"):
        import json

        found = json.loads(data)
    else:
        import sys

        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        found = tomllib.loads(data.decode())
    if not isinstance(found, dict):
        raise TypeError("it is no table")
    return found

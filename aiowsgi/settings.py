"""Where the value of an option comes from: flag, `AIOWSGI_*`, well-known variable, default.

The one place that knows the precedence. A weaker source is not even looked at for what a stronger
one has said; options that exclude one another (bind, host/port, uds, fd) count as one thing here,
so that `--uds` on the command line beats an `AIOWSGI_BIND` instead of conflicting with it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from aiowsgi.config import NAMES, OPTIONS, Config, own_names

PREFIX = "AIOWSGI_"
# These speak to hatch_build.py, and may stand in the environment of a whole image.
_OF_THE_BUILD = frozenset({"AIOWSGI_COMPILED", "AIOWSGI_PURE"})
DEFAULT = "default"
# Who sets PORT (a platform as a service) reaches the process from outside of its machine.
_PORT = "PORT"
_PORT_HOST = "0.0.0.0"  # noqa: S104 - the contract with such platforms; any bind overrides it


@dataclasses.dataclass(frozen=True)
class Settings:
    """A Config, and for each option the name of the flag or variable that its value is from.

    `strangers` are `AIOWSGI_*` variables that name no option, each with what it may have meant.
    """

    config: Config
    origins: Mapping[str, str]
    strangers: tuple[str, ...] = ()

    @property
    def supervised(self) -> bool:
        """Whether a supervisor with workers is wanted, be it one worker, or one process alone."""
        config = self.config
        return self.origins["workers"] != DEFAULT or config.preload or config.recycles

    def lines(self) -> Iterator[str]:
        """Yield `name = value  (origin)` for each option, then what follows from them together."""
        for name, option in OPTIONS.items():
            origin = self.origins[name]
            shown = option.show(getattr(self.config, name))
            yield f"{name:<24} = {shown:<24} ({origin})"
        binds = ", ".join(map(str, self.config.binds))
        threads = f"{self.config.thread_count} threads"
        if self.supervised:
            threads += f" in each of {self.config.worker_count} workers"
        yield f"It would listen on {binds} and run {threads}."


def resolve(
    given: Mapping[str, Any], environ: Mapping[str, str], *, by_flag: bool = False
) -> Settings:
    """Return what holds when `given` stands above the variables of `environ`.

    `by_flag` tells that `given` comes from a command line, so that origins and errors speak of
    `--threads` instead of `threads`. Raises ConfigError.
    """
    chosen: dict[str, tuple[Any, str]] = {}
    label = {name: option.flag if by_flag else name for name, option in OPTIONS.items()}
    own = {
        name: (value, label[name])
        for name, value in own_names(given).items()
        if value is not None or not OPTIONS[name].way  # uds=None says nothing about where
    }
    _take(chosen, own)
    variables, strangers = _variables(environ)
    _take(chosen, variables)
    _take(chosen, _well_known(environ))
    if "host" not in chosen and chosen.get("port", ("", ""))[1] == _PORT:
        chosen["host"] = (_PORT_HOST, _PORT)
    origins = {name: chosen[name][1] if name in chosen else DEFAULT for name in OPTIONS}
    config = Config(**{name: value for name, (value, _) in chosen.items()})
    return Settings(config, origins, strangers)


def _take(chosen: dict[str, tuple[Any, str]], source: Mapping[str, tuple[Any, str]]) -> None:
    """Add to `chosen` what `source` says about things that nobody stronger has spoken of."""
    ways = {OPTIONS[name].way for name in chosen} - {""}
    for name, (value, label) in source.items():
        option = OPTIONS[name]
        overruled = option.way and ways and option.way not in ways
        if name not in chosen and not overruled:
            chosen[name] = (option.read(value, label), label)


def _variables(environ: Mapping[str, str]) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    """Return the `AIOWSGI_*` variables that are set and not empty, and those that are unknown."""
    found: dict[str, str] = {}
    strangers = []
    known = [name for name, own in NAMES.items() if OPTIONS[own].has_flag]
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or not value or variable in _OF_THE_BUILD:
            continue
        name = variable[len(PREFIX) :].lower()
        if name in known:
            found[name] = value
        else:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            strangers.append(f"{variable} names no option{hint}")
    own = own_names(found)
    return {name: (own[name], PREFIX + name.upper()) for name in own}, tuple(strangers)


def _well_known(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {
        name: (environ[option.well_known], option.well_known)
        for name, option in OPTIONS.items()
        if option.well_known and environ.get(option.well_known)
    }
    if environ.get("LISTEN_FDS") and environ.get("LISTEN_PID") == str(os.getpid()):
        found.pop("port", None)
        found["bind"] = ("systemd", "LISTEN_FDS")
    return found

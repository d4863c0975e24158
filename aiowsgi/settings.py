"""Where the value of an option comes from: flag, variable, file, well-known variable, default.

The one place that knows the precedence. A weaker source is not even looked at for what a stronger
one has said; options that exclude one another (bind, host/port, uds, fd) count as one thing here,
so that `--uds` on the command line beats an `AIOWSGI_BIND` instead of conflicting with it. The
variables of an `--env-file` stand directly below those of the environment.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from aiowsgi.config import OPTIONS, Config, own_names
from aiowsgi.config_sources import ALL_NAMES, ALL_OPTIONS, PREFIX, SOURCES
from aiowsgi.toml_file import TomlFile, read_toml

# These speak to hatch_build.py, and may stand in the environment of a whole image.
_OF_THE_BUILD = frozenset({"AIOWSGI_COMPILED", "AIOWSGI_PURE"})
DEFAULT = "default"
_FOUND = "found in this directory"
# Who sets PORT (a platform as a service) reaches the process from outside of its machine.
_PORT = "PORT"
_PORT_HOST = "0.0.0.0"  # noqa: S104 - the contract with such platforms; any bind overrides it

# Name -> what was said, and by whom: a flag, a variable, a place in a file.
Said = dict[str, tuple[Any, str]]


@dataclasses.dataclass(frozen=True)
class Settings:
    """A Config, and for each option the flag, variable or place in a file that its value is from.

    `sources` are the values of the options that are no part of Config. `variables` are to be in the
    environment of the application, beside what is there. `files` are those that were read.
    `strangers` are `AIOWSGI_*` variables that name no option, each with what it may have meant.
    """

    config: Config
    origins: Mapping[str, str]
    sources: Mapping[str, Any]
    variables: Mapping[str, str]
    files: tuple[str, ...]
    strangers: tuple[str, ...] = ()

    @property
    def supervised(self) -> bool:
        """Whether a supervisor with workers is wanted, be it one worker, or one process alone."""
        config = self.config
        wanted = self.origins["workers"] != DEFAULT or config.preload or config.recycles
        return wanted or config.reload

    def lines(self) -> Iterator[str]:
        """Yield `name = value  (origin)` for each option, then what follows from them together."""
        for name, option in ALL_OPTIONS.items():
            origin = self.origins[name]
            value = self.sources[name] if name in SOURCES else getattr(self.config, name)
            shown = option.show(value)
            yield f"{name:<24} = {shown:<24} ({origin})"
        binds = ", ".join(map(str, self.config.binds))
        threads = f"{self.config.thread_count} threads"
        if self.supervised:
            threads += f" in each of {self.config.worker_count} workers"
        yield f"It would listen on {binds} and run {threads}."


def resolve(
    given: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    by_flag: bool = False,
    directory: str | None = None,
) -> Settings:
    """Return what holds when `given` stands above the variables of `environ`, those above files.

    `by_flag` tells that `given` comes from a command line, so that origins and errors speak of
    `--threads` instead of `threads`. `directory` is where a file of options is looked for, and
    where relative paths of files begin; None looks for none. Raises ConfigError.
    """
    chosen: Said = {}
    _take(chosen, _given(given, by_flag))
    variables, strangers = _variables({name: (value, name) for name, value in environ.items()})
    _take(chosen, variables)
    file = read_toml(chosen.get("config", (None, ""))[0], directory)
    values = _values_of(file, chosen)
    extra = _from_env_files(chosen, environ, directory)
    variables, more_strangers = _variables(extra)
    _take(chosen, variables)
    _take(chosen, values)
    _take(chosen, _well_known({name: extra[name][0] for name in extra} | dict(environ)))
    if "host" not in chosen and chosen.get("port", ("", ""))[1] == _PORT:
        chosen["host"] = (_PORT_HOST, _PORT)
    sources = {name: chosen.get(name, (o.default, ""))[0] for name, o in SOURCES.items()}
    return Settings(
        Config(**{name: value for name, (value, _) in chosen.items() if name in OPTIONS}),
        {name: chosen[name][1] if name in chosen else DEFAULT for name in ALL_OPTIONS},
        sources,
        {name: value for name, (value, _) in extra.items()} | dict(sources["env"]),
        (*((file.path,) if file else ()), *sources["env_file"]),
        strangers + more_strangers,
    )


def _take(chosen: Said, source: Mapping[str, tuple[Any, str]]) -> None:
    """Add to `chosen` what `source` says about things that nobody stronger has spoken of."""
    ways = {ALL_OPTIONS[name].way for name in chosen} - {""}
    for name, (value, label) in source.items():
        option = ALL_OPTIONS[name]
        overruled = option.way and ways and option.way not in ways
        if name not in chosen and not overruled:
            chosen[name] = (option.read(value, label), label)


# -- what each source says -----------------------------------------------------------------------


def _given(given: Mapping[str, Any], by_flag: bool) -> Said:
    return {
        name: (value, ALL_OPTIONS[name].flag if by_flag else name)
        for name, value in own_names(given, ALL_NAMES).items()
        # uds=None says nothing about where, nor config=None about a file
        if value is not None or not (ALL_OPTIONS[name].way or name in SOURCES)
    }


def _variables(environ: Said) -> tuple[Said, tuple[str, ...]]:
    """Return what the `AIOWSGI_*` variables say that are not empty, and those that are unknown."""
    found: Said = {}
    strangers = []
    known = [name for name, own in ALL_NAMES.items() if ALL_OPTIONS[own].has_flag]
    for variable, (value, label) in environ.items():
        if not variable.startswith(PREFIX) or not value or variable in _OF_THE_BUILD:
            continue
        name = variable[len(PREFIX) :].lower()
        if name in known:
            found[name] = (value, label)
        else:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            strangers.append(f"{label} names no option{hint}")
    return own_names(found, ALL_NAMES), tuple(strangers)


def _values_of(file: TomlFile | None, chosen: Said) -> Mapping[str, tuple[Any, str]]:
    """Return what the file says; which one it is, and what it names, is known from here on."""
    if file is None:
        return {}
    chosen.setdefault("config", (file.path, _FOUND))
    _take(chosen, {name: said for name, said in file.values.items() if name in SOURCES})
    return file.values


def _from_env_files(chosen: Said, environ: Mapping[str, str], directory: str | None) -> Said:
    """Return the variables that the environment does not have; a later file beats an earlier."""
    found: Said = {}
    paths, label = chosen.get("env_file", ((), ""))
    for path in paths:
        from aiowsgi.env_file import read_env_file

        found |= read_env_file(path, directory, label)
    return {name: said for name, said in found.items() if name not in environ}


def _well_known(environ: Mapping[str, str]) -> Said:
    found: Said = {
        name: (environ[option.well_known], option.well_known)
        for name, option in OPTIONS.items()
        if option.well_known and environ.get(option.well_known)
    }
    if environ.get("LISTEN_FDS") and environ.get("LISTEN_PID") == str(os.getpid()):
        found.pop("port", None)
        found["bind"] = ("systemd", "LISTEN_FDS")
    return found

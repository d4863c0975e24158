"""What an option is: its names, its kind, its words; and how one is declared in Config."""

from __future__ import annotations

import dataclasses
from typing import Any

from aiowsgi.errors import ConfigError
from aiowsgi.kinds import Kind, Refused

START = "Application"
SOURCE = "Configuration"
ADDRESS = "Address"
SECURITY = "TLS"
WORKERS = "Worker processes"
PROCESS = "Process"
THREADS = "Threads and loop"
TIMEOUTS = "Timeouts"
LIMITS = "Limits of a request"
BUFFERS = "Buffers"
LOAD = "Load and health"
FIELDS = "Environ and header fields"
PROXIES = "Proxies"
LOGS = "Logs"
WATCH = "Watching"
DEVELOPMENT = "Development"
GROUPS = (
    START,
    SOURCE,
    ADDRESS,
    SECURITY,
    WORKERS,
    PROCESS,
    THREADS,
    TIMEOUTS,
    LIMITS,
    BUFFERS,
    LOAD,
    FIELDS,
    PROXIES,
    LOGS,
    WATCH,
    DEVELOPMENT,
)


@dataclasses.dataclass(frozen=True)
class Option:
    """One option as it is declared in Config; flags, variables, checks and docs come from it.

    `flags` are its other names. `default_text` is only for people, where the plain value says too
    little. `well_known` is a variable of other programs that stands just above the default.
    `way`: options that exclude one another name different ways to say the same thing.
    """

    name: str
    group: str
    kind: Kind
    help: str
    flags: tuple[str, ...] = ()
    default_text: str | None = None
    well_known: str | None = None
    way: str = ""
    default: Any = None

    @property
    def default_shown(self) -> str:
        """The default, for an operator to read."""
        return self.show(self.default) if self.default_text is None else self.default_text

    @property
    def flag(self) -> str:
        """The long flag: `--keep-alive` for `keep_alive`."""
        return "--" + self.name.replace("_", "-")

    @property
    def has_flag(self) -> bool:
        """Whether text can say it: a flag, a variable. A function only a program can give."""
        return self.kind.form != "python"

    @property
    def names(self) -> tuple[str, ...]:
        """Its names in Python: its own, then those of its long aliases."""
        long = (flag for flag in self.flags if flag.startswith("--"))
        return (self.name, *(flag[2:].replace("-", "_") for flag in long))

    def read(self, value: object, label: str) -> Any:
        """Return the value as Config holds it; ConfigError that calls the option `label`."""
        try:
            return self.kind.read(value)
        except ValueError as error:
            wrong = error.item if isinstance(error, Refused) else value
            raise ConfigError(f"{label}: {wrong!r} is not valid: expected {error}") from None

    def show(self, value: object) -> str:
        """Return the value as an operator would write it."""
        return self.kind.absent if value is None else self.kind.show(value)


def option(default: Any, kind: Kind, group: str, words: str, **more: Any) -> Any:
    """Declare an option as a dataclass field; `words` is its help, `more` the rest of Option."""
    metadata = {"group": group, "kind": kind, "help": words, **more}
    return dataclasses.field(default=default, metadata=metadata, repr=not kind.secret)


def declared(config: type[Any]) -> dict[str, Option]:
    """Return the options that a dataclass declares, by name, group after group."""
    found = [
        Option(field.name, default=field.default, **field.metadata)
        for field in dataclasses.fields(config)
    ]
    return {o.name: o for group in GROUPS for o in found if o.group == group}

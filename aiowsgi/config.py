"""Config: every option once, with its name, type, default, unit, help and check.

Declared in config_process.py, config_workers.py, config_identity.py, config_http.py,
config_load.py, config_logs.py, config_proxies.py, config_watch.py, config_development.py and
config_reload.py, one dataclass field each. Flags, variables, `--help`, `--print-config` and
docs/options.md follow.
`Config` itself reads no environment and touches no file: the same words give the same Config.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from aiowsgi.binds import Bind, combine, parse_bind
from aiowsgi.config_development import DevelopmentOptions
from aiowsgi.config_http import HttpOptions
from aiowsgi.config_identity import IdentityOptions
from aiowsgi.config_load import LoadOptions
from aiowsgi.config_logs import LogOptions
from aiowsgi.config_process import ProcessOptions
from aiowsgi.config_proxies import ProxyOptions
from aiowsgi.config_reload import ReloadOptions
from aiowsgi.config_watch import WatchOptions
from aiowsgi.config_workers import WorkerOptions
from aiowsgi.cpus import default_threads
from aiowsgi.errors import ConfigError
from aiowsgi.options import Option, declared


@dataclasses.dataclass(frozen=True, init=False)
class Config(
    ProcessOptions,
    WorkerOptions,
    IdentityOptions,
    HttpOptions,
    LoadOptions,
    ProxyOptions,
    WatchOptions,
    LogOptions,
    DevelopmentOptions,
    ReloadOptions,
):
    """What a server is told. Durations in seconds, sizes in bytes, None = no limit.

    `Config(threads=8, keep_alive="75s")`: Python values or the text of a flag; an option may be
    called by an alias too (`listen` for `bind`). Raises ConfigError naming the option, the value
    and what was expected.
    """

    def __init__(self, **given: Any) -> None:
        for name, value in own_names(given).items():
            object.__setattr__(self, name, OPTIONS[name].read(value, name))
        # Here, so that a conflict is told to the one who wrote it, not to the one who binds.
        self._addresses()
        self.check_tls()
        self.check_proxies(self.header_map)
        self.check_reload(self.preload)
        self.check_watch(self.health_path)

    @property
    def binds(self) -> list[Bind]:
        """Where to listen: what bind, host, port, uds and fd say together."""
        return [parse_bind(text, self.uds_permissions) for text in self._addresses()]

    @property
    def thread_count(self) -> int:
        """The number of application threads, `auto` resolved."""
        return default_threads() if self.threads is None else self.threads

    def _addresses(self) -> list[str]:
        try:
            return combine(self.bind, self.host, self.port, self.uds, self.fd)
        except ValueError as error:
            raise ConfigError(str(error)) from None


OPTIONS: dict[str, Option] = declared(Config)
NAMES: dict[str, str] = {alias: name for name, o in OPTIONS.items() for alias in o.names}


def own_names(given: Mapping[str, Any], names: Mapping[str, str] = NAMES) -> dict[str, Any]:
    """Return the options under their own names; ConfigError for an unknown one, or one twice."""
    named: dict[str, Any] = {}
    for name, value in given.items():
        if name not in names:
            raise ConfigError(unknown(name, names))
        own = names[name]
        if own in named:
            raise ConfigError(f"{name}: {own} is given twice, once by another name")
        named[own] = value
    return named


def unknown(name: str, names: Iterable[str]) -> str:
    """Say that there is no such option, and which may have been meant."""
    import difflib

    near = difflib.get_close_matches(name, names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no option {name!r}{hint}"

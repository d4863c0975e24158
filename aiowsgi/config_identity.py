"""The options of a process as its system sees it: its number, its user, its mask, its name."""

from __future__ import annotations

import dataclasses
from typing import Any

from aiowsgi import kinds
from aiowsgi.options import PROCESS, option


def check_umask(value: Any) -> int | None:
    """Return the mask; None for none; ValueError for what is no file mode."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    return int(kinds.permissions().read(value))


@dataclasses.dataclass(frozen=True, init=False)
class IdentityOptions:
    """Who the process is to its system."""

    pid: str | None = option(
        None,
        kinds.file(),
        PROCESS,
        "Write the process id to this file: the supervisor's, where there is one.",
        flags=("-p", "--pidfile"),
    )
    user: str | None = option(
        None,
        kinds.text("USER"),
        PROCESS,
        "Run the application as this user, by name or number; root has opened the addresses and "
        "read the certificate by then.",
        flags=("-u",),
        default_text="who started it",
    )
    group: str | None = option(
        None,
        kinds.text("GROUP"),
        PROCESS,
        "Run the application as this group, by name or number.",
        flags=("-g",),
        default_text="that of --user",
    )
    umask: int | None = option(
        None,
        kinds.Kind("MODE", check_umask, "{:03o}".format, unit="octal"),
        PROCESS,
        "Permissions that new files do not have.",
        flags=("-m",),
        default_text="as it was at the start",
    )
    name: str | None = option(
        None,
        kinds.text("NAME"),
        PROCESS,
        "What ps shows as the name of the processes; needs setproctitle (pip install "
        "'aiowsgi[proctitle]'), and is ignored without.",
        flags=("-n", "--proc-name"),
    )

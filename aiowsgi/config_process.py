"""The options of the process: the application, where it listens, its threads, its logs."""

from __future__ import annotations

import dataclasses

from aiowsgi import kinds
from aiowsgi.binds import check_bind, check_host, check_path
from aiowsgi.options import ADDRESS, LOGS, START, THREADS, option


@dataclasses.dataclass(frozen=True, init=False)
class ProcessOptions:
    """What one process is told, whatever it will be asked over HTTP."""

    factory: bool = option(
        False,
        kinds.switch("flag"),
        START,
        "APP is a function that is called once, without arguments, and returns the application.",
        flags=("--call",),
    )
    chdir: str | None = option(
        None,
        kinds.text("DIRECTORY"),
        START,
        "Change to this directory before the application is loaded; it is importable.",
        flags=("--app-dir",),
        default_text="the current directory",
    )
    bind: tuple[str, ...] = option(
        (),
        kinds.several("ADDRESS", check_bind, r"[,\s]+"),
        ADDRESS,
        "Listen here, repeatable: HOST:PORT, [V6]:PORT, :PORT, *:PORT, unix:/PATH, unix:@NAME "
        "or fd://NUMBER.",
        flags=("-b", "--listen"),
        default_text="127.0.0.1:8000; 0.0.0.0:$PORT where PORT is set",
        way="bind",
    )
    host: str | None = option(
        None,
        kinds.text("HOST", check_host),
        ADDRESS,
        "Listen on this host name or IP address, with --port; * is every interface.",
        default_text="127.0.0.1",
        way="host/port",
    )
    port: int | None = option(
        None,
        kinds.count(maximum=65535, none=True),
        ADDRESS,
        "Listen on this port, with --host; 0 picks a free one and prints it.",
        default_text="8000",
        well_known="PORT",
        way="host/port",
    )
    uds: str | None = option(
        None,
        kinds.text("PATH", check_path),
        ADDRESS,
        "Listen on this unix socket instead; @NAME is an abstract one.",
        way="uds",
    )
    uds_permissions: int = option(
        0o600, kinds.permissions(), ADDRESS, "Permissions of the unix socket files."
    )
    fd: int | None = option(
        None,
        kinds.count(none=True),
        ADDRESS,
        "Listen on the socket that was inherited under this descriptor number.",
        way="fd",
    )
    backlog: int = option(
        2048,
        kinds.count(minimum=1),
        ADDRESS,
        "Connections that the system holds until they are accepted.",
    )
    threads: int | None = option(
        None,
        kinds.count(minimum=1, auto=True),
        THREADS,
        "Threads that run the application.",
        flags=("--blocking-threads",),
        default_text="auto = min(32, usable CPUs + 4)",
    )
    loop: str = option(
        "auto",
        kinds.choice("auto", "uvloop", "asyncio"),
        THREADS,
        "Event loop; auto is uvloop where it is installed.",
    )
    log_level: str = option(
        "info",
        kinds.choice("debug", "info", "warning", "error", "critical"),
        LOGS,
        "What the server writes to stderr: this level and above.",
    )
    access_log: bool = option(
        True, kinds.switch(), LOGS, "Write a line per request to stdout, in the combined format."
    )

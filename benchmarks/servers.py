"""How each server is started: its own command line, one process, equal threads and limits.

What is on for a user stays on. Only what would stop a workload is set alike for all: 75 seconds of
keep-alive, room for 20,000 connections, a backlog of 2048, no access log but where it is measured.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine
from benchmarks.processes import place
from benchmarks.workloads import LOG, TLS, WAITS

APP = "benchmarks.apps:wsgi"
MOST_CONNECTIONS = "20000"
KEEP_ALIVE = "75"
BACKLOG = "2048"


@dataclass(frozen=True)
class Certificate:
    """Two PEM files; the key is PKCS #8."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Settings:
    """What differs from start to start."""

    port: int
    threads: int
    certificate: Certificate | None = None
    access_log: bool = False
    flags: tuple[str, ...] = ()  # aiowsgi's, that go with the access log

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def log(self, *words: str) -> list[str]:
        return list(words) if self.access_log else []

    def tls(self, *flags: str) -> list[str]:
        """Both files, each behind its flag where there are flags; nothing without TLS."""
        if self.certificate is None:
            return []
        chain, key = str(self.certificate.chain), str(self.certificate.key)
        return [flags[0], chain, flags[1], key] if flags else [chain, key]


@dataclass(frozen=True)
class Server:
    """A line of the report; `arguments` follow `python -m`, `lacks` says why it sits out what."""

    name: str
    arguments: Callable[[Settings], list[str]]
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    lacks: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def command(self, settings: Settings) -> list[str]:
        return [sys.executable, "-m", *self.arguments(settings)]

    def missing(self) -> str | None:
        """Why it cannot run here, None where it can."""
        absent = [name for name in self.modules if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    def version(self) -> str:
        if self.name == "aiowsgi":  # it tells by itself whether it is compiled
            return told([sys.executable, "-m", "aiowsgi", "--version"])
        found = ((name, machine.version(name)) for name in self.distributions)
        return ", ".join(f"{name} {number or '(checkout)'}" for name, number in found)


def told(command: Sequence[str]) -> str:
    """What a command prints, run where servers run."""
    done = subprocess.run(command, cwd=place(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def aiowsgi(s: Settings) -> list[str]:
    words = ["aiowsgi", "--bind", s.address, "--threads", str(s.threads)]
    words += s.log("--access-log", *s.flags) or ["--no-access-log"]
    return [*words, *s.tls("--ssl-certfile", "--ssl-keyfile"), APP]


def gunicorn(s: Settings) -> list[str]:
    words = ["gunicorn", "-k", "gthread", "-w", "1", "--threads", str(s.threads)]
    words += ["--worker-connections", MOST_CONNECTIONS, "--keep-alive", KEEP_ALIVE]
    words += ["--no-control-socket", "--bind", s.address, *s.log("--access-logfile", "-")]
    return [*words, *s.tls("--certfile", "--keyfile"), APP]


def waitress(s: Settings) -> list[str]:
    words = ["waitress", "--listen", s.address, "--threads", str(s.threads)]
    words += ["--connection-limit", MOST_CONNECTIONS, "--asyncore-use-poll"]
    return [*words, "--backlog", BACKLOG, APP]


def cheroot(s: Settings) -> list[str]:
    words = ["benchmarks.cheroot_server", str(s.port), str(s.threads)]
    return [*words, KEEP_ALIVE, MOST_CONNECTIONS, BACKLOG, *s.tls()]


def granian(s: Settings) -> list[str]:
    words = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(s.port)]
    words += ["--workers", "1", "--blocking-threads", str(s.threads), "--runtime-threads", "1"]
    words += ["--backlog", BACKLOG, "--backpressure", MOST_CONNECTIONS, *s.log("--access-log")]
    return [*words, *s.tls("--ssl-certificate", "--ssl-keyfile"), APP]


def uvicorn(s: Settings, app: Sequence[str]) -> list[str]:
    words = ["uvicorn", "--host", "127.0.0.1", "--port", str(s.port), "--lifespan", "off"]
    words += ["--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", KEEP_ALIVE]
    words += [] if s.access_log else ["--no-access-log"]
    return [*words, *s.tls("--ssl-certfile", "--ssl-keyfile"), *app]


def uvicorn_a2wsgi(s: Settings) -> list[str]:
    return uvicorn(s, ["--factory", "benchmarks.asgi_apps:bridged"])


def uvicorn_asgi(s: Settings) -> list[str]:
    return uvicorn(s, ["benchmarks.asgi_apps:native"])


def hypercorn(s: Settings) -> list[str]:
    words = ["hypercorn", "-k", "uvloop", "-w", "1", "--keep-alive", KEEP_ALIVE]
    words += ["--backlog", BACKLOG, "--bind", s.address, *s.log("--access-logfile", "-")]
    return [*words, *s.tls("--certfile", "--keyfile"), f"wsgi:{APP}"]


def bjoern(s: Settings) -> list[str]:
    return ["benchmarks.bjoern_server", str(s.port)]


def inline(s: Settings) -> list[str]:
    return ["benchmarks.inline", str(s.port)]


def lacks_of_aiowsgi() -> dict[str, str]:
    """What the checkout does not have yet is asked of it, so that this list cannot go stale."""
    from aiowsgi import Config

    return {} if "ssl_certfile" in Config.__dataclass_fields__ else {TLS: "it has none yet"}


ON_THE_LOOP = "it calls the application on its only thread"
NO_LOG = "it has none of its own"
NO_TLS = "it has none"

ALL: tuple[Server, ...] = (
    Server("aiowsgi", aiowsgi, ("aiowsgi", "uvloop"), ("aiowsgi",), lacks_of_aiowsgi()),
    Server("gunicorn", gunicorn, ("gunicorn",), ("gunicorn",), note="gthread"),
    Server("waitress", waitress, ("waitress",), ("waitress",), {TLS: NO_TLS, LOG: NO_LOG}),
    Server(
        "cheroot",
        cheroot,
        ("cheroot",),
        ("cheroot",),
        {LOG: NO_LOG},
        note="keep_alive_conn_limit raised from 10, which no flag of its command can",
    ),
    Server("granian", granian, ("granian",), ("granian",), note="Rust"),
    Server("uvicorn+a2wsgi", uvicorn_a2wsgi, ("uvicorn", "a2wsgi"), ("uvicorn", "a2wsgi")),
    Server(
        "hypercorn",
        hypercorn,
        ("hypercorn", "uvloop"),
        ("hypercorn",),
        note="it has no option for threads: as many as asyncio's default executor",
    ),
    Server(
        "bjoern",
        bjoern,
        ("bjoern",),
        ("bjoern",),
        {WAITS: ON_THE_LOOP, TLS: NO_TLS, LOG: NO_LOG},
        note="C; no threads; build it yourself, with the headers of libev",
    ),
    Server(
        "uvicorn-asgi",
        uvicorn_asgi,
        ("uvicorn", "uvloop", "httptools"),
        ("uvicorn",),
        {WAITS: "a native ASGI view awaits, which is other work"},
        note="the same answers as a native ASGI application",
    ),
    Server(
        "inline",
        inline,
        ("uvloop", "httptools"),
        ("uvloop", "httptools"),
        {WAITS: ON_THE_LOOP, TLS: NO_TLS, LOG: NO_LOG},
        note="no server: the application on the loop, no thread, no checks",
    ),
)


def chosen(names: Sequence[str]) -> list[Server]:
    """The servers of these names, aiowsgi first if named; ValueError names one that is unknown."""
    known = {server.name: server for server in ALL}
    for name in names:
        if name not in known:
            raise ValueError(f"no server is called {name!r}; there are {', '.join(known)}")
    return [server for server in ALL if not names or server.name in names]

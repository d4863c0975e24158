"""The machine: which core is for what, what processes cost, what to print beside figures.

Linux gives all of it; elsewhere nothing is pinned, memory is not known, and the report says so.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import resource
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from ssl import OPENSSL_VERSION

PROC = Path("/proc")
SHARED = ("uvloop", "httptools", "h11", "click")


@dataclass(frozen=True)
class Cores:
    """The core of the server and the core of the load; None where nothing can be pinned apart."""

    server: int | None
    load: int | None


def cores() -> Cores:
    """The last usable core for the server, the first, which the system likes best, for the load."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        return Cores(None, None)
    return Cores(usable[-1], usable[0])


def raise_open_files() -> int:
    """The soft limit of open files becomes the hard one, here and in what is started; the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 65_536)  # some systems refuse "no limit" for the soft one
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        )
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@dataclass(frozen=True)
class Usage:
    """What all processes of one session hold and have used: bytes, seconds of CPU."""

    rss: int
    cpu: float


def usage(session: int) -> Usage | None:
    """Sums over every process of the session, since servers fork; None where there is no /proc."""
    if not (PROC / "self" / "stat").exists():
        return None
    pages = ticks = 0
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The command, in brackets, may hold anything: the fields are counted from behind it.
            fields = (folder / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))


def core_time(core: int | None) -> float | None:
    """Seconds that programs have run on the core since the start of the machine, whoever's.

    Interrupts are left out: the network's are not counted to the process that causes them.
    """
    with contextlib.suppress(OSError):
        for line in (PROC / "stat").read_text(encoding="latin-1").splitlines():
            name, *fields = line.split()
            if name == f"cpu{core}":
                user, nice, system, _idle, _iowait, _irq, _softirq, steal, *_ = map(int, fields)
                return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")
    return None


def version(distribution: str) -> str | None:
    """The version of an installed distribution, None where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    with contextlib.suppress(OSError):
        for line in (PROC / "cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def python_build(arguments: str, of_system: bool) -> str:
    """What `configure` was told of speed, in words; `of_system`: a distribution built it."""
    told = [flag for flag in ("--enable-optimizations", "--with-lto") if flag in arguments]
    slow = [flag for flag in ("--with-pydebug", "--with-address-sanitizer") if flag in arguments]
    if slow:
        return f"slow: configured with {' '.join(slow)}"
    if "--enable-optimizations" in told:
        return f"optimised: configured with {' '.join(told)}"
    if of_system:
        return "of a distribution, whose own optimisations do not show"
    return "not optimised: configured without --enable-optimizations"


def packages() -> str:
    """Versions of what the servers are made of, where they share it."""
    found = ((name, version(name)) for name in SHARED)
    return ", ".join([*(f"{name} {number}" for name, number in found if number), OPENSSL_VERSION])


def describe(pinned: Cores) -> dict[str, str]:
    """What a reader must know about the machine, as words."""
    one = "server and load share the machine, nothing is pinned: figures are of little worth"
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "python build": f"{' '.join(sys.version.split())}; "
        + python_build(sysconfig.get_config_var("CONFIG_ARGS") or "", sys.base_prefix == "/usr"),
        "packages": packages(),
        "pinned": one
        if pinned.server is None
        else f"server on core {pinned.server}, load on core {pinned.load}",
        "load average before": "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg()),
    }

"""What is asked of the servers: one Workload a line of the report, each with what must come back.

A workload says which requests are sent (paths in turn, `{n}` is a number that changes with every
request), over how many connections, to how many threads, and which answer is right. Requests that
change, carry fields or a body are made by a script for wrk; the rest wrk makes by itself.
"""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import apps

FILE_SIZE = 10 * 1024 * 1024

WAITS = "threads for views that wait"
TLS = "TLS"
LOG = "an access log"


class Kind(enum.Enum):
    """What the figure is, and how it is made."""

    REQUESTS = "requests/s"
    IDLE = "KiB/connection"
    STARTUP = "ms"

    @property
    def less_is_better(self) -> bool:
        return self is not Kind.REQUESTS


@dataclass(frozen=True)
class Workload:
    """One line of the report; `length` is that of the right body, in bytes."""

    name: str
    summary: str
    connections: int = 64
    threads: int = 4
    paths: tuple[str, ...] = ("/",)
    length: int = len(apps.HELLO)
    fields: Mapping[str, str] = field(default_factory=dict)
    body: int = 0  # bytes of a POST
    kind: Kind = Kind.REQUESTS
    needs: str = ""  # what some servers lack
    only: str = ""  # the one server that it is about
    flags: tuple[str, ...] = ()  # of that server, beside its access log
    ideal: float = 0  # requests/s that no server can pass, by arithmetic
    quick: bool = False  # part of a smoke run


# What a browser of today sends with a navigation, without Host: wrk and the script add that.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.7",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "https://www.example.org/shop/catalogue?page=2",
    "Cookie": "sessionid=6f1d2c0b9a8e47f5a3c2e1d0b9a8f7e6; csrftoken=q8Zr3N1vX5b7K9m2; theme=dark",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
    "Cache-Control": "max-age=0",
}
CHANGING = ("/shop/item/{n}",)
# Other formats of aiowsgi's log than the combined one, by the name of their workload.
FORMATS = {
    "common": "common",
    "json": "json",
    "dev": "dev",
    "atoms": '%(h)s %(t)s "%(r)s" %(s)s %(B)s "%(f)s" "%(a)s" %(L)s %(Q)s %(F)s %(R)s',
}

ALL: tuple[Workload, ...] = (
    *(
        Workload(
            f"tiny-{number}", f"GET of 14 bytes, connections: {number}", number, quick=number == 8
        )
        for number in (1, 8, 64, 1000)
    ),
    *(
        Workload(
            f"browser-{number}",
            f"GET with a browser's fields, the path changes, connections: {number}",
            number,
            paths=CHANGING,
            fields=BROWSER,
            quick=number == 64,
        )
        for number in (1, 8, 64, 1000)
    ),
    Workload("body-10k", "a body of 10 KiB", paths=("/10k",), length=len(apps.KIB10)),
    Workload("body-1m", "a body of 1 MiB", paths=("/1m",), length=len(apps.MIB1)),
    Workload(
        "stream",
        "64 blocks of 10 KiB, each yielded, length unknown",
        paths=("/stream",),
        length=apps.BLOCKS * len(apps.KIB10),
    ),
    Workload("post-16k", "POST of 16 KiB", paths=("/post",), length=5, body=16 * 1024),
    Workload("post-1m", "POST of 1 MiB", paths=("/post",), length=7, body=1024 * 1024),
    Workload(
        "sleep",
        "a view that sleeps 10 ms, 40 threads",
        threads=40,
        paths=("/sleep",),
        needs=WAITS,
        ideal=40 / apps.SLEEP,
    ),
    Workload(
        "one-in-ten",
        "one request in ten sleeps 20 ms, 40 threads",
        threads=40,
        paths=("/",) * 9 + ("/slow",),
        needs=WAITS,
    ),
    Workload(
        "cpu",
        "a view of about a millisecond of pure Python, 32 connections",
        32,
        paths=("/cpu",),
        length=len(apps.CPU_ANSWER),
    ),
    Workload(
        "connect",
        "a new connection for every request",
        fields={"Connection": "close"},
    ),
    Workload(
        "tls",
        "browser-64 over TLS, connections kept",
        paths=CHANGING,
        fields=BROWSER,
        needs=TLS,
    ),
    Workload("file", "wsgi.file_wrapper over 10 MiB", 8, paths=("/file",), length=FILE_SIZE),
    Workload(
        "access-log",
        "browser-64 with an access log into a file, and without",
        paths=CHANGING,
        fields=BROWSER,
        needs=LOG,
    ),
    *(
        Workload(
            f"log-{name}",
            f"browser-64 with a log in {text!r}, and without",
            paths=CHANGING,
            fields=BROWSER,
            needs=LOG,
            only="aiowsgi",
            flags=("--access-logformat", text),
        )
        for name, text in FORMATS.items()
    ),
    Workload(
        "watched",
        "browser-64 with metrics, status page and access log, and with none of them",
        paths=CHANGING,
        fields=BROWSER,
        needs=LOG,
        only="aiowsgi",
        flags=("--metrics", "127.0.0.1:0", "--status", "127.0.0.1:0"),
    ),
    Workload("idle", "memory of an idle connection, 10,000 of them", 10_000, kind=Kind.IDLE),
    Workload("start-up", "from the command to the first right answer", 1, kind=Kind.STARTUP),
)


def chosen(patterns: Sequence[str], quick: bool = False) -> list[Workload]:
    """The workloads that the patterns name (`tiny-*`), in their own order; ValueError names others.

    Without patterns: all of them, or the few of a smoke run.
    """
    if not patterns:
        return [workload for workload in ALL if workload.quick or not quick]
    names = [workload.name for workload in ALL]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise ValueError(f"no workload is called {pattern!r}; there are {', '.join(names)}")
    return [
        workload
        for workload in ALL
        if any(fnmatch.fnmatchcase(workload.name, pattern) for pattern in patterns)
    ]

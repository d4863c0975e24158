"""The kinds of bad client: what each sends and does then, and how many aiowsgi has to stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

STEPS = (2, 10, 100, 1_000, 10_000)
QUICK_STEPS = (2, 10)
ANNOUNCED = 1_000_000  # bytes of the upload that stalls
ARRIVED = 70_000  # of which so many come


class Settled(Enum):
    """From when on a client of a kind is the burden that it is meant to be."""

    CONNECTED = "its connection is open"
    SENT = "what it sends is sent"
    READABLE = "its answer begins to come"
    EVENT = "it has read the first event"


@dataclass(frozen=True)
class Kind:
    """`sends`, byte for byte; a deaf kind has a small buffer of its own and never reads."""

    name: str
    summary: str
    sends: bytes
    settled: Settled
    aim: int

    @property
    def deaf(self) -> bool:
        return self.settled is Settled.READABLE

    @property
    def reads(self) -> bool:
        return self.settled is Settled.EVENT


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: of a he"
UPLOAD = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {ANNOUNCED}\r\n\r\n".encode()

ALL: tuple[Kind, ...] = (
    Kind("idle", "open connections that send nothing", b"", Settled.CONNECTED, 10_000),
    Kind("half-head", "half of a request's head, then nothing", HALF, Settled.SENT, 10_000),
    Kind(
        "upload",
        "70 kB of an upload of 1 MB, then nothing",
        UPLOAD + b"x" * ARRIVED,
        Settled.SENT,
        1_000,
    ),
    Kind(
        "deaf-4m",
        "asks for 4 MiB in one block and never reads",
        get("/4m"),
        Settled.READABLE,
        1_000,
    ),
    Kind(
        "deaf-64m",
        "asks for 64 MiB, block by block, and never reads",
        get("/64m"),
        Settled.READABLE,
        1_000,
    ),
    Kind(
        "events",
        "an event stream without end, an event a second, which it reads",
        get("/events"),
        Settled.EVENT,
        1_000,
    ),
)


def chosen(names: Sequence[str]) -> list[Kind]:
    """The kinds of these names, all without names; ValueError names one that is unknown."""
    known = {kind.name: kind for kind in ALL}
    for name in names:
        if name not in known:
            raise ValueError(f"no kind is called {name!r}; there are {', '.join(known)}")
    return [kind for kind in ALL if not names or kind.name in names]

"""A crowd of bad clients of one kind: `python -m benchmarks.ladder_crowd KIND NUMBER PORT`.

One process. It prints a line of JSON when all have become the burden they are meant to be, or when
no more do; then it holds on, reading only what its kind reads, until TERM. A second line tells what
became of them.
"""

from __future__ import annotations

import contextlib
import json
import select
import selectors
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks import ladder_kinds, machine
from benchmarks.ladder_apps import EVENT
from benchmarks.ladder_kinds import Kind, Settled

AT_ONCE = 256  # connections on their way: fewer than any backlog
STILL = 5.0  # seconds in which nobody settles: no more will
LONGEST = 120.0
OK = b"HTTP/1.1 200 "
BUFFER = 4096  # of a deaf client; the system doubles it
GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class Member:
    """One bad client."""

    def __init__(self, kind: Kind, port: int) -> None:
        self.kind = kind
        self.settled = False
        self.left = kind.sends
        self.read = b""
        self.connected = False
        self.socket = socket.socket()
        if kind.deaf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.socket.connect(("127.0.0.1", port))

    def advance(self) -> int:
        """Goes on as far as the socket lets it; what to wait for next, 0 where for nothing more."""
        if not self.connected:
            if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "not connected")
            self.connected = True
        if self.left:
            self.left = self.left[self.socket.send(self.left) :]
            if self.left:
                return selectors.EVENT_WRITE
            if self.kind.settled in (Settled.READABLE, Settled.EVENT):
                return selectors.EVENT_READ
        if self.kind.reads:
            self.hear()
            return selectors.EVENT_READ
        if self.kind.deaf and not self.socket.recv(len(OK), socket.MSG_PEEK).startswith(OK):
            raise ConnectionError("not the answer that was asked for")
        self.settled = True
        return 0

    def hear(self) -> None:
        block = self.socket.recv(65536)
        if not block:
            raise ConnectionError("closed")
        if not self.settled:
            self.read += block
            self.settled = self.read.startswith(OK) and EVENT in self.read


@dataclass(frozen=True)
class Count:
    """How many of the crowd are the burden they are meant to be, and how many the server cut."""

    settled: int
    cut: int


class Crowd:
    """All clients of one kind; one thread."""

    def __init__(self, kind: Kind, number: int, port: int) -> None:
        self.kind = kind
        self.number = number
        self.port = port
        self.members: list[Member] = []
        self.selector = selectors.DefaultSelector()
        self.opening = self.settled = 0
        self.failed = 0

    def gather(self) -> None:
        """Opens all, and returns when all have settled, or no more do."""
        began = last = time.monotonic()
        before = 0
        while self.settled + self.failed < self.number:
            while len(self.members) < self.number and self.opening < AT_ONCE:
                self.open()
            self.turn(0.1)
            now = time.monotonic()
            if self.settled + self.failed != before:
                before, last = self.settled + self.failed, now
            if now - last > STILL or now - began > LONGEST:
                break

    def open(self) -> None:
        member = Member(self.kind, self.port)
        self.members.append(member)
        self.opening += 1
        self.selector.register(member.socket, selectors.EVENT_WRITE, member)

    def turn(self, patience: float) -> None:
        """Lets everyone go on who can."""
        for key, _ in self.selector.select(patience):
            member: Member = key.data
            connected, settled = member.connected, member.settled
            try:
                wanted = member.advance()
            except OSError:
                wanted = 0
                self.failed += not settled
            self.opening -= not connected
            self.settled += member.settled and not settled
            if wanted:
                self.selector.modify(member.socket, wanted, member)
            else:
                self.selector.unregister(member.socket)

    def count(self) -> Count:
        """Asks the system for those whose connection is over; nothing is read for that."""
        poll = select.poll()
        for member in self.members:
            poll.register(member.socket, GONE)
        cut = sum(bool(events & GONE) for _, events in poll.poll(0))
        return Count(self.settled, cut)


def main(kind: str, number: str, port: str) -> None:
    machine.raise_open_files()
    ending = False

    def end(signal_number: int, frame: object) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end)
    crowd = Crowd(ladder_kinds.chosen([kind])[0], int(number), int(port))
    crowd.gather()
    print(json.dumps(asdict(crowd.count())), flush=True)
    while not ending:
        crowd.turn(0.1)
    print(json.dumps(asdict(crowd.count())), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

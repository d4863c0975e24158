"""Clients that ask without a pause and count: who loses a request, and who gives the answers."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from aiowsgi.server.phases import LAST_CHANCE
from tests.live import read_all
from tests.supervised import PATIENCE, Parent

CLIENTS = 8


class Load:
    """Clients that ask without a pause, half of them on a new connection for each request."""

    def __init__(self, url: str, *, resets: bool) -> None:
        self.resets = resets
        self.host, _, port = url.removeprefix("http://").partition(":")
        self.port = int(port)
        self.answers: Counter[int] = Counter()  # by the process that gave them
        self.faults: list[str] = []
        self.over = threading.Event()
        self.ends = False  # whether the server may refuse connections now
        self.changed = threading.Condition()  # guards answers and faults
        self.threads = [
            threading.Thread(target=self.ask, args=(number % 2 == 0,)) for number in range(CLIENTS)
        ]

    def ask(self, keeps: bool) -> None:
        client = HTTPConnection(self.host, self.port, timeout=20)
        now = time.monotonic()
        while not self.over.is_set():
            before, now = now, time.monotonic()
            may_be_reset = self.resets and self.ends and client.sock is None
            try:
                if client.sock is None:
                    client.connect()
            except ConnectionError as error:  # refused, or reset before it was accepted
                if not self.ends:
                    self.fault(repr(error))
                return
            try:
                client.request("GET", "/", headers={} if keeps else {"Connection": "close"})
                answer = client.getresponse()
                body = answer.read()
            except Exception as error:
                client.close()
                # No server keeps a connection for ever for somebody whom the machine holds up.
                took = time.monotonic() - before
                held_up = isinstance(error, ConnectionError) and took > LAST_CHANCE
                if not (may_be_reset or held_up):
                    self.fault(repr(error))
            else:
                self.count(answer.status, body)
        client.close()

    def count(self, status: int, body: bytes) -> None:
        if status != 200:
            self.fault(f"{status}: {body!r}")
            return
        with self.changed:
            self.answers[int(body)] += 1
            self.changed.notify_all()

    def fault(self, what: str) -> None:
        with self.changed:
            self.faults.append(what)
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], lost: int = 0) -> None:
        """Wait until it holds, as far as answers go; so many requests may be lost in all."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.faults) > lost or condition(), PATIENCE)
            assert len(self.faults) <= lost, self.faults

    def go_on(self, lost: int = 0) -> None:
        """Wait for the answers to more requests than were under way."""
        before = self.answers.total()
        self.wait(lambda: self.answers.total() > before + 10 * CLIENTS, lost)


@contextmanager
def load(url: str, *, resets: bool = sys.platform != "linux") -> Iterator[Load]:
    """Clients that ask for as long as the block runs.

    `resets`: who connects while the server ends may be reset instead of refused, since nothing
    keeps them out of the queue that is closed then (server/farewell.py).
    """
    load = Load(url, resets=resets)
    for thread in load.threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in load.threads:
            thread.join(30)


def end_with_fifty_under_way(server: Parent, gate: Path, ending: str) -> None:
    """TERM, while `gate` holds up fifty requests: they are answered, and then it ends cleanly.

    `ending`: what its log says when it has heard.
    """
    gate.touch()
    with ExitStack() as stack:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        clients = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(50)]
        for client in clients:
            client.sendall(f"GET /wait?{gate} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        server.out.wait("waits", 50)
        server.signal(signal.SIGTERM)
        server.log.wait(ending)
        gate.unlink()
        answers = [read_all(client) for client in clients]
    assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 200 OK\r\n")] == []
    server.end()
    assert server.process.returncode == 0

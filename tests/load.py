"""Clients that ask without a pause and count: who loses a request, and who gives the answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.supervised import PATIENCE

CLIENTS = 8


class Load:
    """Clients that ask without a pause, half of them on a new connection for each request."""

    def __init__(self, url: str) -> None:
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
        while not self.over.is_set():
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
                self.fault(repr(error))
                client.close()
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
def load(url: str) -> Iterator[Load]:
    """Clients that ask for as long as the block runs."""
    load = Load(url)
    for thread in load.threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in load.threads:
            thread.join(30)

"""Nobody loses a request when workers end or are replaced, whatever the reason (S8)."""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.live import read_all
from tests.supervised import PATIENCE, Supervised, supervised

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
                with self.changed:
                    self.answers[int(body)] += 1
                    self.changed.notify_all()
        client.close()

    def fault(self, what: str) -> None:
        with self.changed:
            self.faults.append(what)
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds, as far as answers go."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.faults or condition(), PATIENCE)
        assert self.faults == []


@contextmanager
def load(server: Supervised) -> Iterator[Load]:
    load = Load(server.url)
    for thread in load.threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in load.threads:
            thread.join(30)


def test_none_of_fifty_requests_under_way_is_lost_at_term(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    with supervised("--workers", "2", "--threads", "50") as server, ExitStack() as stack:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        clients = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(50)]
        for client in clients:
            client.sendall(f"GET /wait?{gate} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        server.out.wait("waits", 50)
        server.signal(signal.SIGTERM)
        server.log.wait("Ending")
        gate.unlink()
        answers = [read_all(client) for client in clients]
        assert [answer for answer in answers if not answer.startswith(b"HTTP/1.1 200 OK\r\n")] == []
        server.end()
        assert server.process.returncode == 0


def test_nobody_who_was_accepted_is_cut_by_term_under_load() -> None:
    with supervised("--workers", "2") as server, load(server) as clients:
        clients.wait(lambda: clients.answers.keys() >= set(server.pids))
        clients.ends = True
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0
        assert clients.faults == []


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_no_request_is_lost_by_a_reload_under_load(how: str) -> None:
    with supervised("--workers", "4", how) as server, load(server) as clients:
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0", 4)
        before = clients.answers.total()
        clients.wait(lambda: clients.answers.total() > before + 100)
        assert server.answered_by(1).isdisjoint(server.pids)
        assert clients.faults == []

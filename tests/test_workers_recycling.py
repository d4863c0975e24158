"""Workers that have done enough are replaced, and nobody is lost by it."""

from __future__ import annotations

import signal

import pytest

from tests.load import load
from tests.supervised import supervised


def test_a_worker_is_replaced_after_so_many_requests_and_none_is_lost() -> None:
    """On the way of every other end (S8)."""
    with supervised("--max-requests", "50", "--max-requests-jitter", "20") as server:
        with load(server.url) as clients:
            server.log.wait(f"Worker {server.pids[0]} retires: it has served")
            server.log.wait(f"Worker {server.pids[0]} ended with exit code 0")
            clients.wait(lambda: len(clients.answers) > 1)
        assert clients.faults == []
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("--max-worker-lifetime", "1s"), r"it is \ds old"),
        (("--max-worker-rss", "1m"), r"it holds \d+ MiB"),
        (("--workers", "2", "--preload", "--max-worker-lifetime", "1s"), r"it is \ds old"),
    ],
)
def test_a_worker_is_replaced_for_its_age_or_its_memory(args: tuple[str, ...], reason: str) -> None:
    with supervised(*args) as server:
        server.log.wait(f"Worker {server.pids[0]} retires: {reason}")
        server.log.wait(f"Worker {server.pids[0]} ended with exit code 0")
        assert server.get()

"""Under gunicorn's arbiter, too, nobody loses a request when workers end or are replaced (S8)."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.contrib.arbiter import gunicorn, workers_that_said
from tests.load import end_with_fifty_under_way, load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


def test_none_of_fifty_requests_under_way_is_lost_at_term(tmp_path: Path) -> None:
    with gunicorn("-w", "2", "--threads", "50") as server:
        server.boots(2)
        end_with_fifty_under_way(server, tmp_path / "gate", "Handling signal: term")


def test_nobody_who_was_accepted_is_cut_by_term_under_load() -> None:
    """The arbiter's sockets close as others do, since TERM may mean a reload as well."""
    options = ("-w", "2", "--threads", "4")
    with gunicorn(*options) as server, load(server.url, resets=True) as clients:
        server.boots(2)
        clients.wait(lambda: clients.answers.total() > 200)
        clients.ends = True
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0
        assert clients.faults == []


def test_no_request_is_lost_by_a_reload_under_load() -> None:
    with gunicorn("-w", "2", "--threads", "4") as server, load(server.url) as clients:
        server.boots(2)
        clients.wait(lambda: clients.answers.total() > 200)
        old = server.pids
        server.signal(signal.SIGHUP)
        server.log.wait(r"worker_exit in \d+", 2)
        before = clients.answers.total()
        clients.wait(lambda: clients.answers.total() > before + 100)
        assert int(server.get()) not in old
        assert clients.faults == []


def test_no_request_is_lost_when_workers_are_replaced_after_so_many() -> None:
    """--max-requests; with jitter, not all at once."""
    options = ("-w", "2", "--max-requests", "300", "--max-requests-jitter", "100")
    with gunicorn(*options, "--threads", "4") as server, load(server.url) as clients:
        server.log.wait(r"Autorestarting worker after current request", 4)
        server.log.wait(r"worker_exit in \d+", 4)
        ended = workers_that_said("\n".join(server.log.lines), "worker_exit")
        clients.wait(lambda: all(clients.answers[pid] >= 300 for pid in ended))
        assert clients.faults == []

"""Nobody loses a request when workers end or are replaced, whatever the reason (S8)."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from tests.load import CLIENTS, end_with_fifty_under_way, load
from tests.supervised import supervised


def test_none_of_fifty_requests_under_way_is_lost_at_term(tmp_path: Path) -> None:
    with supervised("--workers", "2", "--threads", "50") as server:
        end_with_fifty_under_way(server, tmp_path / "gate", "Ending")


def test_nobody_who_was_accepted_is_cut_by_term_under_load() -> None:
    with supervised("--workers", "2") as server, load(server.url) as clients:
        clients.wait(lambda: clients.answers.keys() >= set(server.pids))
        clients.ends = True
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0
        assert clients.faults == []


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_no_request_is_lost_by_a_reload_under_load(how: str) -> None:
    with supervised("--workers", "4", how) as server, load(server.url) as clients:
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0", 4)
        clients.go_on()
        assert server.answered_by(1).isdisjoint(server.pids)
        assert clients.faults == []


def test_of_a_worker_that_is_killed_only_its_own_requests_are_lost() -> None:
    """What waits in the queue of the kernel is another's then (S11)."""
    seeded = random.Random(1)
    with supervised("--workers", "3") as server, load(server.url) as clients:
        first, pids = set(server.pids), list(server.pids)
        for turn in range(3):
            clients.go_on(turn * CLIENTS)
            victim = pids.pop(seeded.randrange(len(pids)))
            os.kill(victim, signal.SIGKILL)
            server.log.wait("was killed by SIGKILL", turn + 1)
            clients.go_on((turn + 1) * CLIENTS)  # each client has one under way
        clients.wait(lambda: len(clients.answers.keys() - first) == 3, 3 * CLIENTS)

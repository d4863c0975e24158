"""`python -m benchmarks.soak_workers`: the short form passes, and faults are seen (S11)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.soak_workers import Run
from tests.examples.running import ROOT

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="it looks for the workers in /proc"
)


def test_a_few_seconds_of_deaths_cost_only_requests_in_the_dead() -> None:
    words = [sys.executable, "-m", "benchmarks.soak_workers", "--minutes", "0.05"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "only requests in killed workers were lost" in done.stdout


def test_a_request_that_is_lost_in_a_worker_that_lives_is_a_fault() -> None:
    run = Run(0, 8, killed={1}, slack=8)
    run.lose(1, "cut")
    assert run.faults == []
    run.lose(2, "cut")
    assert run.faults == ["lost in 2, which nobody killed: cut"]


def test_more_than_were_under_way_are_a_fault() -> None:
    run = Run(0, 2, slack=2)
    for _ in range(3):
        run.lose(None, "cut")
    assert run.faults == ["more were lost than were under way: cut"]


def test_a_command_that_is_wrong_says_so() -> None:
    words = [sys.executable, "-m", "benchmarks.soak_workers", "--minutes", "x"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 2

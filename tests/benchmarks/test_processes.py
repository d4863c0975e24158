"""What is started is gone when its block ends, with everything that it started itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.processes import running
from tests.benchmarks.proc import children, wait_until_gone


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_whole_group_is_gone_also_where_it_ignores_term() -> None:
    script = "trap '' TERM; sleep 1000 & echo started; wait; wait"
    with running(["sh", "-c", script], None) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        child = children(process.pid)
    assert process.poll() is not None
    assert len(child) == 1
    wait_until_gone(child)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="nothing can be pinned here")
def test_a_process_and_what_it_starts_run_on_the_core_they_are_given() -> None:
    core = max(os.sched_getaffinity(0))
    with running(["sh", "-c", "grep Cpus_allowed_list /proc/self/status"], core) as process:
        assert process.stdout is not None
        assert process.stdout.read().split() == ["Cpus_allowed_list:", str(core)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_memory_is_that_of_all_processes_of_the_server() -> None:
    script = "sleep 1000 & sleep 1000 & echo started; wait"
    with running(["sh", "-c", script], None) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not all(is_named("sleep", child) for child in children(process.pid)):
            pass  # it has been forked, and is still a shell
        own = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        found = machine.usage(process.pid)
    assert found is not None
    assert found.rss > own * os.sysconf("SC_PAGE_SIZE")


def is_named(name: str, process: int) -> bool:
    return Path(f"/proc/{process}/comm").read_text().strip() == name

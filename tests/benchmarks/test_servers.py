"""What is on for a workload is on for the servers that it is about, and for no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import servers, workloads
from benchmarks.runner import Runner
from benchmarks.servers import Settings

ABOUT_AIOWSGI = [workload for workload in workloads.ALL if workload.only]


def test_others_sit_out_what_is_about_one_server(tmp_path: Path) -> None:
    runner = Runner(tmp_path, 1, 0, 0)
    [ours, gunicorn] = servers.chosen(["aiowsgi", "gunicorn"])
    for workload in ABOUT_AIOWSGI:
        series = runner.begin(workload, [ours, gunicorn])
        assert list(series.samples) == ["aiowsgi"]
        assert series.absent == {"gunicorn": "it is about aiowsgi"}


@pytest.mark.parametrize("workload", ABOUT_AIOWSGI, ids=lambda workload: workload.name)
def test_the_flags_of_a_workload_go_with_the_log(workload: workloads.Workload) -> None:
    [ours] = servers.chosen(["aiowsgi"])
    with_log = ours.command(Settings(8000, 4, None, True, workload.flags))
    without = ours.command(Settings(8000, 4, None, False, workload.flags))
    assert set(workload.flags) <= set(with_log)
    assert "--access-log" in with_log
    assert not set(workload.flags) & set(without)
    assert "--no-access-log" in without

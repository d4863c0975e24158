"""`python -m benchmarks` as a user runs it: it says what it has, measures, and leaves nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import load, servers, workloads
from tests.benchmarks.proc import children, wait_until_gone

ROOT = Path(__file__).parent.parent.parent
needs_wrk = pytest.mark.skipif(not load.available(), reason="wrk is not installed")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks", *words]


def run(*words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": os.environ["PATH"] if path is None else path}
    return subprocess.run(
        command(*words), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_list_names_every_server_and_workload() -> None:
    said = run("--list").stdout
    names = [server.name for server in servers.ALL] + [w.name for w in workloads.ALL]
    assert [name for name in names if f"\n  {name} " not in said] == []


def test_the_page_names_every_server_and_workload() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    names = [server.name for server in servers.ALL] + [w.name for w in workloads.ALL]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("flag", ["--servers", "--workloads"])
def test_an_unknown_name_is_refused_with_the_known_ones(flag: str) -> None:
    done = run(flag, "nothing-of-the-kind")
    assert done.returncode == 2
    assert "nothing-of-the-kind" in done.stderr
    assert "aiowsgi" in done.stderr or "tiny-64" in done.stderr


def test_without_wrk_one_message_says_how_to_get_it() -> None:
    done = run("--quick", path="/nowhere")
    assert (done.returncode, done.stderr.strip()) == (2, load.HOW_TO_GET_WRK)


def test_a_pattern_names_workloads_in_their_own_order() -> None:
    names = [workload.name for workload in workloads.chosen(["tls", "tiny-*"])]
    assert names == ["tiny-1", "tiny-8", "tiny-64", "tiny-1000", "tls"]


@needs_wrk
def test_a_smoke_run_measures_aiowsgi_alone(tmp_path: Path) -> None:
    results, tables = tmp_path / "made" / "results.json", tmp_path / "tables.md"
    words = ["--quick", "--servers", "aiowsgi", "--workloads", "tiny-8,post-16k,idle,start-up"]
    done = run(*words, "--json", str(results), "--markdown", str(tables))
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text(encoding="utf-8"))
    assert [workload["ranking"] for workload in found["workloads"]] == [["aiowsgi"]] * 4
    assert found["facts"]["command"].startswith("python -m benchmarks --quick --servers aiowsgi")
    assert "[4/4] start-up, round 1, aiowsgi: " in done.stderr
    assert "| aiowsgi | " in tables.read_text(encoding="utf-8")


@needs_wrk
@pytest.mark.skipif(importlib.util.find_spec("bjoern") is not None, reason="bjoern is here")
def test_a_server_that_is_not_installed_is_named_and_skipped() -> None:
    done = run("--quick", "--servers", "bjoern")
    assert done.returncode == 0
    assert "bjoern: not installed: bjoern; skipped" in done.stdout


@needs_wrk
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, -9)]
)
def test_no_process_outlives_it(number: signal.Signals, code: int) -> None:
    words = command("--seconds", "30", "--servers", "aiowsgi", "--workloads", "tiny-1")
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as harness:
        try:
            started: list[int] = []
            # The second child, after the server, is wrk; the signal may come in the midst of its
            # fork, where an exception would be lost.
            while len(started) < 2 and harness.poll() is None:
                started = children(harness.pid)
            harness.send_signal(number)
            assert harness.wait(30) == code
        finally:
            harness.kill()
    assert len(started) == 2
    wait_until_gone(started)

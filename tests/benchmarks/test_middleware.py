"""`python -m benchmarks.middleware` as a user runs it, and the arithmetic of its table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import middleware
from benchmarks.apps import Environ, Start

ROOT = Path(__file__).parent.parent.parent


def test_a_smoke_run_measures_aiowsgi_beside_what_is_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.middleware", "--quick", "--json", tmp_path / "found"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "| GET, in process, 1 at once |" in done.stdout
    found = json.loads((tmp_path / "found").read_text())
    assert all(figures["aiowsgi"][0] > 0 for figures in found.values())


def test_ratios_are_those_of_single_rounds() -> None:
    said = middleware.table({"GET": {"aiowsgi": [10.0, 30.0, 30.0], "a2wsgi": [5.0, 10.0, 30.0]}})
    assert said.splitlines()[-1] == "| GET | 30 | 10 | 2.0 |"


def test_who_fails_has_no_ratio() -> None:
    said = middleware.table({"GET": {"aiowsgi": [10.0], "asgiref": [middleware.FAILED]}})
    assert said.splitlines()[-1] == "| GET | 10 | fails |  |"


def test_a_wrong_answer_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "CHUNKS", 1)  # what is expected; the application makes 1,000
    chunks = [middleware.CHUNK] * 1000

    def stream(environ: Environ, start_response: Start) -> list[bytes]:
        start_response("200 OK", [])
        return chunks

    with pytest.raises(ValueError, match="wrong answer"):
        middleware.in_process("aiowsgi", stream, 1, 1)

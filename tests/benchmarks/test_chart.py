"""The chart is drawn as PNG and SVG, with what must be known to read it inside the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import chart
from benchmarks.figures import Sample, Series
from benchmarks.report import Results
from benchmarks.workloads import Workload

pytest.importorskip("matplotlib", reason="the extra bench is not installed")


def test_the_chart_is_two_files_and_says_on_what_it_was_measured(tmp_path: Path) -> None:
    samples = {"aiowsgi": [Sample(3), Sample(5)], "broken": [Sample(failure="x")]}
    results = Results({"processor": "of this test"}, series=[Series(Workload("w", ""), samples)])
    png, svg = chart.draw(results, tmp_path / "new")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "processor: of this test" in svg.read_text(encoding="utf-8")


def test_a_run_in_which_nothing_was_ranked_still_has_its_files(tmp_path: Path) -> None:
    assert len(chart.draw(Results({}), tmp_path)) == 2


def test_a_workload_that_is_about_one_server_has_no_panel(tmp_path: Path) -> None:
    """Its bar would have nobody beside it; with others it has one."""
    samples = {"aiowsgi": [Sample(3)]}
    series = [Series(Workload("w", "with others"), samples)]
    series.append(Series(Workload("own", "about one", only="aiowsgi"), samples))
    _, svg = chart.draw(Results({}, series=series), tmp_path)
    _, alone = chart.draw(Results({}, series=series[:1]), tmp_path / "alone")
    assert svg.read_bytes() == alone.read_bytes()

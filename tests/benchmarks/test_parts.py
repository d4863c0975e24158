"""A comparison may be measured in parts: what joins, what is replaced, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import chart, figures, load, machine, parts, report, workloads
from benchmarks.figures import Sample, Series
from benchmarks.report import Results
from tests.benchmarks.test_command import run

ALIKE = {"processor": "one", "python": "CPython 3", "version of aiowsgi": "aiowsgi 1"}


def series(name: str, *rates: float, server: str = "aiowsgi") -> Series:
    (workload,) = workloads.chosen([name])
    return Series(workload, {server: [Sample(rate, requests=9) for rate in rates]}, {"b": "no"})


def part(command: str, *found: Series, **facts: str) -> Results:
    return Results({"command": command, **ALIKE, **facts}, series=list(found))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = part("first", series("tls", 1, 2), series("idle", 3))
    results.missing, results.notes = {"c": "not installed"}, {"aiowsgi": "a note"}
    results.series[0].samples["d"] = [Sample(failure="it did not start")]
    report.write(path, report.as_json(results))
    assert parts.read(path) == results
    assert [found.name for found in tmp_path.iterdir()] == ["results.json"]


def test_a_file_that_is_not_there_yet_is_an_empty_part(tmp_path: Path) -> None:
    assert parts.read(tmp_path / "none.json") == Results({})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"facts": {}, "missing": {}, "notes": {}, "workloads": [{"name": "unknown"}]}',
        '{"facts": {}, "missing": {}, "notes": {}, "workloads": [{"name": "tls", "absent": {}, '
        '"servers": {"a": {"samples": [{"unknown": 1}]}}}]}',
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(parts.PartsError, match="name of a new file"):
        parts.read(path)
    assert path.read_text() == content


def test_workloads_of_both_parts_stand_in_their_own_order() -> None:
    joined = parts.join(part("one", series("tls", 1)), part("two", series("tiny-8", 2)), 1)
    assert [found.workload.name for found in joined.series] == ["tiny-8", "tls"]
    assert joined.facts["command"] == "one; two"
    again = parts.join(joined, part("two", series("cpu", 2)), 1)
    assert again.facts["command"] == "one; two"


def test_a_workload_that_is_measured_again_takes_the_place_of_its_earlier_self() -> None:
    """Rounds of two runs cannot be compared, nor can servers of two runs."""
    old, new = series("tls", 1, 1, server="gone"), series("tls", 2, 2)
    joined = parts.join(part("one", old), part("two", new), 2)
    assert joined.series == [new]


def test_a_workload_that_is_not_whole_replaces_nothing() -> None:
    old, cut = series("tls", 1, 1), series("tls", 2)
    interrupted = part("two", cut, series("cpu"), interrupted="yes")
    joined = parts.join(part("one", old), interrupted, 2)
    assert joined.series == [old]
    assert report.INTERRUPTED not in joined.facts


def test_a_server_that_one_part_had_is_not_missing() -> None:
    old, new = part("one", series("tls", 1)), part("two", series("cpu", 1))
    old.missing = {"granian": "not installed", "bjoern": "not installed"}
    new.facts["version of granian"] = "granian 2"
    assert parts.join(old, new, 1).missing == {"bjoern": "not installed"}


@pytest.mark.parametrize("name", ALIKE)
def test_parts_that_were_not_measured_alike_do_not_join(name: str) -> None:
    with pytest.raises(parts.PartsError, match=f"{name}: .* there, 'other' now"):
        parts.check(part("one"), part("two", **{name: "other"}))


def test_parts_may_differ_in_date_and_rounds() -> None:
    parts.check(part("one", date="1", conditions="a"), part("two", date="2", conditions="b"))


@pytest.mark.skipif(not load.available(), reason="wrk is not installed")
def test_tables_and_chart_are_drawn_from_all_parts(tmp_path: Path) -> None:
    path, tables = tmp_path / "results.json", tmp_path / "tables.md"
    words = ["--quick", "--servers", "aiowsgi", "--json", str(path), "--add"]
    for workload in ("start-up", "tiny-8"):
        done = run(*words, "--workloads", workload, "--markdown", str(tables))
        assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [workload["name"] for workload in found["workloads"]] == ["tiny-8", "start-up"]
    for said in (done.stdout, tables.read_text(encoding="utf-8")):
        assert "tiny-8: " in said
        assert "start-up: " in said
    for fact in ("python build", "packages"):
        assert found["facts"][fact]


@pytest.mark.skipif(not load.available(), reason="wrk is not installed")
def test_a_part_of_another_machine_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    content = report.as_json(part("one", series("tls", 1), processor="another"))
    path.write_text(content, encoding="utf-8")
    done = run("--quick", "--servers", "aiowsgi", "--json", str(path), "--add")
    assert done.returncode == 2
    assert "processor: 'another' there" in done.stderr
    assert path.read_text(encoding="utf-8") == content


def test_add_without_a_file_is_refused() -> None:
    done = run("--quick", "--add")
    assert done.returncode == 2
    assert "--add needs --json FILE" in done.stderr


def test_the_chart_of_joined_parts_has_a_panel_for_each(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    joined = parts.join(part("one", series("tls", 1)), part("two", series("cpu", 2)), 1)
    drawn = chart.draw(joined, tmp_path)[1].read_text(encoding="utf-8")
    assert all(figures.ranked(each) for each in joined.series)
    assert drawn.count("requests/s, more is better") == 2


@pytest.mark.parametrize(
    ("arguments", "of_system", "said"),
    [
        ("'--enable-optimizations' '--with-lto'", False, "optimised: configured with --enable"),
        ("'--enable-shared'", True, "of a distribution"),
        ("", False, "not optimised"),
        ("'--enable-optimizations' '--with-pydebug'", True, "slow: configured with --with-pydebug"),
    ],
)
def test_how_python_was_built_is_told(arguments: str, of_system: bool, said: str) -> None:
    assert machine.python_build(arguments, of_system).startswith(said)

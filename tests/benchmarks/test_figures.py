"""Servers take turns, are compared inside a round only, and none with errors is ranked."""

from __future__ import annotations

import pytest

from benchmarks import figures, report
from benchmarks.figures import Sample, Series
from benchmarks.workloads import LOG, Kind, Workload


def samples(*rates: float) -> list[Sample]:
    return [Sample(rate, requests=1000) for rate in rates]


def test_every_second_round_runs_backwards() -> None:
    turns = [figures.order(["A", "B", "C"], number) for number in range(4)]
    assert ["".join(turn) for turn in turns] == ["ABC", "CBA", "ABC", "CBA"]


def test_a_ratio_is_taken_inside_its_round() -> None:
    # The machine slowed down by half: the ratio does not change, a ratio of medians would not show.
    assert figures.ratios(samples(100, 50, 10), samples(200, 100, 5)) == [0.5, 0.5, 2.0]


@pytest.mark.parametrize(
    "bad",
    [Sample(failure="it did not start"), Sample(9, requests=9, bad_answers=1), Sample(0)],
)
def test_a_round_that_failed_on_either_side_has_no_ratio(bad: Sample) -> None:
    assert figures.ratios([*samples(4), *samples(4)], [bad, *samples(2)]) == [2.0]
    if bad.fault:
        assert figures.ratios([bad, *samples(4)], [*samples(2), *samples(2)]) == [2.0]


def test_a_round_that_was_not_run_by_both_has_no_ratio() -> None:
    assert figures.ratios(samples(4, 4), samples(2)) == [2.0]


def test_a_failure_does_not_count_as_zero_in_a_median() -> None:
    found = figures.median([*samples(3, 5), Sample(failure="x")], lambda sample: sample.figure)
    assert found == 4


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        (Sample(1, requests=1000), ""),
        (Sample(1, requests=1000, socket_errors=1), ""),
        (Sample(1, requests=1000, socket_errors=2), "2 socket errors in 1000 requests"),
        (Sample(1, requests=1000, bad_answers=1), "1 answers were errors"),
        (Sample(failure="it did not start"), "it did not start"),
    ],
)
def test_errors_are_a_fault(sample: Sample, fault: str) -> None:
    assert sample.fault == fault


def test_a_server_with_a_fault_in_one_round_is_shown_but_not_ranked() -> None:
    broken = [*samples(900), Sample(900, requests=1000, bad_answers=7)]
    series = Series(
        Workload("w", ""), {"slow": samples(1, 1), "broken": broken, "fast": samples(5, 5)}
    )
    assert figures.ranked(series) == ["fast", "slow"]
    line = next(line for line in report.table(series).splitlines() if "broken" in line)
    assert line.split(None, 1) == [
        "broken",
        "not ranked: 7 answers were errors (in all: 7 error answers)",
    ]


def test_less_memory_ranks_higher() -> None:
    workload = Workload("w", "", kind=Kind.IDLE)
    series = Series(workload, {"more": samples(9), "less": samples(3)})
    assert figures.ranked(series) == ["less", "more"]


def test_the_share_of_the_ideal_and_of_the_figure_without_log() -> None:
    ideal = Series(Workload("w", "", ideal=4000), {"a": samples(3000, 3800, 3900)})
    assert figures.share(ideal, "a") == pytest.approx(0.95)
    logged = Series(Workload("w", "", needs=LOG), {"a": [Sample(80, without=100)]})
    assert figures.share(logged, "a") == pytest.approx(0.8)


def test_the_mark_of_a_load_that_was_the_limit_and_of_a_disturbed_core() -> None:
    found = [Sample(1234, requests=1, busy=0.99, others=0.2)]
    assert "1,234*~" in report.table(Series(Workload("w", ""), {"a": found}))
    found = [Sample(1234, requests=1, busy=0.9, others=0.01)]
    assert report.table(Series(Workload("w", ""), {"a": found})).endswith(" 1,234")

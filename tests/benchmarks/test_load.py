"""What wrk prints is read exactly, and its requests are the ones that a workload describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.workloads import BROWSER, Workload

# As wrk 4.1.0 prints it.
GOOD = """\
Running 2s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.24ms  812.33us  15.28ms   91.02%
    Req/Sec    51.32k     2.11k   54.00k    70.00%
  Latency Distribution
     50%    1.10ms
     75%    1.31ms
     90%    1.60ms
     99%  950.00us
  102345 requests in 2.00s, 14.93MB read
Requests/sec:  51172.03
Transfer/sec:      7.47MB
"""
BAD = GOOD.replace(
    "Requests/sec:",
    "  Socket errors: connect 1, read 20, write 300, timeout 4000\n"
    "  Non-2xx or 3xx responses: 77\nRequests/sec:",
)


def test_a_run_without_errors_is_read() -> None:
    assert load.parse(GOOD, 0.5) == load.Load(102345, 51172.03, 0.0011, 0.00095, busy=0.5)


def test_every_kind_of_error_that_wrk_reports_is_counted() -> None:
    found = load.parse(BAD)
    assert (found.bad_answers, found.socket_errors) == (77, 4321)


@pytest.mark.parametrize(
    ("printed", "seconds"),
    [("612.00us", 612e-6), ("1.50ms", 1.5e-3), ("2.03s", 2.03), ("1.50m", 90), ("0.50h", 1800)],
)
def test_every_unit_of_time_is_read(printed: str, seconds: float) -> None:
    assert load.parse(GOOD.replace("1.10ms", printed)).p50 == pytest.approx(seconds)


@pytest.mark.parametrize("part", ["requests in", "Requests/sec:", "     50%", "     99%"])
def test_output_with_a_part_missing_is_an_error_and_no_figure(part: str) -> None:
    with pytest.raises(load.LoadError, match="not understood"):
        load.parse(GOOD.replace(part, "?"))


def test_a_plain_get_needs_no_script() -> None:
    assert load.script(Workload("w", ""), "127.0.0.1:1") == ""


def test_a_request_that_changes_has_every_field_and_a_number() -> None:
    made = load.script(Workload("w", "", paths=("/item/{n}",), fields=BROWSER), "127.0.0.1:1")
    assert all(f"{name}: " in made for name in BROWSER)
    assert r"Host: 127.0.0.1:1\r\n" in made
    assert '{"GET /item/"}' in made
    assert ".. n .." in made


def test_a_body_is_made_once_and_not_for_every_request() -> None:
    made = load.script(Workload("w", "", paths=("/post",), body=16384), "127.0.0.1:1")
    assert 'wrk.method = "POST"' in made
    assert "16384" in made
    assert "function" not in made


@pytest.mark.skipif(not load.available(), reason="wrk is not installed")
def test_what_wrk_cannot_reach_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with pytest.raises(load.LoadError):
        load.run(Workload("w", "", 1), "http://127.0.0.1:1", 1, None, tmp_path)

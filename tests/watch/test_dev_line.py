"""The format for people: aligned, the target last, coloured where a terminal shows it."""

from __future__ import annotations

import re

import pytest

from aiowsgi.watch.dev_line import DevLine
from aiowsgi.watch.entry import Entry


def entry(status: int = 200, target: str = "/a", method: str = "GET") -> Entry:
    found = Entry("192.0.2.1", f"{method} {target} HTTP/1.1", status, 5)
    found.method, found.target, found.seconds = method, target, 0.0123
    return found


def test_a_line_begins_with_time_and_status_and_ends_with_the_target() -> None:
    line = DevLine(coloured=False).write(entry())
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200  12.3 ms      5 B  GET     /a", line)


def test_lines_are_aligned_whatever_stands_in_them() -> None:
    entries = [
        entry(),
        entry(500, "/longer", "OPTIONS"),
        Entry("", "", 400, 0),
        entry(304, "/" + "x" * 50, "POST"),
    ]
    entries[1].seconds, entries[1].sent = 12.34, 123_456
    entries[3].seconds, entries[3].sent = 7200.0, 5_000_000_000
    lines = [DevLine(coloured=False).write(each) for each in entries]
    methods = [line[32:].split(" ")[0] for line in lines]
    assert methods == ["GET", "OPTIONS", "-", "POST"]
    assert [line[40:][:2] for line in lines] == ["/a", "/l", "-", "/x"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1.0, "-"), (0.0, "0.0 ms"), (0.9994, "999.4 ms"), (0.9996, "1.0 s"), (7200.0, "120 min")],
)
def test_a_duration_has_the_unit_that_suits_it(seconds: float, said: str) -> None:
    dressed = entry()
    dressed.seconds = seconds
    assert f" {said:>8} " in DevLine(coloured=False).write(dressed)


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_499, "999.5 kB"), (10**7, "10.0 MB")],
)
def test_a_size_has_the_unit_that_suits_it(size: int, said: str) -> None:
    dressed = entry()
    dressed.sent = size
    assert f" {said}  GET" in DevLine(coloured=False).write(dressed)


@pytest.mark.parametrize(("status", "colour"), [(200, 32), (302, 36), (404, 33), (500, 31)])
def test_colours_tell_the_kind_of_status(status: int, colour: int) -> None:
    line = DevLine(coloured=True).write(entry(status))
    assert f"\x1b[{colour}m{status}\x1b[0m" in line
    assert "\x1b" not in DevLine(coloured=False).write(entry(status))


def test_what_was_cut_short_is_marked_and_a_request_colours_nothing() -> None:
    """S14: the only escapes are ours."""
    dressed = entry(target="/\x1b[31m")
    dressed.aborted = True
    line = DevLine(coloured=True).write(dressed)
    assert line.endswith("/\\x1b[31m  \x1b[31maborted\x1b[0m")

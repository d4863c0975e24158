"""The access log on a terminal: no record per line, while no program wants records (S14, S18)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import ClassVar

import pytest

from aiowsgi.watch import log_thread
from aiowsgi.watch.access_log import AccessLog
from aiowsgi.watch.combined import CombinedLines
from aiowsgi.watch.logs import ERROR_LOG, set_up_logs
from tests.watch.lines import ACCESS, Kept, note, parts

pytestmark = pytest.mark.usefixtures("bare_logs")


class Mark(logging.Filter):
    """Sees each record, and lets through what says 7."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.seen.append(record.getMessage())
        return "/7 " in record.getMessage()


def write(numbers: Iterable[int]) -> None:
    log = AccessLog(ACCESS, CombinedLines())
    for number in numbers:
        note(log, number)
    log.close()


def set_up() -> None:
    """Set up the logs as the command does; in the test, since pytest hangs its own output on."""
    ACCESS.handlers[:] = []
    set_up_logs("info")


def test_the_terminal_gets_each_line_once_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    write(range(1000))
    lines = capsys.readouterr().out.splitlines()
    assert [parts(line)["request"] for line in lines] == [
        f"GET /{number} HTTP/1.1" for number in range(1000)
    ]


def test_a_batch_is_one_write_and_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up()

    class Stream:
        writes: ClassVar[list[str]] = []
        flush = staticmethod(lambda: None)
        write = staticmethod(writes.append)

    def refuse(*_: object, **__: object) -> logging.LogRecord:
        raise AssertionError("a record was made")

    monkeypatch.setattr("sys.stdout", Stream)
    monkeypatch.setattr(ACCESS, "makeRecord", refuse)
    monkeypatch.setattr(log_thread, "_BATCH_SECONDS", 10)
    write(range(200))
    assert sum(text.count("\n") for text in Stream.writes) == 200
    assert len(Stream.writes) <= 3


def test_an_output_that_a_program_adds_gets_records(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    own = Kept()
    ACCESS.addHandler(own)
    write(range(5))
    assert len(own.lines) == 5
    assert capsys.readouterr().out.splitlines() == own.lines


@pytest.mark.parametrize("place", ["logger", "output"])
def test_a_filter_that_a_program_adds_is_asked(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up()
    mark = Mark()
    target = ACCESS if place == "logger" else ACCESS.handlers[0]
    target.addFilter(mark)
    try:
        write(range(10))
    finally:
        target.removeFilter(mark)
    assert len(mark.seen) == 10
    [line] = capsys.readouterr().out.splitlines()
    assert parts(line)["request"] == "GET /7 HTTP/1.1"


def test_a_format_that_a_program_sets_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    ACCESS.handlers[0].setFormatter(logging.Formatter("%(levelname)s"))
    write(range(2))
    assert capsys.readouterr().out == "INFO\nINFO\n"


def test_records_propagate_where_a_program_wants_that(caplog: pytest.LogCaptureFixture) -> None:
    set_up()
    ACCESS.propagate = True
    write(range(2))
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("way", ["logger level", "output level", "disabled"])
def test_what_is_switched_off_later_is_not_written(
    way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up()
    if way == "logger level":
        ACCESS.setLevel(logging.WARNING)
    elif way == "output level":
        ACCESS.handlers[0].setLevel(logging.WARNING)
    else:
        ACCESS.disabled = True
    write(range(3))
    assert capsys.readouterr().out == ""


def test_a_broken_terminal_does_not_end_the_log(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S18: what it cannot take is lost and told of once, and what comes after is written."""
    set_up()
    monkeypatch.setattr(logging.getLogger(ERROR_LOG), "propagate", True)
    tried = threading.Semaphore(0)

    class Broken:
        def write(self, _text: str) -> None:
            tried.release()
            raise BrokenPipeError("gone")

    log = AccessLog(ACCESS, CombinedLines())
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Broken())
        for number in range(2):
            note(log, number)
            assert tried.acquire(timeout=10)
    note(log, 2)
    log.close()
    [line] = capsys.readouterr().out.splitlines()
    assert parts(line)["request"] == "GET /2 HTTP/1.1"
    assert caplog.messages == ["The access log cannot be written: gone"]

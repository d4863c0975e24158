"""The loggers of a process that the server started: what they write, where, and how often."""

from __future__ import annotations

import logging
import logging.config
import os
import re

import pytest

from aiowsgi.watch.logs import ACCESS_LOG, ERROR_LOG, set_up_logs

ERRORS = logging.getLogger(ERROR_LOG)
ACCESS = logging.getLogger(ACCESS_LOG)


pytestmark = pytest.mark.usefixtures("bare_logs")


def test_an_error_line_is_time_process_level_and_message_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("info")
    ERRORS.info("Listening at: %s", "x")
    out, err = capsys.readouterr()
    assert out == ""
    line = rf"\[\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{{4}}\] \[{os.getpid()}\] \[INFO\] "
    assert re.fullmatch(line + "Listening at: x\n", err)


def test_an_access_line_stands_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("critical")
    ACCESS.info("a line")
    assert capsys.readouterr() == ("a line\n", "")


def test_the_level_is_a_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("warning")
    ERRORS.info("hidden")
    ERRORS.warning("shown")
    err = capsys.readouterr().err
    assert "shown" in err
    assert "hidden" not in err


def test_nothing_is_written_twice(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info")
    set_up_logs("debug")
    root = logging.getLogger()
    own = logging.StreamHandler()
    root.addHandler(own)
    try:
        ERRORS.debug("once")
    finally:
        root.removeHandler(own)
    assert capsys.readouterr().err.count("once") == 1


def test_the_root_logger_is_left_alone() -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    set_up_logs("debug")
    assert (root.handlers, root.level) == before


def test_a_logger_that_writes_elsewhere_keeps_its_place(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ERRORS.addHandler(caplog.handler)
    set_up_logs("info")
    ERRORS.info("elsewhere")
    assert caplog.messages == ["elsewhere", "elsewhere"]  # its own output, and the root's
    assert capsys.readouterr().err == ""


def test_a_logger_that_the_application_disabled_speaks_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ERRORS.disabled = True  # as logging.config.dictConfig does with every logger that it finds
    set_up_logs("info")
    ERRORS.info("heard")
    assert "heard" in capsys.readouterr().err


def test_a_closed_terminal_does_not_break_the_caller(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("info")
    monkeypatch.setattr("sys.stderr", None)
    ERRORS.info("into the void")
    monkeypatch.undo()
    assert capsys.readouterr().err == ""

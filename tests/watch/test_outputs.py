"""Logs in files: appended, opened anew for rotation, whole lines only; and who sets up what."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.watch.access_log import AccessLog
from aiowsgi.watch.combined import CombinedLines
from aiowsgi.watch.logs import ACCESS_LOG, ERROR_LOG, reopen_logs
from tests.watch.lines import ACCESS, note, parts

pytestmark = pytest.mark.usefixtures("bare_logs", "_bare_root")

ERRORS = logging.getLogger(ERROR_LOG)


@pytest.fixture
def _bare_root() -> object:
    """Leave the root logger as it was, whatever a file of the operator's did to it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    for output in [*ERRORS.handlers, *ACCESS.handlers]:
        output.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])


def set_up(**options: object) -> None:
    """In the test, since pytest hangs its own outputs on."""
    ERRORS.handlers[:] = ACCESS.handlers[:] = []
    logging.getLogger().handlers[:] = []
    set_up_logging(Config(**options))


def write(*numbers: int) -> None:
    log = AccessLog(ACCESS, CombinedLines())
    for number in numbers:
        note(log, number)
    log.close()


def requests(path: Path) -> list[str]:
    return [parts(line)["request"] for line in path.read_text().splitlines()]


def test_each_log_has_its_file_and_nothing_else_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error, access = tmp_path / "error.log", tmp_path / "access.log"
    when = "27/Nov/2026:00:00:00 +0000"
    access.write_text(f'- - - [{when}] "GET /old HTTP/1.1" 200 1 "-" "-"\n')
    set_up(error_logfile=error, access_logfile=access)
    ERRORS.warning("trouble")
    write(1, 2)
    assert error.read_text().endswith("[WARNING] trouble\n")
    assert requests(access) == [f"GET /{name} HTTP/1.1" for name in ("old", 1, 2)]
    assert capsys.readouterr() == ("", "")


def test_a_file_that_was_moved_away_is_opened_anew_when_that_is_asked_for(tmp_path: Path) -> None:
    access, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    set_up(access_logfile=access)
    write(1)
    access.rename(moved)
    write(2)
    assert not access.exists()
    reopen_logs()
    write(3)
    assert requests(moved) == ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]
    assert requests(access) == ["GET /3 HTTP/1.1"]


def test_a_file_that_cannot_be_opened_anew_leaves_the_old_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    set_up(access_logfile=folder / "access.log")
    write(1)
    folder.rename(tmp_path / "moved")
    reopen_logs()
    write(2)
    assert "The log goes on in its old file: cannot open" in capsys.readouterr().err
    assert len(requests(tmp_path / "moved" / "access.log")) == 2


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    set_up(access_logfile="access.log")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    reopen_logs()
    write(1)
    assert len(requests(tmp_path / "access.log")) == 1


def test_a_batch_is_one_write_so_that_processes_may_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(access_logfile=tmp_path / "access.log")
    [output] = ACCESS.handlers
    writes: list[bytes] = []

    class File(io.RawIOBase):
        def write(self, data: object) -> int:
            writes.append(bytes(data))  # type: ignore[call-overload]
            return len(writes[-1])

    monkeypatch.setattr(output, "_file", File())
    monkeypatch.setattr("aiowsgi.watch.log_thread._BATCH_SECONDS", 10)
    write(*range(200))
    assert sum(data.count(b"\n") for data in writes) == 200
    assert all(data.endswith(b"\n") for data in writes)
    assert len(writes) <= 3


@pytest.mark.parametrize("name", ["error_logfile", "access_logfile"])
def test_a_file_that_cannot_be_opened_is_told_by_its_option(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: cannot open '.*none/x.log': No such file"):
        set_up(**{name: tmp_path / "none" / "x.log"})


def test_json_is_an_object_per_line_in_both_logs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pythonjsonlogger")
    set_up(log_format="json")
    try:
        raise ValueError('a "quoted"\nfault')
    except ValueError:
        ERRORS.exception("Error in %s", "GET /")
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said["level"] == "ERROR"
    assert said["message"] == "Error in GET /"
    assert said["logger"] == ERROR_LOG
    assert said["process"] == os.getpid()
    assert 'ValueError: a "quoted"\nfault' in said["exc_info"]
    assert Config(log_format="json").line_format == "json"
    assert Config(log_format="json", access_logformat="common").line_format == "common"


def test_json_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythonjsonlogger.json", None)
    with pytest.raises(ConfigError, match=r"install the extra aiowsgi\[json\]"):
        set_up(log_format="json")


TOML = """
[handlers.own]
class = "logging.FileHandler"
filename = "{path}"
[loggers."aiowsgi.access"]
handlers = ["own"]
propagate = false
"""
INI = """
[loggers]
keys=root
[handlers]
keys=own
[formatters]
keys=
[logger_root]
handlers=own
[handler_own]
class=FileHandler
args=("{path}",)
"""


@pytest.mark.parametrize("form", ["toml", "json", "ini", "conf"])
def test_a_file_of_the_operators_decides_where_it_says_something(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its loggers, or by the root logger, which is then enough; what it leaves out is ours."""
    path, file = tmp_path / "own.log", tmp_path / f"log.{form}"
    text = TOML if form == "toml" else INI
    if form == "json":
        handlers = {"own": {"class": "logging.FileHandler", "filename": str(path)}}
        text = json.dumps({"version": 1, "handlers": handlers, "root": {"handlers": ["own"]}})
    else:
        text = text.format(path=path)
    file.write_text(text)
    ERRORS.disabled = True
    set_up(log_config=file)
    ERRORS.warning("trouble")
    write(1)
    for handler in [*ACCESS.handlers, *logging.getLogger().handlers]:
        handler.close()
    out, err = capsys.readouterr()
    assert "GET /1 HTTP/1.1" in path.read_text()
    assert out == ""
    assert ("trouble" in path.read_text()) is (form != "toml")
    assert ("trouble" in err) is (form == "toml")


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        ("toml", "a = ", "says nothing that"),
        ("json", "{", "says nothing that"),
        ("json", "[1]", "it is no table"),
        ("toml", '[root]\nhandlers = ["none"]', "none"),
        ("ini", "nonsense", "says nothing that"),
        ("ini", INI.replace("FileHandler", "NoHandler"), "says nothing that"),
    ],
)
def test_a_file_that_says_nothing_is_told(form: str, text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / f"log.{form}"
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"^log_config: .*{why}"):
        set_up(log_config=file)
    with pytest.raises(ConfigError, match="^log_config: cannot read .*: No such file"):
        set_up(log_config=tmp_path / "none.toml")


def test_a_second_call_takes_what_has_changed(tmp_path: Path) -> None:
    """As after a reload; what a program hung on an output that stays, stays."""
    set_up(access_logfile=tmp_path / "one.log")
    [output] = ACCESS.handlers
    set_up_logging(Config(access_logfile=tmp_path / "one.log"))
    assert ACCESS.handlers == [output]
    set_up_logging(Config(access_logfile=tmp_path / "two.log"))
    write(1)
    assert (tmp_path / "one.log").read_text() == ""
    assert len(requests(tmp_path / "two.log")) == 1


def test_both_loggers_are_named_as_they_are_promised() -> None:
    assert (ERROR_LOG, ACCESS_LOG) == ("aiowsgi.error", "aiowsgi.access")

"""The pid file: true while we run, gone after, and never another's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aiowsgi.errors import ConfigError
from aiowsgi.server.pidfile import pid_file


def test_it_says_who_runs_and_is_gone_after(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with pid_file(str(file)):
        assert file.read_text() == f"{os.getpid()}\n"
        assert os.listdir(tmp_path) == ["pid"]
    assert not file.exists()


@pytest.mark.parametrize("left", ["{dead}", "", "nonsense", "-1", "0", "{own}"])
def test_what_was_left_behind_is_replaced(left: str, tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    file = tmp_path / "pid"
    file.write_text(left.format(dead=dead.stdout.decode().strip(), own=os.getpid()))
    with pid_file(str(file)):
        assert file.read_text() == f"{os.getpid()}\n"


def test_that_of_a_process_that_runs_is_refused_and_left(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(f"{os.getppid()}\n")
    with (
        pytest.raises(ConfigError, match=f"says that process {os.getppid()} runs"),
        pid_file(str(file)),
    ):
        pass
    assert file.read_text() == f"{os.getppid()}\n"


def test_one_that_another_has_written_since_is_left(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with pid_file(str(file)):
        file.write_text("1\n")
    assert file.exists()


def test_one_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file") as caught:
        with pid_file(str(tmp_path / "nowhere" / "pid")):
            pass
    assert caught.value.exit_code == 1


def test_it_is_found_again_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pid_file("pid"):
        monkeypatch.chdir("/")
    assert os.listdir(tmp_path) == []

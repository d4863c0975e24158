"""The units of deploy/systemd: what systemd says of them, and that their command is one of ours."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.deploy.reading import config, text

UNITS = ("shop.service", "shop.socket")
PROGRAM = "/srv/shop/venv/bin/aiowsgi"


def unit(name: str) -> ConfigParser:
    """A unit whose lines are joined; each key stands once in these."""
    parser = ConfigParser(interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text(f"systemd/{name}").replace("\\\n", " "))
    return parser


def command() -> list[str]:
    program, *words = shlex.split(unit("shop.service")["Service"]["ExecStart"])
    assert program == PROGRAM
    return words


def analyze(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze` over copies of the units whose program exists."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in UNITS:
        content = text(f"systemd/{name}").replace(PROGRAM, sys.executable)
        folder.joinpath(name).write_text(content)
    return subprocess.run(
        ["systemd-analyze", *words], cwd=folder, capture_output=True, text=True, timeout=50
    )


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", *(str(tmp_path / name) for name in UNITS), folder=tmp_path)
    own = [line for line in (done.stdout + done.stderr).splitlines() if "shop." in line]
    assert own == []
    assert done.returncode == 0


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    analyze("--version", folder=tmp_path)
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nType=notfy\nExecStart=/nowhere/at/all\n")
    done = analyze("verify", "--man=no", str(wrong), folder=tmp_path)
    assert "wrong.service" in done.stderr


def test_the_service_may_do_little_but_serve(tmp_path: Path) -> None:
    """systemd's own measure, of 100: what is exposed."""
    name = str(tmp_path / "shop.service")
    done = analyze("security", "--offline=true", "--threshold=25", name, folder=tmp_path)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")
    assert done.returncode == 0, done.stdout


def test_its_command_is_one_of_ours_and_takes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    told = config(command(), monkeypatch)
    [bind] = told.binds
    name = unit("shop.socket")["Socket"]["FileDescriptorName"]
    assert str(bind) == f"systemd:{name}"
    assert unit("shop.service")["Unit"]["Requires"] == "shop.socket"


def test_operators_find_its_control_socket_in_a_directory_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By default it would be in /tmp, which is the unit's own."""
    service = unit("shop.service")["Service"]
    path = config(command(), monkeypatch).control_socket
    assert path is not None
    assert path.startswith(f"/run/{service['RuntimeDirectory']}/")
    assert service["RuntimeDirectoryMode"] == "0700"
    assert f"aiowsgi ctl status --control-socket {path}\n" in text("systemd/shop.service")


def test_it_is_not_killed_before_its_own_patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    service = unit("shop.service")["Service"]
    told = config(command(), monkeypatch)
    assert told.graceful_timeout is not None
    assert int(service["TimeoutStopSec"]) > told.graceful_timeout + told.shutdown_delay
    assert service["KillMode"] == "mixed"


def test_a_reload_is_the_signal_that_reloads() -> None:
    service = unit("shop.service")["Service"]
    assert service["Type"] == "notify"
    assert service["ExecReload"].endswith("kill -HUP $MAINPID")

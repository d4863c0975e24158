"""`aiowsgi ctl` over the control socket of real processes, as an operator would use it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aiowsgi import cli
from tests.supervised import APP, PATIENCE, ROOT, Supervised, supervised

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no workers here")


class Said(NamedTuple):
    """What the command wrote, and its exit code."""

    code: int
    out: str
    err: str


class Ctl:
    """The command in this process, with a directory of sockets of its own."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        self._capsys.readouterr()
        code = cli.main(["ctl", *args])
        return Said(code, *self._capsys.readouterr())

    def json(self, *args: str) -> Any:
        said = self(*args, "-j")
        assert said.code == 0, said.err
        return json.loads(said.out)

    def wait(self, name: str, condition: Callable[[Any], bool]) -> Any:
        """Ask until what is told is so."""
        deadline = time.monotonic() + PATIENCE
        while not condition(told := self.json(name)):
            assert time.monotonic() < deadline, told
            time.sleep(0.02)
        return told


@pytest.fixture
def ctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ctl:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Ctl(tmp_path, capsys)


@contextmanager
def started(ctl: Ctl, *args: str, app: str = APP) -> Iterator[Supervised]:
    with supervised(*args, app=app, XDG_RUNTIME_DIR=str(ctl.directory)) as server:
        yield server


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_it_is_found_and_tells_who_serves_and_where(ctl: Ctl, how: str) -> None:
    with started(ctl, "--workers", "2", how) as server:
        told = ctl.wait("status", lambda told: all(w["memory"] for w in told["workers"]))
        assert (told["pid"], told["addresses"]) == (server.process.pid, [server.url])
        assert [worker["pid"] for worker in told["workers"]] == server.pids
        text = ctl("status").out
        assert f"process {server.process.pid}, for " in text
        assert all(f"{pid}  serves" in text for pid in server.pids)
        server.signal(signal.SIGTERM)
        server.end()
    assert list((ctl.directory / "aiowsgi").iterdir()) == []


def test_a_stuck_request_is_shown_with_its_worker_and_line_of_code(ctl: Ctl) -> None:
    """S17: while its worker has no thread left."""
    with started(ctl, "--workers", "2", "--threads", "1", "--graceful-timeout", "0") as server:
        with client(server, "/stuck?secret"):
            told = ctl.wait("requests", lambda told: states(told) == ["in the application"])
            [row] = told["requests"]
            assert row["worker"] in server.pids
            assert row["path"] == "/stuck"
            assert "GET /stuck" in ctl("requests").out
            text = ctl("stacks").out
            assert "GET /stuck, in the application for " in text
            assert "    threading.Event().wait()\n" in text
            assert "secret" not in text
        assert ctl("stop").code == 0
        server.end()


def states(told: Any) -> list[str]:
    """Of all requests; each is queued at first."""
    return [row["state"] for row in told["requests"]]


def client(server: Supervised, target: str) -> socket.socket:
    """A client that has asked, and waits."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    waiting = socket.create_connection((host, int(port)))
    waiting.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return waiting


def test_a_worker_whose_loop_hangs_is_named_and_nobody_waits_for_it(ctl: Ctl) -> None:
    with started(ctl, "--workers", "2") as server:
        os.kill(server.pids[0], signal.SIGSTOP)
        try:
            told = ctl.json("stacks")
            assert told["silent"] == [server.pids[0]]
            assert f"within a second: {server.pids[0]}" in ctl("requests").out
        finally:
            os.kill(server.pids[0], signal.SIGCONT)


def test_workers_and_reload_and_stop_are_done(ctl: Ctl) -> None:
    with started(ctl, "--workers", "2") as server:
        assert ctl("workers", "3").out == "So many workers are wanted now.\n"
        ctl.wait("status", lambda told: serving(told) == 3)
        assert ctl("reload").code == 0
        told = ctl.wait("status", lambda told: told["restarts"] == {"reload": 3})
        told = ctl.wait("status", lambda told: len(told["workers"]) == serving(told) == 3)
        assert {w["pid"] for w in told["workers"]}.isdisjoint(server.pids)
        assert "replaced so far: 3 reload" in ctl("status").out
        assert ctl("stop").code == 0
        assert "] All workers have ended: " in server.end().splitlines()[-1]
        assert server.process.returncode == 0


def serving(told: Any) -> int:
    return sum(worker["state"] == "serves" for worker in told["workers"])


def test_what_is_wrong_is_told_in_one_line_with_an_exit_code(ctl: Ctl) -> None:
    with started(ctl, "--workers", "2") as server:
        for args in (("workers",), ("workers", "none"), ("workers", "0"), ("nothing",)):
            assert ctl(*args).code == 2
        said = ctl("workers", "5000")
        assert (said.code, said.err) == (1, "Error: a number of workers from 1 to 1000\n")
        with started(ctl, "--workers", "2") as other:
            said = ctl("status")
            assert said.code == 2
            assert "several servers run" in said.err
            for process in (server.process, other.process):
                path = str(ctl.directory / "aiowsgi" / f"{process.pid}.sock")
                assert path in said.err
                assert ctl.json("status", "--control-socket", path)["pid"] == process.pid


def test_without_a_server_it_says_where_it_looked(ctl: Ctl) -> None:
    said = ctl("status")
    assert said.code == 1
    assert f"has a control socket in {ctl.directory / 'aiowsgi'}" in said.err
    said = ctl("stop", "--control-socket", str(ctl.directory / "nowhere"))
    assert (said.code, "No such file or directory" in said.err) == (1, True)


def test_a_path_is_used_as_it_is_named_with_one_worker_as_well(ctl: Ctl) -> None:
    own = ("--control-socket", str(ctl.directory / "own"))
    with started(ctl, "--workers", "1", *own) as server:
        assert serving(ctl.json("status", *own)) == 1
        assert not (ctl.directory / "aiowsgi").exists()
        server.signal(signal.SIGTERM)
        server.end()


def test_off_is_off(ctl: Ctl) -> None:
    with started(ctl, "--workers", "2", "--control-socket", "off"):
        assert not (ctl.directory / "aiowsgi").exists()


def test_where_it_cannot_be_had_the_server_serves_without(ctl: Ctl) -> None:
    """Nobody has asked for it; a directory of others, or a name that is too long, is no error."""
    ctl.directory.joinpath("aiowsgi").mkdir(mode=0o755)
    long = ctl.directory / ("x" * 100)
    long.mkdir()
    for directory, why in ((ctl.directory, "not a directory of this user's"), (long, "too long")):
        with supervised("--workers", "2", XDG_RUNTIME_DIR=str(directory)) as server:
            server.log.wait(f"aiowsgi ctl will not find this server: .*{why}")
            assert int(server.get()) in server.pids


def test_one_worker_has_none_by_default(ctl: Ctl) -> None:
    with started(ctl, "--workers", "1"):
        assert not (ctl.directory / "aiowsgi").exists()


def test_help_names_every_command(ctl: Ctl) -> None:
    said = ctl("--help")
    assert said.code == 0
    for name in ("status", "requests", "stacks", "reload", "workers", "stop"):
        assert f"\n  {name} " in said.out


def test_an_application_may_be_called_ctl_all_the_same(ctl: Ctl) -> None:
    ctl.directory.joinpath("ctl.py").write_text("from tests.apps.hello import app\n")
    args = ("--workers", "1", "--app-dir", str(ctl.directory))
    with supervised(*args, app="ctl:app", PYTHONPATH=str(ROOT)) as server:
        assert server.get() == "hello at /"

"""HUP, TTIN, TTOU, USR1: a service that changes while it serves (S11)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.supervised import ROOT, Supervised, supervised

CODE = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [{!r}]
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(CODE.format(b"old"))
    return file


def changed(file: Path, text: str) -> None:
    """Change a file of code, in one step, so that nobody reads half of it.

    The new one is not taken for the old by a cache of its bytes.
    """
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (1, 1))
    new.replace(file)


@contextmanager
def shop(code: Path, *args: str) -> Iterator[Supervised]:
    with supervised("--chdir", str(code.parent), *args, app="shop:app") as server:
        assert server.get() == "old"
        yield server


def test_hup_brings_new_code(code: Path) -> None:
    with shop(code, "--workers", "2") as server:
        changed(code, CODE.format(b"new"))
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0", 2)
        assert [server.get() for _ in range(4)] == ["new"] * 4
        server.signal(signal.SIGTERM)
        server.end()
        assert server.process.returncode == 0


def test_new_code_that_does_not_load_leaves_the_old_serving_and_the_log_says_why(
    code: Path,
) -> None:
    with shop(code, "--workers", "2") as server:
        changed(code, "1 / 0\n")
        server.signal(signal.SIGHUP)
        server.log.wait("Reload failed, the workers go on as they were: cannot load 'shop:app'")
        server.log.wait("ZeroDivisionError")
        assert [server.get() for _ in range(4)] == ["old"] * 4
        assert server.log.find("retires") == []
        changed(code, CODE.format(b"new"))  # the next one is a reload as any other
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0", 2)
        assert server.get() == "new"


def test_new_code_that_ends_the_process_leaves_the_old_serving(code: Path) -> None:
    with shop(code, "--workers", "2") as server:
        changed(code, "import os\nos._exit(9)\n")
        server.signal(signal.SIGHUP)
        server.log.wait("Reload failed.* ended with exit code 9 before it could serve")
        assert server.get() == "old"


def test_a_worker_that_dies_while_the_code_is_broken_is_tried_again(code: Path) -> None:
    with shop(code, "--workers", "2") as server:
        changed(code, "1 / 0\n")
        os.kill(server.pids[0], signal.SIGKILL)
        server.log.wait("It is tried again in ", 2)
        assert server.get() == "old"
        changed(code, CODE.format(b"new"))
        while server.get() != "new":
            pass


def test_a_reload_follows_the_symbolic_link_that_it_was_started_in(tmp_path: Path) -> None:
    """The way of deployments that keep several releases."""
    for release in (b"old", b"new"):
        folder = tmp_path / release.decode()
        folder.mkdir()
        folder.joinpath("shop.py").write_text(CODE.format(release))
    current = tmp_path / "current"
    current.symlink_to("old")
    with supervised("-w", "1", "--chdir", str(current), app="shop:app") as server:
        assert server.get() == "old"
        tmp_path.joinpath("next").symlink_to("new")
        tmp_path.joinpath("next").rename(current)
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0")
        assert server.get() == "new"


def test_preload_says_that_a_reload_brings_no_new_code() -> None:
    with supervised("--workers", "1", "--preload") as server:
        server.signal(signal.SIGHUP)
        server.log.wait("With preload a reload brings no new code")
        server.log.wait("ended with exit code 0")
        assert int(server.get()) not in server.pids


def test_ttin_and_ttou_change_the_number_of_workers() -> None:
    with supervised("--workers", "1") as server:
        server.signal(signal.SIGTTOU)
        server.log.wait("One worker is the least")
        server.signal(signal.SIGTTIN)
        server.log.wait("2 workers are wanted now")
        assert len(server.answered_by(2)) == 2
        server.signal(signal.SIGTTOU)
        server.log.wait(f"Worker {server.pids[0]} ended with exit code 0")
        assert len({server.get() for _ in range(5)}) == 1
        server.signal(signal.SIGWINCH)  # a terminal that is resized
        assert server.get()


def test_a_loop_that_does_not_turn_is_noticed_and_its_threads_are_in_the_log() -> None:
    program = (
        "import aiowsgi.server.workers as workers\n"
        "workers.SILENCE = 4.0\n"
        "import aiowsgi\n"
        "aiowsgi.run('tests.apps.worker:app', workers=1, port=0, access_log=False)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            server = Supervised(process)
            with pytest.raises(ConnectionError):
                server.get("/hold")
            server.log.wait(f"Worker {server.pids[0]} is stuck")
            server.log.wait(r'File ".*worker.py", line \d+ in app')
            assert int(server.get()) not in server.pids
        finally:
            process.kill()

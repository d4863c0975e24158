"""`--reload`, as somebody sees it who works on an application: real processes, real files."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import aiowsgi
from aiowsgi.errors import ConfigError
from tests.apps.hello import app
from tests.live import read_all
from tests.supervised import Supervised, supervised
from tests.test_cli_process import command, failed
from tests.test_workers_reload import CODE, changed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no workers")


ENDLESS = """
def app(environ, start_response):
    start_response("200 OK", [])
    while True:
        yield b"one"
        time.sleep(0.1)
"""


@contextmanager
def endless_answer(url: str) -> Iterator[None]:
    """A client that has the beginning of an answer, and stays."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(4096)
        yield


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(CODE.format(b"one"))
    return file


@contextmanager
def reloading(code: Path, *args: str) -> Iterator[Supervised]:
    """A server that has armed its watch and serves."""
    with supervised("--reload", "--chdir", str(code.parent), *args, app="shop:app") as server:
        server.log.wait("Watching for changes in: ")
        yield server


def test_a_change_brings_the_new_code_and_the_log_names_the_file(code: Path) -> None:
    with reloading(code) as server:
        assert server.get() == "one"
        for number, word in ((1, "two"), (2, "three")):
            changed(code, CODE.format(word.encode()))
            server.log.wait(r"Changed: shop\.py", number)
            server.log.wait("serves with what was reloaded$", number)
            assert server.get() == word


def test_a_client_that_comes_while_it_restarts_waits_and_is_answered(code: Path) -> None:
    """The address, a free port of the system's choice, stays open meanwhile."""
    started = code.parent / "started"
    slow = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(started)!r}).touch()\n"
        f"while pathlib.Path({str(started)!r}).exists(): time.sleep(0.01)\n"
    )
    with reloading(code) as server:
        host, port = server.url.removeprefix("http://").split(":")
        changed(code, slow + CODE.format(b"two"))
        server.log.wait("ended with exit code 0")  # the old one is gone, the new one not there
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while not started.exists():
                pass
            started.unlink()
            assert read_all(client).endswith(b"two")


def test_the_old_worker_has_ended_before_the_new_one_starts(code: Path) -> None:
    locked = code.parent / "lock"
    alone = (
        f"import fcntl, time\nlock = open({str(locked)!r}, 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    )
    changed(code, alone + ENDLESS)
    with reloading(code, "--graceful-timeout", "2s") as server, endless_answer(server.url):
        changed(code, alone + CODE.format(b"two"))
        server.log.wait("serves with what was reloaded|Waiting for a change")
        assert server.get() == "two"


@pytest.mark.parametrize(
    ("broken", "shown"),
    [
        ("def app(:\n", "SyntaxError: "),
        ("import nothing_like_this\n", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("import sys\nsys.exit(1)\n", r"it called sys.exit\(1\) while it was loaded"),
        ("import os\nos._exit(9)\n", "ended with exit code 9 before it could serve"),
        ("other = 1\n", "did you mean|has no|there is no"),
    ],
)
def test_code_that_fails_is_shown_and_the_next_change_is_waited_for(
    code: Path, broken: str, shown: str
) -> None:
    with reloading(code) as server:
        changed(code, broken)
        server.log.wait(shown)
        server.log.wait("Waiting for a change")
        changed(code, CODE.format(b"two"))
        server.log.wait("serves with what was reloaded")
        assert server.get() == "two"


def test_code_that_fails_at_the_start_is_waited_for_as_well(code: Path) -> None:
    changed(code, "1 / 0\n")
    args = ("--reload", "--port", "0", "--chdir", str(code.parent), "shop:app")
    with command(*args) as process:
        assert process.stderr is not None
        while "Waiting for a change" not in process.stderr.readline():
            pass
        changed(code, CODE.format(b"two"))
        server = Supervised(process)
        assert server.get() == "two"


def test_ctrl_c_ends_both_cleanly_while_it_serves_and_while_it_waits(code: Path) -> None:
    for text in (CODE.format(b"one"), "1 / 0\n"):
        with reloading(code) as server:
            if text.startswith("1"):
                changed(code, text)
                server.log.wait("Waiting for a change")
            pids = server.pids
            server.signal(signal.SIGINT)
            log = server.end()  # nobody has the other end of the log any more, so all have ended
            assert server.process.returncode == 0
            assert "Traceback" not in log.partition("Waiting for a change")[2]
            for pid in pids:
                with pytest.raises(ProcessLookupError):
                    os.kill(pid, 0)


def test_a_worker_that_dies_is_replaced_without_a_change(code: Path) -> None:
    with reloading(code) as server:
        os.kill(server.pids[0], signal.SIGKILL)
        server.log.wait("another takes its place")
        assert server.get() == "one"


def test_a_request_that_does_not_end_holds_up_no_change(code: Path) -> None:
    changed(code, "import time\n" + ENDLESS)
    with reloading(code) as server, endless_answer(server.url):
        changed(code, CODE.format(b"two"))
        server.log.wait("serves with what was reloaded")
        assert server.get() == "two"


def test_files_that_were_read_count_and_what_they_say_holds_from_then_on(code: Path) -> None:
    changed(code, "import os\n" + CODE.replace("{!r}", "os.environ['SHOP'].encode()"))
    env_file = code.parent / "shop.env"
    env_file.write_text("SHOP=one\n")
    with reloading(code, "--env-file", str(env_file)) as server:
        assert server.get() == "one"
        env_file.write_text("SHOP=two\n")
        server.log.wait("serves with what was reloaded")
        assert server.get() == "two"


def test_one_worker_serves_whatever_was_asked_for(code: Path) -> None:
    with reloading(code, "--workers", "3", "--reload-exclude", "tests") as server:
        server.log.wait("With reload one worker serves, not 3")
        assert len(server.pids) == 1


def test_what_is_missing_is_told_before_anything_is_opened(code: Path) -> None:
    assert failed("--reload", "--reload-dir", "nowhere", "shop:app")[0] == 2
    assert "exclude one another" in failed("--reload", "--preload", "shop:app")[1]
    with pytest.raises(ConfigError, match=r'^reload: .* give the name, run\("module:app", reload='):
        aiowsgi.run(app, reload=True)


def test_a_system_without_fork_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ConfigError, match="^reload: this system cannot share sockets"):
        aiowsgi.run("tests.apps.hello:app", reload=True, port=0)

"""The logs of real processes: files that are rotated while requests come, and a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.supervised import supervised
from tests.test_cli_process import HELLO, command, get, listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

LINE = re.compile(r'127\.0\.0\.1 - - \[[^]]+\] "GET /(\d+) HTTP/1\.1" 200 \d+ "-" "-"\n')


class Asking:
    """A thread that asks, again and again, for paths that are numbers."""

    def __init__(self, url: str) -> None:
        self.number = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(url,))
        self._thread.start()

    def _ask(self, url: str) -> None:
        while not self._over.is_set():
            assert get(url, f"/{self.number}")[0] == 200
            self.number += 1

    def until(self, more: int) -> None:
        """Wait for so many more answers."""
        wanted = self.number + more
        while self.number < wanted:
            assert self._thread.is_alive()
            self._over.wait(0.005)

    def end(self) -> None:
        self._over.set()
        self._thread.join(20)


def numbers(*files: Path) -> list[int]:
    """What was asked for, by the lines; each is whole."""
    text = "".join(file.read_text() for file in files)
    found = LINE.findall(text)
    assert LINE.sub("", text) == ""
    return sorted(map(int, found))


def test_usr1_opens_the_log_anew_and_no_line_is_lost(tmp_path: Path) -> None:
    access, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with command("--port", "0", "--access-logfile", str(access), HELLO) as process:
        asking = Asking(listening(process))
        asking.until(20)
        access.rename(moved)
        process.send_signal(signal.SIGUSR1)
        asking.until(20)
        asking.end()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert numbers(moved, access) == list(range(asking.number))
    assert numbers(access) != []


def test_workers_share_one_file_and_all_open_it_anew(tmp_path: Path) -> None:
    access, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    options = ("--workers", "2", "--access-log", "--access-logfile", str(access))
    with supervised(*options, app=HELLO) as server:
        asking = Asking(server.url)
        asking.until(20)
        access.rename(moved)
        server.signal(signal.SIGUSR1)
        while not access.exists() or not access.stat().st_size:
            asking.until(20)  # each worker hears of it in its own time
        asking.end()
        server.signal(signal.SIGTERM)
        server.end()
    assert numbers(moved, access) == list(range(asking.number))
    assert numbers(access) != []


def test_json_goes_through_to_both_logs(tmp_path: Path) -> None:
    pytest.importorskip("pythonjsonlogger")
    with command("--port", "0", "--log-format", "json", HELLO) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        banner, said = (json.loads(process.stderr.readline()) for _ in range(2))
        assert " serves " in banner["message"]
        assert (said["level"], said["logger"]) == ("INFO", "aiowsgi.error")
        url = said["message"].split()[2]
        assert get(url, "/a?b=c")[0] == 200
        line = json.loads(process.stdout.readline())
    assert (line["method"], line["target"], line["status"]) == ("GET", "/a?b=c", 200)
    assert (line["sent"], line["aborted"], line["client"]) == (10, False, "127.0.0.1")
    assert line["queued"] <= line["first_byte"] <= line["seconds"]


def test_a_format_that_is_none_is_told_before_anything_is_opened() -> None:
    with command("--port", "0", "--access-logformat", "%(nothing)s", HELLO) as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "--access-logformat: '%(nothing)s' is not valid: expected common, combined" in error


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_people_have_colours_on_a_terminal(environ: dict[str, str], coloured: bool) -> None:
    import pty
    import subprocess

    leader, terminal = pty.openpty()
    said = ("NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in said}
    process = subprocess.Popen(
        [sys.executable, "-m", "aiowsgi", "--port", "0", "--access-logformat", "dev", HELLO],
        env={**kept, **environ},
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    os.close(terminal)
    with process:
        try:
            assert get(listening(process), "/shown")[0] == 200
            shown = b""
            while b"\n" not in shown:
                shown += os.read(leader, 4096)
        finally:
            process.kill()
            os.close(leader)
    assert b"/shown" in shown
    assert (b"\x1b[32m200\x1b[0m" in shown) is coloured

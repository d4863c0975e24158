"""The process as its system sees it: pid file, mask, user, what systemd passes and hears."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiowsgi.errors import ConfigError
from aiowsgi.server.identity import identity
from tests.supervised import ROOT, Output, supervised
from tests.test_cli_process import command, failed, get, listening

WORKER = "tests.apps.worker:app"
SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, "-m", "aiowsgi", *sys.argv[2:]])
"""
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
ONE_OR_MORE = pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "workers"])


@pytest.fixture
def systemd() -> Iterator[socket.socket]:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
    ):
        ear.settimeout(20)
        ear.bind(f"{folder}/notify")
        yield ear


def heard(ear: socket.socket, state: str) -> str:
    """Wait until a state is told; what was told with it."""
    while True:
        said = ear.recv(4096).decode()
        if state in said.split("\n"):
            return said


@ONE_OR_MORE
def test_systemd_hears_when_it_serves_and_when_it_stops(
    workers: tuple[str, ...], systemd: socket.socket
) -> None:
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "400000"}
    with command("--port", "0", *workers, WORKER, **environ) as process:
        url = listening(process)
        assert "STATUS=" in heard(systemd, "READY=1")
        assert get(url)[0] == 200
        for _ in range(3):
            heard(systemd, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        heard(systemd, "STOPPING=1")
        process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.mark.parametrize("broken", [False, True])
def test_systemd_hears_of_a_reload_and_of_its_end(
    broken: bool, systemd: socket.socket, tmp_path: Path
) -> None:
    """Type=notify-reload: also of one that failed."""
    code = tmp_path / "shop.py"
    code.write_text("from tests.apps.worker import app\n")
    args = ("--workers", "1", "--chdir", str(tmp_path))
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "PYTHONPATH": str(ROOT)}
    with supervised(*args, app="shop:app", **environ) as server:
        heard(systemd, "READY=1")
        if broken:
            code.write_text("1 / 0\n")
            os.utime(code, (1, 1))
        server.signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in heard(systemd, "RELOADING=1")
        ready = heard(systemd, "READY=1")
        assert (str(server.pids[0]) in ready) is broken


@ONE_OR_MORE
@pytest.mark.parametrize("bind", [(), ("--bind", "systemd"), ("--bind", "systemd:web")])
def test_it_serves_on_the_sockets_that_systemd_passes(
    bind: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        port, number = passed.getsockname()[1], passed.fileno()
        words = [sys.executable, "-c", SYSTEMD, str(number), *bind, *workers, "--no-access-log"]
        with subprocess.Popen(
            [*words, WORKER], cwd=ROOT, pass_fds=[number], stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert listening(process) == f"http://127.0.0.1:{port}"
                assert get(f"http://127.0.0.1:{port}")[0] == 200
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=20)
                assert process.returncode == 0
            finally:
                process.kill()


def test_sockets_that_were_not_passed_are_one_message() -> None:
    code, err = failed("--bind", "systemd:web", WORKER)
    assert code == 1
    assert "systemd has passed no sockets named 'web' to this process" in err


@ONE_OR_MORE
def test_the_pid_file_is_that_of_the_process_to_signal(
    workers: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    with command("--port", "0", "--pid", str(file), *workers, WORKER) as process:
        listening(process)
        assert int(file.read_text()) == process.pid
        assert failed("--port", "0", "--pid", str(file), WORKER)[0] == 1
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert not file.exists()


def reaches_us(uid: int) -> bool:
    """Whether another user could run this interpreter with this code at all."""
    words = [sys.executable, "-c", "import aiowsgi, difflib"]
    try:
        return subprocess.run(words, cwd=ROOT, user=uid, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


@ONE_OR_MORE
@AS_ROOT
@pytest.mark.parametrize(
    ("flags", "uid", "gid"),
    [(("--group", "65534"), 0, 65534), (("--user", "65534", "--group", "65533"), 65534, 65533)],
)
def test_the_application_runs_as_another_whose_socket_it_is(
    workers: tuple[str, ...], flags: tuple[str, ...], uid: int, gid: int, tmp_path: Path
) -> None:
    if uid and not reaches_us(uid):
        pytest.skip("this interpreter is in a place that is closed to others")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, uid, gid)
        Path(folder, "who.py").write_text(
            "import os\n"
            "at_import = os.getuid(), os.getgid()\n"
            "def app(environ, start_response):\n"
            "    start_response('200 OK', [])\n"
            "    return [repr((*at_import, os.getuid(), os.getgid(), os.getgroups())).encode()]\n"
        )
        args = ("--uds", f"{folder}/s", *flags, "--chdir", folder, *workers)
        with command(*args, "who:app", PYTHONPATH=str(ROOT)) as process:
            log = Output(process)
            log.wait("Listening at: unix:")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{folder}/s")
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b"")).decode()
            assert answer.endswith(f"({uid}, {gid}, {uid}, {gid}, [{gid}])")
            status = os.stat(f"{folder}/s")
            assert (status.st_uid, status.st_gid) == (uid, gid)
            process.send_signal(signal.SIGTERM)
            log.wait_for_the_end()


@pytest.mark.parametrize(
    ("user", "group", "message"),
    [("no-such-user", None, "no user 'no-such-user'"), (None, "no-such", "no group 'no-such'")],
)
def test_a_user_or_group_that_is_none_is_told(
    user: str | None, group: str | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        identity(user, group)


def test_whoever_is_not_root_can_only_stay_who_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    with pytest.raises(ConfigError, match="only root can become another"):
        identity("0", None)
    same = identity("1000", "1000")
    assert same is not None
    same.assume()  # nothing to do, and nothing that would be refused


def test_the_mask_holds_for_what_the_application_writes(tmp_path: Path) -> None:
    code = tmp_path / "writes.py"
    code.write_text("open('file', 'w').close()\nfrom tests.apps.worker import app\n")
    args = ("--port", "0", "--chdir", str(tmp_path), "--umask", "077")
    with command(*args, "writes:app", PYTHONPATH=str(ROOT)) as process:
        listening(process)
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600

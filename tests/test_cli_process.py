"""The command as a process: a real port, real signals, real exit codes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HELLO = "tests.apps.hello:app"


@contextmanager
def command(*args: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m aiowsgi ...` in the checkout, with no variables of this environment's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIOWSGI_", "PORT", "SCRIPT"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "aiowsgi", *args],
        cwd=ROOT,
        env={**kept, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that none of its processes outlives the test
    )
    with process:
        try:
            yield process
        finally:
            kill_all(process)


def kill_all(leader: subprocess.Popen[str]) -> None:
    """End what is left of a process and of all that it started, in the session that it leads."""
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def listening(process: subprocess.Popen[str]) -> str:
    """Read the log up to the line that says where it listens; the address."""
    assert process.stderr is not None
    before = []
    for line in process.stderr:
        if found := re.search(rf"\[INFO\] Listening at: (\S+) \({process.pid}\)$", line):
            return found[1]
        before.append(line)
    raise AssertionError("".join(before))


def get(url: str, path: str = "/") -> tuple[int, str]:
    client = HTTPConnection(url.removeprefix("http://"), timeout=30)
    client.request("GET", path)
    answer = client.getresponse()
    body = answer.read().decode()
    client.close()
    return answer.status, body


def failed(*args: str, **environ: str) -> tuple[int, str]:
    """The exit code and stderr of a command that does not come to serve."""
    with command(*args, **environ) as process:
        out, err = process.communicate(timeout=20)
        assert out == ""
        assert err.count("Error:") == 1
        assert "Traceback" not in err
        return process.returncode, err


def test_it_serves_a_real_port_and_prints_it() -> None:
    with command(HELLO, "--port", "0") as process:
        url = listening(process)
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", url)
        assert get(url) == (200, "hello at /")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_and_int_end_it_cleanly(number: signal.Signals) -> None:
    with command(HELLO, "--port", "0") as process:
        url = listening(process)
        assert get(url)[0] == 200
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in err


def test_options_reach_the_server_from_flags_and_variables() -> None:
    with command(HELLO, "--port", "0", AIOWSGI_ROOT_PATH="/mount") as process:
        assert get(listening(process), "/mount/x") == (200, "hello at /mount")


def test_the_access_log_is_on_stdout_and_may_be_switched_off() -> None:
    for flag, lines in (("--access-log", 1), ("--no-access-log", 0)):
        with command(HELLO, "--port", "0", flag) as process:
            get(listening(process), "/seen")
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
            assert out.count('"GET /seen HTTP/1.1" 200 ') == lines


def test_exit_in_a_view_is_an_answer_and_not_the_end() -> None:
    with command(HELLO, "--port", "0") as process:
        url = listening(process)
        assert get(url, "/exit")[0] == 500
        assert get(url) == (200, "hello at /")


def test_it_serves_a_unix_socket_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with command(HELLO, "--uds", str(path), "--uds-permissions", "640") as process:
        assert listening(process) == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o640
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.makefile("rb").read().endswith(b"\r\n\r\nhello at /")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert not path.exists()


def test_a_port_in_use_is_one_message_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = failed(HELLO, "--port", str(port))
    assert code == 1
    assert f"127.0.0.1:{port}" in err
    assert "in use" in err


@pytest.mark.parametrize("path", ["/nowhere/x.sock", "tests"])
def test_a_unix_path_that_cannot_be_used_is_one_message_and_exit_code_1(path: str) -> None:
    code, err = failed(HELLO, "--uds", path)
    assert code == 1
    assert f"unix:{path}" in err


def test_a_descriptor_that_was_not_inherited_is_one_message_and_exit_code_1() -> None:
    code, err = failed(HELLO, "--fd", "77")
    assert code == 1
    assert "fd://77" in err


@pytest.mark.parametrize(
    ("args", "code"),
    [(["nowhere.xyz:app"], 4), ([HELLO, "--threads", "x"], 2), ([HELLO, "--thread", "1"], 2)],
)
def test_the_exit_code_is_that_of_the_fault(args: list[str], code: int) -> None:
    assert failed(*args)[0] == code

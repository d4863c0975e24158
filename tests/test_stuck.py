"""A stuck view cannot keep the process: patience ends, and what ran is in the log (S8)."""

from __future__ import annotations

import signal
import socket
import subprocess

import pytest

from tests.test_cli_process import command, listening

STUCK = "tests.apps.stuck:app"


def enter_view(process: subprocess.Popen[str], url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    client = socket.create_connection((host, int(port)), 10)
    client.sendall(b"GET /stuck?secret HTTP/1.1\r\nHost: a\r\n\r\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "in the view\n"
    return client


def test_a_second_int_ends_it_at_once() -> None:
    with command(STUCK, "--port", "0", "--no-access-log") as process:
        with enter_view(process, listening(process)):
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):  # the first is graceful: it waits
                process.wait(0.5)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=4)
        assert process.returncode == 0
        assert "Still running at the end: <Exchange GET /stuck>" in err
        assert "threading.Event().wait()\n" in err
        assert "secret" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_graceful_timeout_is_hard(number: signal.Signals) -> None:
    args = ("--port", "0", "--no-access-log", "--graceful-timeout", "300ms")
    with command(STUCK, *args) as process:
        with enter_view(process, listening(process)):
            process.send_signal(number)
            _, err = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "Still running at the end: <Exchange GET /stuck>" in err
        assert "threading.Event().wait()\n" in err
        assert "Traceback" not in err


def test_quit_ends_it_at_once() -> None:
    with command(STUCK, "--port", "0", "--no-access-log") as process:
        with enter_view(process, listening(process)):
            process.send_signal(signal.SIGQUIT)
            process.communicate(timeout=4)
        assert process.returncode == 0

"""A stuck view cannot keep the process: patience ends, and what ran is in the log (S8)."""

from __future__ import annotations

import signal
import socket
import subprocess
from contextlib import suppress

import pytest

from tests.test_cli_process import command, listening

STUCK = "tests.apps.stuck:app"


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), 10)


def wait_until_refused(url: str) -> None:
    with suppress(ConnectionRefusedError):
        while True:
            connect(url).close()


def enter_view(process: subprocess.Popen[str], url: str) -> socket.socket:
    client = connect(url)
    client.sendall(b"GET /stuck?secret HTTP/1.1\r\nHost: a\r\n\r\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "in the view\n"
    return client


def test_a_second_int_ends_it_at_once() -> None:
    with command(STUCK, "--port", "0", "--no-access-log") as process:
        url = listening(process)
        with enter_view(process, url):
            process.send_signal(signal.SIGINT)
            wait_until_refused(url)  # it has seen the first, and two at once would be one
            with pytest.raises(subprocess.TimeoutExpired):  # which is graceful: it waits
                process.wait(0.5)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
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
            _, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Still running at the end: <Exchange GET /stuck>" in err
        assert "threading.Event().wait()\n" in err
        assert "Traceback" not in err


def test_quit_ends_it_at_once() -> None:
    with command(STUCK, "--port", "0", "--no-access-log") as process:
        with enter_view(process, listening(process)):
            process.send_signal(signal.SIGQUIT)
            process.communicate(timeout=20)  # long before the graceful timeout
        assert process.returncode == 0

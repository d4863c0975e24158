"""Several worker processes: who serves, who replaces whom, and what a failure looks like (S11)."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

import aiowsgi
from aiowsgi.errors import ConfigError
from tests.apps.worker import app
from tests.live import read_all
from tests.supervised import Output, supervised
from tests.test_cli_process import command, failed, listening


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_all_workers_serve_and_say_that_there_are_others(how: str) -> None:
    """P16: wsgi.multiprocess."""
    with supervised("--workers", "3", how) as server:
        assert len(server.pids) == 3
        assert server.get("/multiprocess") == "True"
        answered = {int(server.get()) for _ in range(5)}
        assert answered <= set(server.pids)
        assert server.process.pid not in answered
        server.signal(signal.SIGTERM)
        log = server.end()
        assert server.process.returncode == 0
        assert "] All workers have ended: " in log.splitlines()[-1]
        assert "Traceback" not in log


def test_one_worker_says_that_it_is_alone() -> None:
    with supervised("--workers", "1") as server:
        assert server.get("/multiprocess") == "False"
        assert [int(server.get())] == server.pids


def test_web_concurrency_asks_for_workers() -> None:
    with supervised(WEB_CONCURRENCY="2") as server:
        assert len(server.pids) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_is_replaced_and_the_log_says_how(number: signal.Signals) -> None:
    with supervised("--workers", "2") as server:
        os.kill(server.pids[0], number)
        how = "exit code 0" if number is signal.SIGTERM else number.name
        server.log.wait(rf"Worker {server.pids[0]} .*{how}.*: another takes its place at once")
        seen = server.answered_by(2)
        assert server.pids[0] not in seen


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_the_file_of_a_socket_stays_while_workers_come_and_go(how: str, tmp_path: Path) -> None:
    """S15: it is the supervisor's to remove."""
    path = tmp_path / "s"
    with command("--uds", str(path), "--workers", "1", how, "tests.apps.worker:app") as process:
        log = Output(process)
        log.wait("workers serve")
        process.send_signal(signal.SIGHUP)
        log.wait("ended with exit code 0")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert read_all(client).startswith(b"HTTP/1.1 200 OK")
        process.send_signal(signal.SIGTERM)
        log.wait_for_the_end()
        assert not path.exists()


def test_the_exit_of_an_application_is_told_with_its_code() -> None:
    with supervised("--workers", "1") as server:
        with pytest.raises(ConnectionError):
            server.get("/die")
        server.log.wait(f"Worker {server.pids[0]} ended with exit code 7")
        assert int(server.get()) != server.pids[0]


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_workers_do_not_outlive_a_supervisor_that_was_killed(how: str) -> None:
    with supervised("--workers", "2", how) as server:
        server.signal(signal.SIGKILL)
        log = server.log.wait_for_the_end()  # nobody has the other end of the pipe any more
        assert log.count("The supervisor is gone: this worker ends") == 2


# -- failures at the start --


@pytest.mark.parametrize("how", ["--no-preload", "--preload"])
def test_an_application_that_does_not_load_is_told_once_with_exit_code_4(
    how: str, tmp_path: Path
) -> None:
    tmp_path.joinpath("broken.py").write_text("1 / 0\n")
    args = ("--port", "0", "-w", "3", how, "--chdir", str(tmp_path), "broken:app")
    with command(*args) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 4
    assert err.count("Error: cannot load 'broken:app': its import failed") == 1
    assert err.count("ZeroDivisionError: division by zero") == err.count("Traceback") == 1


def test_workers_that_die_at_their_start_end_it_with_exit_code_3(tmp_path: Path) -> None:
    tmp_path.joinpath("dies.py").write_text("import os\nos._exit(9)\n")
    code, err = failed("--port", "0", "-w", "2", "--chdir", str(tmp_path), "dies:app")
    assert code == 3
    assert "ended with exit code 9 before it could serve" in err


def test_an_address_that_is_taken_is_told_before_any_worker_starts() -> None:
    with supervised("--workers", "1") as server:
        port = server.url.rpartition(":")[2]
        code, err = failed("--port", port, "-w", "2", "nowhere.xyz:app")
        assert code == 1
        assert "the address is in use" in err


def test_an_application_object_needs_a_name_or_preload() -> None:
    with pytest.raises(ConfigError, match=r'give the name, run\("module:app", workers'):
        aiowsgi.run(app, workers=2, port=0)


def test_a_system_without_fork_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ConfigError, match="workers: this system cannot share sockets"):
        aiowsgi.run("tests.apps.worker:app", workers=2, port=0)


# -- without a supervisor --


def test_without_workers_there_is_one_process_and_hup_says_what_is_missing() -> None:
    with command("--port", "0", "tests.apps.worker:app") as process:
        url = listening(process)
        assert url
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        assert "add --workers" in process.stderr.readline()
        process.send_signal(signal.SIGTTIN)
        assert "add --workers" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0

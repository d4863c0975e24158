"""aiowsgi under gunicorn's arbiter: signals, hooks, heartbeat and ends, with the real gunicorn."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import threading
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from tests.contrib.arbiter import Arbiter, gunicorn, workers_that_said
from tests.server.tls_client import certificate, pem, trusting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


def port(server: Arbiter) -> int:
    return int(server.url.rpartition(":")[2])


def test_it_serves_calls_the_hooks_and_ends_cleanly_at_term() -> None:
    with gunicorn("-w", "2", "--threads", "4") as server:
        assert server.get("/multiprocess") == "True"
        pid = int(server.get())
        assert pid != server.process.pid
        server.log.wait("post_worker_init", 2)
        server.signal(signal.SIGTERM)
        log = server.end()
        assert server.process.returncode == 0
        assert pid in server.pids
        for hook in ("post_fork", "post_worker_init", "worker_exit"):
            assert sorted(workers_that_said(log, hook)) == sorted(server.pids)
        assert workers_that_said(log, "worker_int") == []
        assert "Traceback" not in log
        assert "[ERROR]" not in log


def test_what_aiowsgi_says_is_in_gunicorns_error_log(tmp_path: Path) -> None:
    tmp_path.joinpath("broken.py").write_text("def app(environ, start_response): return 1 / 0\n")
    with gunicorn("--chdir", str(tmp_path), app="broken:app") as server:
        client = HTTPConnection("127.0.0.1", port(server), timeout=20)
        client.request("GET", "/there")
        assert client.getresponse().status == 500
        client.close()
        server.log.wait(r"\[ERROR\] Error in GET /there$")
        server.log.wait("ZeroDivisionError: division by zero")


def test_int_ends_it_at_once_after_worker_int_even_with_a_stuck_view() -> None:
    with gunicorn("--threads", "2", "--graceful-timeout", "60") as server:
        stuck = HTTPConnection("127.0.0.1", port(server), timeout=30)
        stuck.request("GET", "/stuck")
        server.out.wait("stuck")
        server.signal(signal.SIGINT)
        log = server.end()
        assert server.process.returncode == 0
        assert workers_that_said(log, "worker_int") == server.pids
        assert workers_that_said(log, "worker_exit") == server.pids
        assert "SIGKILL" not in log
        stuck.close()


def test_a_view_that_is_stuck_past_the_graceful_timeout_is_told_before_the_arbiter_kills() -> None:
    with gunicorn("--threads", "2", "--graceful-timeout", "3") as server:
        stuck = HTTPConnection("127.0.0.1", port(server), timeout=30)
        stuck.request("GET", "/stuck")
        server.out.wait("stuck")
        server.signal(signal.SIGTERM)
        log = server.end()
        assert "Still running at the end: <Exchange GET /stuck>" in log
        assert workers_that_said(log, "worker_exit") == server.pids
        assert "SIGKILL" not in log
        assert server.process.returncode == 0
        stuck.close()


def test_a_worker_whose_loop_hangs_is_killed_and_one_whose_view_takes_long_is_not(
    tmp_path: Path,
) -> None:
    """--timeout is for the heart of the loop; the application has its threads."""
    gate = tmp_path / "gate"
    gate.touch()
    with gunicorn("-w", "2", "--threads", "2", "--timeout", "5") as server:
        long, working = connected(server, others_than=None)
        long.request("GET", f"/wait?{gate}")
        server.out.wait("waits")
        hung, held = connected(server, others_than=working)
        hung.request("GET", "/hold")
        server.log.wait(rf"WORKER TIMEOUT \(pid:{held}\)")
        new = server.answered_by_others_than([working, held])
        gate.unlink()
        assert long.getresponse().read() == str(working).encode()
        assert new in server.pids
        long.close()
        hung.close()


def connected(server: Arbiter, *, others_than: int | None) -> tuple[HTTPConnection, int]:
    """A connection to a worker, and which it is."""
    while True:
        client = HTTPConnection("127.0.0.1", port(server), timeout=60)
        client.request("GET", "/")
        pid = int(client.getresponse().read())
        if pid != others_than:
            return client, pid
        client.close()


def test_workers_end_when_their_arbiter_was_killed() -> None:
    with gunicorn("-w", "2") as server:
        server.log.wait("post_worker_init", 2)
        server.signal(signal.SIGKILL)
        log = server.log.wait_for_the_end()
        assert log.count("Parent changed, shutting down: <Worker") == 2
        assert sorted(workers_that_said(log, "worker_exit")) == sorted(server.pids)


def test_reload_restarts_the_worker_when_its_source_changes(tmp_path: Path) -> None:
    source = "def app(e, s):\n    s('200 OK', [])\n    return [b'%s']\n"
    module = tmp_path / "changing.py"
    module.write_text(source % "old")
    options = ("--chdir", str(tmp_path), "--reload", "--reload-engine", "poll")
    with gunicorn(*options, app="changing:app", PYTHONDONTWRITEBYTECODE="1") as server:
        assert server.get() == "old"
        module.write_text(source % "newer")
        time = int(module.stat().st_mtime)
        while not server.log.find("Worker reloading"):
            # It sees what changes after its first look, and nobody says when that was.
            os.utime(module, (time := time + 1, time))
            threading.Event().wait(0.05)
        server.log.wait("Booting worker", 2)
        assert server.get() == "newer"


# -- what is wrong --


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"AIOWSGI_HEADER_TIMEOUT": "soon"}, "AIOWSGI_HEADER_TIMEOUT: 'soon' is not valid"),
        ({"AIOWSGI_HEALTH_PATH": "up"}, "AIOWSGI_HEALTH_PATH: 'up' is not valid"),
    ],
)
def test_an_option_that_is_wrong_ends_the_start_with_one_line(
    environ: dict[str, str], message: str
) -> None:
    with gunicorn(**environ) as server:
        log = server.end()
        assert server.process.returncode == 3
        assert f"[ERROR] {message}" in log
        assert "Traceback" not in log


def test_settings_that_do_nothing_are_named_once_per_worker() -> None:
    hooks = "def pre_request(worker, req): pass"
    with gunicorn(hooks=hooks, AIOWSGI_THREADS="9", AIOWSGI_TIMEOTU="9s") as server:
        told = "These settings do nothing with this worker: pre_request, AIOWSGI_THREADS"
        server.log.wait(rf"\[WARNING\] {told}$")
        server.log.wait(r"\[WARNING\] AIOWSGI_TIMEOTU names no option; did you mean")


def test_without_gunicorn_the_import_names_the_extra() -> None:
    code = "import sys; sys.modules['gunicorn'] = None; import aiowsgi.contrib.gunicorn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(
        "ImportError: aiowsgi.contrib.gunicorn is a worker class for gunicorn, which is not "
        "installed here: install the extra aiowsgi[gunicorn]"
    )


# -- TLS --


def test_tls_is_made_of_gunicorns_settings_and_its_hook_is_asked(tmp_path: Path) -> None:
    chain, key = pem(tmp_path, certificate())
    hooks = """
def ssl_context(config, default):
    context = default()
    context.minimum_version = context.maximum_version
    return context
"""
    options = ("--certfile", chain, "--keyfile", key)
    with gunicorn(*options, app="tests.apps.hello:app", hooks=hooks) as server:
        assert server.url.startswith("https://")
        client = HTTPSConnection("localhost", port(server), context=trusting(), timeout=20)
        client.request("GET", "/")
        assert client.getresponse().read() == b"hello at /"
        client.close()
        old = trusting()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        client = HTTPSConnection("localhost", port(server), context=old, timeout=20)
        with pytest.raises(ssl.SSLError):
            client.request("GET", "/")
        client.close()

"""The control socket: its owner's alone, and answered with every thread stuck (S15, S17)."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server import control
from aiowsgi.server.server import Server
from tests.live import live
from tests.server.admin_client import ask
from tests.server.http_client import LOOPS, Peer, echo, get
from tests.server.stuck import Stuck, all_stuck

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control"


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_only_its_owner_may_connect_and_it_is_gone_at_the_end(path: Path, loop: str) -> None:
    """S15."""
    with live(echo, loop=loop, control_socket=str(path)):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert not path.exists()


def test_a_live_one_is_not_taken_a_stale_one_is_and_another_file_is_left(path: Path) -> None:
    """S15."""
    with live(echo, control_socket=str(path)):
        with pytest.raises(ConfigError, match="the address is in use"):
            with_server_at(path)
        assert ask(path, "/status").status == 200
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with_server_at(path)
    path.write_text("mine")
    with pytest.raises(ConfigError, match="a file of another kind"):
        with_server_at(path)
    assert path.read_text() == "mine"


def with_server_at(path: Path) -> None:
    """Start a server with its control socket there, and end it."""

    async def main() -> None:
        async with Server(echo, Config(port=0, control_socket=str(path), access_log=False)):
            pass

    asyncio.run(main())


def test_status_and_requests_are_told_with_every_thread_stuck(path: Path, loop: str) -> None:
    """S17: what each thread does, and who waits."""
    with all_stuck(Stuck(), loop=loop, control_socket=str(path)) as (server, _):
        with Peer(server) as peer:
            peer.send(get(target=b"/waits?secret"))
            server.wait(lambda: len(ask(path, "/requests").json["requests"]) == 3)
            [worker] = ask(path, "/status").json["workers"]
            assert worker["threads"] == {"busy": 2, "idle": 0, "streaming": 0}
            assert worker["queue"] == 1
            assert worker["connections"]["active"] == 3
            table = ask(path, "/stacks").json
            rows = {row["path"]: row for row in table["requests"]}
            assert rows["/stuck"]["state"] == "in the application"
            assert "self.release.wait(30)" in rows["/stuck"]["stack"]
            assert rows["/waits"]["state"] == "queued"
            assert rows["/waits"]["stack"] == ""
            assert table["silent"] == []
            assert all(row["worker"] == os.getpid() for row in rows.values())
            assert "live-server" not in str(table)  # the loop itself says nothing
            assert any(thread["thread"] == "MainThread" for thread in table["threads"])
            assert b"secret" not in ask(path, "/requests").body


def test_stop_ends_it_gracefully(path: Path, loop: str) -> None:
    with live(echo, loop=loop, control_socket=str(path)) as server:
        assert ask(path, "/stop", "POST").json == {"done": "stop"}
        server.wait(lambda: not path.exists())


def test_what_needs_several_processes_is_refused_by_one(path: Path) -> None:
    with live(echo, control_socket=str(path)):
        for command in ("/reload", "/workers/3"):
            told = ask(path, command, "POST")
            assert (told.status, "--workers" in told.json["error"]) == (409, True)


def test_what_is_unknown_or_malformed_is_refused_and_it_goes_on(path: Path) -> None:
    with live(echo, control_socket=str(path)):
        assert ask(path, "/nothing").status == 404
        assert ask(path, "/stop").status == 404  # a GET changes nothing
        for raw, status in (
            (b"nonsense\r\n\r\n", b"400"),
            (b"POST /stop HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"413"),
            (b"GET /status HTTP/1.1\r\n\r\n", b"400"),
        ):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(raw)
                assert client.recv(1000).split()[1] == status
        assert ask(path, "/status").status == 200


def test_pipelined_questions_are_answered_in_order(path: Path) -> None:
    with live(echo, control_socket=str(path)):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            raw = b"GET /%b HTTP/1.1\r\nHost: a\r\n%b\r\n"
            client.sendall(raw % (b"x", b"") + raw % (b"requests", b"Connection: close\r\n"))
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert answer.count(b'{"requests": [], "silent": []}') == 1


# -- where it is found --


def test_the_directory_is_private_or_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert control.default_path() == str(tmp_path / "aiowsgi" / f"{os.getpid()}.sock")
    assert stat.S_IMODE((tmp_path / "aiowsgi").stat().st_mode) == 0o700
    (tmp_path / "aiowsgi").chmod(0o755)
    with pytest.raises(PermissionError, match="this user's alone"):
        control.default_path()
    (tmp_path / "aiowsgi").rmdir()
    (tmp_path / "elsewhere").mkdir(0o700)
    (tmp_path / "aiowsgi").symlink_to("elsewhere")
    with pytest.raises(PermissionError, match="this user's alone"):
        control.default_path()


def test_without_a_directory_of_the_user_it_is_below_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert control.directory() == str(tmp_path / f"aiowsgi-{os.getuid()}")


def test_what_a_killed_server_left_is_removed_and_a_live_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    control.default_path()
    dead, alive = tmp_path / "aiowsgi" / "999999999.sock", tmp_path / "aiowsgi" / "1.sock"
    for path in (dead, alive):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(path))
    control.default_path()
    assert control.found() == [str(alive)]

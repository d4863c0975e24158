"""What systemd passes to us and hears from us: descriptors, states, the watchdog."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiowsgi.server.systemd import Notifier, passed_descriptors

OURS = str(os.getpid())


@pytest.fixture
def systemd() -> Iterator[socket.socket]:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
    ):
        ear.settimeout(10)
        ear.bind(f"{folder}/notify")
        yield ear


def test_descriptors_are_those_from_three_on_all_or_by_name() -> None:
    environ = {"LISTEN_PID": OURS, "LISTEN_FDS": "3", "LISTEN_FDNAMES": "web:admin:web"}
    environ["LISTEN_FDS"] = "0"
    assert passed_descriptors(environ) == []
    environ["LISTEN_FDS"] = "3"
    names = {"": [3, 4, 5], "web": [3, 5], "admin": [4], "other": []}
    before = {number: _inheritable(number) for number in (3, 4, 5)}
    try:
        assert {name: passed_descriptors(environ, name) for name in names} == names
        del environ["LISTEN_FDNAMES"]
        assert passed_descriptors(environ, "web") == []
    finally:
        for number, was in before.items():
            if was is not None:
                os.set_inheritable(number, was)


def _inheritable(number: int) -> bool | None:
    try:
        return os.get_inheritable(number)
    except OSError:
        return None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "x", "LISTEN_PID": OURS},
        {"LISTEN_PID": OURS},
    ],
)
def test_what_was_passed_to_another_or_is_no_number_is_nothing(environ: dict[str, str]) -> None:
    assert passed_descriptors(environ) == []


def test_states_are_told_in_one_datagram(systemd: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.tell("READY=1", "STATUS=all is well")
    assert systemd.recv(4096) == b"READY=1\nSTATUS=all is well"
    notifier.reloading()
    said = systemd.recv(4096).decode().split("\n")
    assert said[0] == "RELOADING=1"
    assert int(said[1].removeprefix("MONOTONIC_USEC=")) > 0


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="names without files are Linux's")
def test_an_address_may_be_an_abstract_name() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0aiowsgi-{OURS}")
        Notifier({"NOTIFY_SOCKET": f"@aiowsgi-{OURS}"}).tell("READY=1")
        assert ear.recv(4096) == b"READY=1"


def test_nobody_to_tell_or_one_who_is_gone_is_no_error(tmp_path: Path) -> None:
    Notifier({}).tell("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_the_watchdog_hears_of_us_twice_in_its_time(systemd: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "4000000"}
    notifier = Notifier(environ)
    assert notifier.interval == 2.0
    for now in (10.0, 11.9, 12.0, 13.0):
        notifier.beat(now)
    systemd.setblocking(False)
    assert [systemd.recv(4096) for _ in range(2)] == [b"WATCHDOG=1"] * 2
    with pytest.raises(BlockingIOError):
        systemd.recv(4096)
    assert Notifier({**environ, "WATCHDOG_PID": OURS}).interval == 2.0


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "/x"},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"},
    ],
)
def test_where_there_is_no_watchdog_nobody_is_told(environ: dict[str, str]) -> None:
    assert Notifier(environ).interval is None

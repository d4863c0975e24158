"""Addresses -> listening sockets, and what cannot be opened is one clear error (S15, S6)."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aiowsgi.binds import parse_bind
from aiowsgi.errors import ConfigError
from aiowsgi.server.sockets import Listener, listen
from tests.descriptors import held, more_than
from tests.live import live, read_all
from tests.server.wsgi_client import LOOPS, hello

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
UNIX = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets here")


def has_v6() -> bool:
    if not socket.has_ipv6:
        return False
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


V6 = pytest.mark.skipif(not has_v6(), reason="this machine has no IPv6")


@contextmanager
def listening(*binds: str, permissions: int = 0o600) -> Iterator[list[Listener]]:
    listeners = listen([parse_bind(bind, permissions) for bind in binds], 10)
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


def error_of(*binds: str) -> str:
    """Open what cannot be opened; its message. Nothing is left open, exit code 1."""
    before = held()
    with pytest.raises(ConfigError) as caught:
        listen([parse_bind(bind) for bind in binds], 10)
    assert caught.value.exit_code == 1
    assert more_than(before) == 0
    message = str(caught.value)
    assert "\n" not in message
    assert "Errno" not in message
    return message


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def talk(family: int, address: object) -> bytes:
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address)  # type: ignore[arg-type]
        client.sendall(GET)
        return read_all(client)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the address of a unix socket has room for about a hundred bytes."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


# -- TCP --


@pytest.mark.parametrize("loop", LOOPS)
def test_port_0_picks_one_and_the_url_says_which(loop: str) -> None:
    with live(hello, bind=["127.0.0.1:0"], loop=loop) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.port > 0
        assert talk(socket.AF_INET, ("127.0.0.1", server.port)).endswith(b"hello")


@V6
@pytest.mark.parametrize("loop", LOOPS)
def test_an_ipv6_address_stands_in_brackets(loop: str) -> None:
    with live(hello, bind=["[::1]:0"], loop=loop) as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert talk(socket.AF_INET6, ("::1", server.port)).endswith(b"hello")


@V6
@pytest.mark.parametrize("bind", [":0", "*:0"])
@pytest.mark.parametrize("loop", LOOPS)
def test_every_interface_is_both_families(bind: str, loop: str) -> None:
    with live(hello, bind=[bind], loop=loop) as server:
        assert server.server.urls == [f"http://[::]:{server.port}"]
        assert talk(socket.AF_INET, ("127.0.0.1", server.port)).endswith(b"hello")
        assert talk(socket.AF_INET6, ("::1", server.port)).endswith(b"hello")


def test_a_system_without_both_families_in_one_socket_listens_on_ipv4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listening(":0") as [listener]:
        assert listener.url.startswith("http://0.0.0.0:")
        socket.create_connection(("127.0.0.1", port_of(listener.url)), 10).close()


@UNIX
@pytest.mark.parametrize("loop", LOOPS)
def test_several_addresses_are_served_together(loop: str, folder: Path) -> None:
    path = str(folder / "s")
    with live(hello, bind=["127.0.0.1:0", "127.0.0.1:0", f"unix:{path}"], loop=loop) as server:
        first, second, third = server.server.urls
        for url in (first, second):
            assert talk(socket.AF_INET, ("127.0.0.1", port_of(url))).endswith(b"hello")
        assert third == f"unix:{path}"
        assert talk(socket.AF_UNIX, path).endswith(b"hello")
    assert not os.path.exists(path)


def test_a_host_name_is_all_of_its_addresses_on_one_port() -> None:
    with listening("localhost:0") as listeners:
        assert len({port_of(listener.url) for listener in listeners}) == 1
        for listener in listeners:
            family, name = listener.socket.family, listener.socket.getsockname()
            with socket.socket(family) as client:
                client.connect(name)


def test_a_port_in_use_says_so_and_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        message = error_of(bind)
    assert bind in message
    assert "in use" in message


def test_one_bad_address_closes_the_good_ones() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in error_of("127.0.0.1:0", ":0", f"127.0.0.1:{port}")


def test_an_unknown_host_says_so() -> None:
    assert "nowhere.invalid:80" in error_of("nowhere.invalid:80")


def test_an_address_of_another_machine_says_so() -> None:
    message = error_of("192.0.2.1:0")
    assert "192.0.2.1:0" in message
    assert "does not have that address" in message


# -- unix sockets --


@UNIX
@pytest.mark.parametrize("permissions", [0o600, 0o666, 0o660])
def test_a_unix_socket_has_its_permissions_before_it_listens(
    permissions: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: nobody can connect while it has those of the umask."""
    path = str(folder / "s")
    seen: list[int] = []

    class Watched(socket.socket):
        def listen(self, *backlog: int) -> None:
            seen.append(stat.S_IMODE(os.stat(path).st_mode))
            super().listen(*backlog)

    monkeypatch.setattr(socket, "socket", Watched)
    before = os.umask(0)
    try:
        with listening(f"unix:{path}", permissions=permissions):
            assert stat.S_IMODE(os.stat(path).st_mode) == permissions
    finally:
        os.umask(before)
    assert seen == [permissions]


@UNIX
def test_a_stale_socket_is_replaced_and_a_live_one_is_not(folder: Path) -> None:
    """S15."""
    path = str(folder / "s")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    with listening(f"unix:{path}") as [listener]:
        assert "in use" in error_of(f"unix:{path}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
        assert listener.url == f"unix:{path}"
    assert not os.path.exists(path)


@UNIX
@pytest.mark.parametrize("kind", ["file", "directory", "link", "link to a socket"])
def test_a_file_of_another_kind_is_left_alone(kind: str, folder: Path) -> None:
    """S15."""
    path = folder / "s"
    other = socket.socket(socket.AF_UNIX)
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(folder / "nowhere")
    else:
        other.bind(str(folder / "other"))
        path.symlink_to(folder / "other")
    before = path.lstat()
    assert "another kind" in error_of(f"unix:{path}")
    assert path.lstat().st_ino == before.st_ino
    other.close()


@UNIX
def test_only_the_file_that_was_made_is_removed_at_the_end(folder: Path) -> None:
    """S15: a newer server has put its own in the place."""
    path = folder / "s"
    with listening(f"unix:{path}"):
        path.rename(folder / "moved")  # so that its inode is not given away again
        with socket.socket(socket.AF_UNIX) as newer:
            newer.bind(str(path))
            ours = path.lstat().st_ino
    assert path.lstat().st_ino == ours


@UNIX
def test_closing_twice_removes_once(folder: Path) -> None:
    path = folder / "s"
    with listening(f"unix:{path}") as [listener]:
        listener.close()
        assert not path.exists()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"


@UNIX
def test_a_socket_whose_permissions_cannot_be_set_leaves_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: nobody is left with a file that nothing listens at."""

    def refuse(path: str, mode: int) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(ConfigError, match="not permitted") as caught:
        listen([parse_bind(f"unix:{folder / 's'}")], 5)
    assert caught.value.exit_code == 1
    assert not (folder / "s").exists()


@UNIX
def test_a_directory_that_does_not_exist_says_so(folder: Path) -> None:
    message = error_of(f"unix:{folder}/nowhere/s")
    assert "directory does not exist" in message


@pytest.mark.skipif(not os.path.isdir("/proc/net"), reason="abstract names are Linux's")
@pytest.mark.parametrize("loop", LOOPS)
def test_an_abstract_name_has_no_file(loop: str) -> None:
    name = f"aiowsgi-test-{os.getpid()}"
    with live(hello, uds=f"@{name}", loop=loop) as server:
        assert server.url == f"unix:@{name}"
        assert talk(socket.AF_UNIX, f"\0{name}").endswith(b"hello")
        assert "in use" in error_of(f"unix:@{name}")
    assert not os.path.exists(f"@{name}")

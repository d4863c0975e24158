"""fd://: sockets that the parent process opened, and descriptors that are none (S15, S6)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.live import live
from tests.server.test_sockets import GET, UNIX, V6, error_of, listening, talk
from tests.server.wsgi_client import LOOPS, hello


@pytest.mark.parametrize("loop", LOOPS)
def test_an_inherited_socket_is_served_and_stays_the_parents(loop: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as parent:
        port = parent.getsockname()[1]
        for _ in range(2):
            with live(hello, bind=[f"fd://{parent.fileno()}"], loop=loop) as server:
                assert server.url == f"http://127.0.0.1:{port}"
                assert talk(socket.AF_INET, ("127.0.0.1", port)).endswith(b"hello")
            assert parent.getsockname()[1] == port
        # It listens on: what comes between two servers waits for the next.
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(GET)
            with live(hello, bind=[f"fd://{parent.fileno()}"], loop=loop):
                assert client.recv(65536).endswith(b"hello")


@V6
def test_an_inherited_ipv6_socket_has_its_url() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as parent:
        with listening(f"fd://{parent.fileno()}") as [listener]:
            assert listener.url == f"http://[::1]:{parent.getsockname()[1]}"


@UNIX
@pytest.mark.parametrize("loop", LOOPS)
def test_an_inherited_unix_socket_is_served_and_its_file_is_left(loop: str, tmp_path: Path) -> None:
    """S15: we did not make it."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as parent:
        parent.bind(path)
        parent.listen()
        with live(hello, bind=[f"fd://{parent.fileno()}"], loop=loop) as server:
            assert server.url == f"unix:{path}"
            assert talk(socket.AF_UNIX, path).endswith(b"hello")
    assert os.path.exists(path)


def test_a_descriptor_that_is_not_there_says_so() -> None:
    with socket.socket() as gone:
        number = gone.fileno()
    message = error_of(f"fd://{number}")
    assert f"fd://{number}" in message
    assert "no such descriptor" in message


def test_a_descriptor_that_is_no_socket_says_so(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert "not a socket" in error_of(f"fd://{file.fileno()}")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_does_not_listen_says_so(kind: socket.SocketKind) -> None:
    with socket.socket(type=kind) as quiet:
        quiet.bind(("127.0.0.1", 0))
        assert "not a listening stream socket" in error_of(f"fd://{quiet.fileno()}")
        assert quiet.getsockname()[1] > 0

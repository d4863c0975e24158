"""Nobody connects between the last look at a listener's queue and its close (S8)."""

from __future__ import annotations

import socket
import sys

import pytest

from aiowsgi.server.farewell import take_no_new
from tests.live import live
from tests.server.test_sockets import UNIX, V6
from tests.server.wsgi_client import hello

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="sockets have filters on Linux")


@LINUX
@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=V6)], ids=["IPv4", "IPv6"])
def test_who_has_connected_is_served_and_who_has_not_cannot(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        address = listening.getsockname()[:2]
        with socket.create_connection(address, 10) as client:
            client.sendall(b"before ")
            take_no_new(listening)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, 0.2)
            accepted, _ = listening.accept()
            client.sendall(b"and after")
            client.shutdown(socket.SHUT_WR)
            with accepted:
                assert b"".join(iter(lambda: accepted.recv(100), b"")) == b"before and after"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 10)


@UNIX
def test_a_socket_that_is_not_tcp_is_left_as_it_is() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        take_no_new(listening)


def test_a_borrowed_socket_takes_others_after_us() -> None:
    """It is systemd's, or another supervisor's: who comes now waits for the next server."""
    with socket.create_server(("127.0.0.1", 0)) as lent:
        with live(hello, bind=[f"fd://{lent.fileno()}"]):
            pass
        socket.create_connection(lent.getsockname(), 10).close()

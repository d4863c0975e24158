"""Several processes at one address, where all of them agree to it (SO_REUSEPORT)."""

from __future__ import annotations

import socket

import pytest

from aiowsgi.binds import TcpBind
from aiowsgi.errors import ConfigError
from aiowsgi.server.sockets import listen


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_processes_that_agree_to_it_listen_at_one_address(host: str) -> None:
    first = listen([TcpBind(host, 0)], 16, reuse_port=True)
    port = first[0].socket.getsockname()[1]
    second = listen([TcpBind(host, port)], 16, reuse_port=True)
    assert second[0].socket.getsockname()[1] == port
    for listener in [*first, *second]:
        listener.close()


def test_who_does_not_agree_keeps_its_address() -> None:
    first = listen([TcpBind("127.0.0.1", 0)], 16)
    port = first[0].socket.getsockname()[1]
    with pytest.raises(ConfigError, match="in use"):
        listen([TcpBind("127.0.0.1", port)], 16, reuse_port=True)
    first[0].close()


def test_where_the_system_has_it_not_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("_socket.SO_REUSEPORT", raising=False)
    with pytest.raises(ConfigError, match="reuse_port: this system has no SO_REUSEPORT"):
        listen([TcpBind("127.0.0.1", 0)], 16, reuse_port=True)

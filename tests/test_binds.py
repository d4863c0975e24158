"""Where to listen: the grammar of an address, and which options may stand together."""

from __future__ import annotations

from typing import Any

import pytest

from aiowsgi.binds import Bind, FdBind, SystemdBind, TcpBind, UnixBind
from aiowsgi.config import Config
from aiowsgi.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "bind", "shown"),
    [
        ("127.0.0.1:8000", TcpBind("127.0.0.1", 8000), "127.0.0.1:8000"),
        ("example.org:80", TcpBind("example.org", 80), "example.org:80"),
        ("[::1]:8000", TcpBind("::1", 8000), "[::1]:8000"),
        ("[fe80::1%eth0]:1", TcpBind("fe80::1%eth0", 1), "[fe80::1%eth0]:1"),
        (":8000", TcpBind("", 8000), "*:8000"),
        ("*:0", TcpBind("", 0), "*:0"),
        ("unix:/run/a.sock", UnixBind("/run/a.sock", 0o600), "unix:/run/a.sock"),
        ("unix:relative.sock", UnixBind("relative.sock"), "unix:relative.sock"),
        ("unix:@name", UnixBind("@name"), "unix:@name"),
        ("fd://3", FdBind(3), "fd://3"),
        ("systemd", SystemdBind(), "systemd"),
        ("systemd:web", SystemdBind("web"), "systemd:web"),
        ("systemd:80", TcpBind("systemd", 80), "systemd:80"),  # a host may have the name
    ],
)
def test_an_address_is_read_and_written_back(text: str, bind: Bind, shown: str) -> None:
    (found,) = Config(bind=text).binds
    assert found == bind
    assert type(found) is type(bind)
    assert Config(bind=text).bind == (shown,)
    assert Config(bind=shown).binds == [bind]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("8000", "did you mean :8000?"),
        ("localhost", "did you mean localhost:8000?"),
        ("/run/a.sock", "did you mean unix:/run/a.sock?"),
        ("http://127.0.0.1:80", "without a scheme"),
        ("::1", "stands in brackets"),
        ("127.0.0.1:65536", "a port from 0 to 65535"),
        ("127.0.0.1:", "host:port"),
        ("a b:80", "host:port"),
        ("[::1", "host:port"),
        ("[zz]:80", "an IP address"),
        ("fd://three", "a descriptor number"),
        ("unix:", "the path of a socket"),
        ("unix:@", "the path of a socket"),
        ("unix:/" + "x" * 107, "at most 107 bytes"),
        (5, "host:port"),
    ],
)
def test_a_bad_address_says_what_was_expected(text: Any, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(bind=[text])
    assert str(caught.value).startswith("bind: ")
    assert hint in str(caught.value)


@pytest.mark.parametrize("text", ["a:1,b:2", "a:1 b:2", " a:1 ,\n b:2 ", ["a:1", "b:2"]])
def test_several_addresses_come_as_a_list_or_as_one_text(text: Any) -> None:
    assert Config(bind=text).binds == [TcpBind("a", 1), TcpBind("b", 2)]


@pytest.mark.parametrize(
    ("options", "bind"),
    [
        ({}, TcpBind("127.0.0.1", 8000)),
        ({"host": "::1"}, TcpBind("::1", 8000)),
        ({"host": "[::1]", "port": 1}, TcpBind("::1", 1)),
        ({"host": "*", "port": 1}, TcpBind("", 1)),
        ({"port": 0}, TcpBind("127.0.0.1", 0)),
        ({"uds": "/a b,c", "uds_permissions": "660"}, UnixBind("/a b,c", 0o660)),
        ({"bind": "unix:/x", "uds_permissions": "660"}, UnixBind("/x", 0o660)),
        ({"fd": 3}, FdBind(3)),
    ],
)
def test_host_port_uds_and_fd_are_other_words_for_one_bind(
    options: dict[str, Any], bind: Bind
) -> None:
    assert Config(**options).binds == [bind]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bind": ":1", "port": 2}, "bind and host/port"),
        ({"uds": "/x", "host": "a"}, "host/port and uds"),
        ({"uds": "/x", "fd": 3}, "uds and fd"),
    ],
)
def test_addresses_that_exclude_one_another_are_an_error(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{named} exclude one another"):
        Config(**options)


@pytest.mark.parametrize("host", ["a:80", "http://a", "a b", "a/b"])
def test_a_host_has_no_port_and_no_scheme(host: str) -> None:
    with pytest.raises(ConfigError, match="host: .* without a scheme or a port"):
        Config(host=host)


def test_an_abstract_socket_has_no_file() -> None:
    assert UnixBind("@name").abstract
    assert UnixBind("@name").address == "\0name"
    assert not UnixBind("/name").abstract
    assert UnixBind("/name").address == "/name"

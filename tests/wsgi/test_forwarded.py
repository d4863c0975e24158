"""wsgi/forwarded.py: what a trusted proxy says, in environ (S12, P13, P16)."""

from __future__ import annotations

import logging
from typing import Any
from wsgiref.util import request_uri

import pytest
from werkzeug.wsgi import get_current_url

from aiowsgi.http11.messages import Endpoints
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.forwarded import ForwardedEnviron
from aiowsgi.wsgi.trust import Trust
from tests.wsgi.forwarding import (
    EVERYTHING,
    KEYS,
    NETWORK,
    PROXY,
    UNIX,
    build,
    client,
    request,
    some,
)


def test_fields_of_whom_nobody_trusts_change_nothing() -> None:
    """S12: they are fields like any other."""
    given = build(NETWORK, ends=PROXY._replace(client=("192.0.2.9", "1")), **EVERYTHING)
    assert some(given, *KEYS, "SCRIPT_NAME", "HTTP_HOST") == {
        "REMOTE_ADDR": "192.0.2.9",
        "REMOTE_PORT": "1",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "10.0.0.9",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "HTTP_HOST": "back:8000",
    }
    assert given["HTTP_X_FORWARDED_FOR"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("ends", "trusted"), [(PROXY, "10.0.0.1"), (PROXY, NETWORK), (PROXY, "*"), (UNIX, "unix")]
)
def test_all_that_a_trusted_proxy_says_is_in_environ(ends: Endpoints, trusted: str) -> None:
    """S12: as if the client had come here itself; the fields stay."""
    given = build(trusted, ends=ends, **EVERYTHING)
    assert some(given, *KEYS, "SCRIPT_NAME", "HTTP_HOST") == {
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "https",
        "HTTPS": "on",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "8443",
        "SCRIPT_NAME": "/app",
        "HTTP_HOST": "example.org:8443",
    }
    assert given["HTTP_X_FORWARDED_FOR"] == "192.0.2.7"


def test_without_fields_the_proxy_is_the_client() -> None:
    assert some(build(NETWORK), *KEYS) == {
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": "4711",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "10.0.0.9",
        "SERVER_PORT": "8000",
    }
    assert client(NETWORK, x_forwarded_for="") == "10.0.0.1"


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7, 10.0.0.3", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7,10.0.0.2 ,\t10.0.0.3", "192.0.2.7"),
        ("10.0.0.2, 192.0.2.7", "192.0.2.7"),
        ('garbage, ", 192.0.2.7', "192.0.2.7"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("::ffff:10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("6.6.6.6, unknown, 10.0.0.3", ""),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_rightmost_that_is_not_trusted_is_the_client(chain: str, expected: str) -> None:
    """S12: what stands before it the client has written, and nobody looks at it."""
    assert client(NETWORK, x_forwarded_for=chain) == expected
    nodes = [
        hop if hop.strip() == "unknown" or ":" not in hop else f'"[{hop.strip()}]"'
        for hop in chain.split(",")
    ]
    if '"' not in chain:
        assert client(NETWORK, forwarded=", ".join(f"for={hop.strip()}" for hop in nodes)) == (
            expected
        )


def test_who_trusts_whoever_connects_believes_the_last_word_only() -> None:
    """S12: with `*` as with `unix` no hop is named, and the first of the list is the client's."""
    assert client("*", x_forwarded_for="6.6.6.6, 192.0.2.7") == "192.0.2.7"
    assert client("*", "192.0.2.7", x_forwarded_for="6.6.6.6, 192.0.2.7") == "6.6.6.6"
    environ = build("unix", ends=UNIX, x_forwarded_for="6.6.6.6, 192.0.2.7")
    assert environ["REMOTE_ADDR"] == "192.0.2.7"


def test_the_port_of_the_client_is_there_where_it_is_known() -> None:
    """P13: the proxy's own is not the client's."""
    assert build(NETWORK, x_forwarded_for="192.0.2.7:5")["REMOTE_PORT"] == "5"
    assert build(NETWORK, x_forwarded_for="[2001:db8::1]:5")["REMOTE_PORT"] == "5"
    assert build(NETWORK, forwarded='for="192.0.2.7:5"')["REMOTE_PORT"] == "5"
    assert "REMOTE_PORT" not in build(NETWORK, x_forwarded_for="192.0.2.7")
    assert "REMOTE_PORT" not in build(NETWORK, forwarded='for="192.0.2.7:_x"')
    assert "REMOTE_PORT" not in build(NETWORK, forwarded="for=unknown")


def test_who_wants_to_stay_unknown_is_not_the_proxy() -> None:
    """S12: RFC 7239 6.2, 6.3."""
    for value in ("for=unknown", "for=_hidden", 'for="_hidden:80"', 'for="unknown:_x"'):
        assert client(NETWORK, forwarded=f"for=6.6.6.6, {value}") == ""


def test_with_the_address_counts_what_the_same_hop_wrote_beside_it() -> None:
    """S12: RFC 7239 4; an element is one hop's."""
    value = (
        "for=6.6.6.6;proto=http;host=evil, "
        "for=192.0.2.7;proto=https;host=example.org;by=_a, for=10.0.0.2;proto=http;host=inner"
    )
    assert some(build(NETWORK, forwarded=value), *KEYS) == {
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "https",
        "HTTPS": "on",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "443",
    }


def test_a_hop_that_does_not_say_for_whom_it_speaks_ends_the_walk() -> None:
    """S12: what stands before may be the client's."""
    given = build(NETWORK, forwarded="for=6.6.6.6, proto=https, for=10.0.0.2")
    assert (given["REMOTE_ADDR"], given["wsgi.url_scheme"]) == ("10.0.0.2", "https")
    given = build(NETWORK, forwarded="for=6.6.6.6;host=evil, proto=https")
    assert some(given, "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST", "HTTPS") == {
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": "4711",
        "HTTP_HOST": "back:8000",
        "HTTPS": "on",
    }


def test_of_every_other_list_the_nearest_proxy_wrote_the_last() -> None:
    """S12: no client can add behind it."""
    given = build(
        NETWORK,
        x_forwarded_proto="http, https",
        x_forwarded_host="evil, example.org",
        x_forwarded_port="1, 443",
        x_forwarded_prefix="/evil, /app",
    )
    assert some(given, "HTTPS", "HTTP_HOST", "SERVER_PORT", "SCRIPT_NAME") == {
        "HTTPS": "on",
        "HTTP_HOST": "example.org",
        "SERVER_PORT": "443",
        "SCRIPT_NAME": "/app",
    }


@pytest.mark.parametrize(
    ("fields", "name", "port", "host"),
    [
        ({"x_forwarded_proto": "https", "host": "a"}, "a", "443", "a"),
        ({"x_forwarded_proto": "http", "host": "a"}, "a", "80", "a"),
        ({"x_forwarded_proto": "https", "host": "a:8443"}, "a", "8443", "a:8443"),
        ({"x_forwarded_proto": "https", "host": "[::1]"}, "[::1]", "443", "[::1]"),
        ({"x_forwarded_proto": "https", "host": "[::1]:1"}, "[::1]", "1", "[::1]:1"),
        ({"x_forwarded_proto": "https", "host": ""}, "10.0.0.9", "443", ""),
        ({"x_forwarded_host": "b", "host": "a:1"}, "b", "80", "b"),
        ({"x_forwarded_host": "b:81", "host": "a"}, "b", "81", "b:81"),
        ({"x_forwarded_port": "8443", "host": "a"}, "a", "8443", "a:8443"),
        ({"x_forwarded_port": "80", "host": "a"}, "a", "80", "a"),
        ({"x_forwarded_port": "80", "host": "a:8080"}, "a", "8080", "a:8080"),
        ({"x_forwarded_port": "443", "x_forwarded_proto": "https", "host": "a"}, "a", "443", "a"),
        ({"forwarded": 'proto=https;host="b:444"', "host": "a"}, "b", "444", "b:444"),
        ({"forwarded": 'host="[::1]"', "host": "a"}, "[::1]", "80", "[::1]"),
    ],
)
def test_name_and_port_are_those_that_the_client_asked_for(
    fields: dict[str, Any], name: str, port: str, host: str
) -> None:
    """P9, S12: whether links are built by Host or by SERVER_NAME, they are the same."""
    given = build(NETWORK, **fields)
    assert (given["SERVER_NAME"], given["SERVER_PORT"]) == (name, port)
    assert given["HTTP_HOST"] == host


@pytest.mark.parametrize(
    ("port", "authority"), [("443", "example.org"), ("8443", "example.org:8443")]
)
def test_frameworks_build_the_address_that_the_client_asked_for(port: str, authority: str) -> None:
    """P9, P11: as PEP 3333 has it (URL reconstruction), and as Werkzeug does it."""
    fields: dict[str, Any] = {**EVERYTHING, "x_forwarded_port": port}
    environ = build(NETWORK, path="/x", **fields)
    expected = f"https://{authority}/app/x"
    assert get_current_url(environ) == expected
    assert request_uri(environ) == expected
    del environ["HTTP_HOST"]
    assert request_uri(environ) == expected


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("http", "http"), ("HTTPS", "https"), ("ws", "http"), ("wss", "https")],
)
def test_the_scheme_is_the_one_between_client_and_proxy(said: str, scheme: str) -> None:
    """P16: over TLS or not, between proxy and server."""
    for field in ({"x_forwarded_proto": said}, {"forwarded": f"Proto={said}"}):
        for own in ("http", "https"):
            given = build(NETWORK, ends=PROXY._replace(scheme=own), **field)
            assert given["wsgi.url_scheme"] == scheme
            assert given.get("HTTPS") == ("on" if scheme == "https" else None)


@pytest.mark.parametrize(
    ("prefix", "root_path", "path", "script", "info"),
    [
        ("/app", "", "/x", "/app", "/x"),
        ("/app/", "", "/x", "/app", "/x"),
        ("/app", "", "/app/x", "/app", "/app/x"),
        ("/app", "/shop", "/shop/x", "/app/shop", "/x"),
        ("/a%20b/%C3%A9", "", "/", "/a b/\xc3\xa9", "/"),
        ("/", "", "/x", "", "/x"),
        ("", "", "/x", "", "/x"),
    ],
)
def test_a_prefix_is_what_the_proxy_has_cut_off(
    prefix: str, root_path: str, path: str, script: str, info: str
) -> None:
    """P11: it stands before the mount, and the path has nothing of it."""
    given = build(NETWORK, x_forwarded_prefix=prefix, root_path=root_path, path=path)
    assert (given["SCRIPT_NAME"], given["PATH_INFO"]) == (script, info)


def test_the_log_has_the_address_that_environ_has() -> None:
    """The access log asks the template; of what is refused, it has the proxy's."""
    builder = ForwardedEnviron(EnvironBuilder(), Trust(["*"]))
    template = builder.connection(PROXY)
    assert template.client(request(x_forwarded_for="6.6.6.6, 192.0.2.7")) == "192.0.2.7"
    assert template.client(request()) == "10.0.0.1"
    assert template.client(request(x_forwarded_for="x")) == "10.0.0.1"
    assert ForwardedEnviron(EnvironBuilder(), Trust([])).connection(PROXY).client(
        request(x_forwarded_for="192.0.2.7")
    ) == ("10.0.0.1")


@pytest.mark.parametrize(("ends", "name"), [(PROXY, "10.0.0.1"), (UNIX, "unix")])
def test_a_proxy_that_nobody_trusts_is_told_of_once_with_the_flag(
    ends: Endpoints, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """S12, S14: nothing of the field is in it."""
    builder = ForwardedEnviron(EnvironBuilder(), Trust(["192.0.2.1"]))
    with caplog.at_level(logging.INFO, logger="aiowsgi.error"):
        builder.connection(ends, request())
        assert caplog.messages == []
        for _ in range(3):
            builder.connection(ends, request(x_forwarded_proto="secret"))
    [message] = caplog.messages
    assert message.startswith("X-Forwarded-Proto is not believed")
    assert f"--forwarded-allow-ips {name} " in message
    assert "secret" not in message


def test_a_trusted_proxy_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    builder = ForwardedEnviron(EnvironBuilder(), Trust(["*"]))
    with caplog.at_level(logging.INFO, logger="aiowsgi.error"):
        builder.connection(PROXY, request(**EVERYTHING))
    assert caplog.messages == []

"""The PROXY protocol over real sockets: who has to begin with it, and what becomes of it (S12)."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiowsgi.server.server import Server
from tests.live import Live, live, read_all
from tests.server import tls_client
from tests.server.asked import asked, last, told, unix_client
from tests.server.http_client import LOOPS, get

LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443\r\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11\x00\x11\xc0\0\2\7\xc6\x33\x64\1\x12\x67\x20\xfb\x04\0\2h2"
LOCAL = SIGNATURE + b"\x20\0\0\0"
HERE = {"proxy_protocol": "auto", "proxy_allow_from": "127.0.0.1"}


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(asked, loop=request.param, **HERE) as running:
        yield running


@pytest.fixture(scope="module", params=LOOPS)
def secure(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(asked, loop=request.param, **HERE, **tls_client.served()) as running:
        yield running


def assert_closed(server: Live, raw: bytes) -> None:
    """The server answers nothing and closes."""
    assert server.talk(raw) == b""


@pytest.mark.parametrize("header", [LINE, V2])
def test_client_and_server_are_those_of_the_header(server: Live, header: bytes) -> None:
    """S12, P13: as if the client had come here itself; TLVs are skipped."""
    seen = told(server.talk(header + last()))
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("192.0.2.7", "4711")
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("198.51.100.1", "8443")
    assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == ("http", "a")


def test_it_holds_for_all_requests_of_the_connection(server: Live) -> None:
    """S12: a second one is a malformed request."""
    with server.connect() as client:
        client.sendall(LINE + get() + get() + LINE)
        answers = read_all(client)
    assert answers.count(b'"192.0.2.7"') == 2
    assert answers.count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize("header", [UNKNOWN, LOCAL])
def test_a_header_that_names_nobody_leaves_the_ends_of_the_socket(
    server: Live, header: bytes
) -> None:
    """S12: as for a proxy's health checks."""
    seen = told(server.talk(header + last()))
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert seen["SERVER_PORT"] == str(server.port)


@pytest.mark.parametrize("header", [LINE, V2])
def test_it_is_read_byte_by_byte_too(server: Live, header: bytes) -> None:
    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header + last():
            client.sendall(bytes([byte]))
        assert told(read_all(client))["REMOTE_ADDR"] == "192.0.2.7"


def test_without_it_a_proxy_is_closed_and_the_log_says_why(
    server: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """S12, S14: it is not guessed whether there is one, or any client could leave it out."""
    with caplog.at_level(logging.INFO, logger="aiowsgi.error"):
        for raw in (get(), b"secret", V2[:13] + b"\xff" + V2[14:], LINE.replace(b"TCP4", b"UDP4")):
            assert_closed(server, raw)
        server.wait(lambda: len(caplog.messages) >= 4)
    assert all(message.startswith("Closed 127.0.0.1: ") for message in caplog.messages)
    assert not any("secret" in message for message in caplog.messages)


def test_a_client_that_leaves_within_it_disturbs_nobody(server: Live) -> None:
    """S21."""
    for raw in (b"", LINE[:20], V2[:14], V2[:20]):
        with server.connect() as client:
            client.sendall(raw)
    assert told(server.talk(LINE + last()))["REMOTE_ADDR"] == "192.0.2.7"


def test_one_that_does_not_become_whole_is_cut_in_time(caplog: pytest.LogCaptureFixture) -> None:
    """S2, S12: the deadline of a head holds for it."""
    with live(asked, header_timeout=0.2, **HERE) as server, server.connect() as client:
        client.sendall(LINE[:20])
        with caplog.at_level(logging.INFO, logger="aiowsgi.error"):
            assert read_all(client) == b""
            server.wait(lambda: bool(caplog.messages))
    assert "too slowly" in caplog.text


def test_of_anybody_else_no_header_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """S12: bytes are taken as they are, and the log says once who was not named."""
    options = {"proxy_protocol": "v1", "proxy_allow_from": "192.0.2.1"}
    with caplog.at_level(logging.WARNING, logger="aiowsgi.error"), live(asked, **options) as server:
        assert told(server.talk(last()))["REMOTE_ADDR"] == "127.0.0.1"
        assert server.talk(LINE + last()).startswith(b"HTTP/1.1 400 ")
    [message] = caplog.messages
    assert message.startswith("127.0.0.1 is not among --proxy-allow-from")


def test_only_the_version_that_was_chosen_is_read() -> None:
    """S12."""
    for version, good, bad in (("v1", LINE, V2), ("v2", V2, LINE)):
        options = {"proxy_protocol": version, "proxy_allow_from": "*"}
        with live(asked, **options) as server:
            assert told(server.talk(good + last()))["REMOTE_ADDR"] == "192.0.2.7"
            assert_closed(server, bad + last())


def test_a_proxy_may_come_by_a_unix_socket(tmp_path: Path) -> None:
    """S12."""
    path = str(tmp_path / "s")
    options = {"proxy_protocol": "auto", "proxy_allow_from": "unix"}
    with live(asked, bind=f"unix:{path}", **options), unix_client(path) as client:
        client.sendall(LINE + last())
        assert told(read_all(client))["REMOTE_ADDR"] == "192.0.2.7"


# -- together with header fields --


def test_fields_are_believed_of_whom_the_header_names() -> None:
    """S12: not of the proxy, which has passed on what the client wrote."""
    fields = (b"X-Forwarded-For: 203.0.113.5",)
    with live(asked, forwarded_allow_ips="127.0.0.1", **HERE) as server:
        assert told(server.talk(LINE + last(*fields)))["REMOTE_ADDR"] == "192.0.2.7"
        assert told(server.talk(UNKNOWN + last(*fields)))["REMOTE_ADDR"] == "127.0.0.1"
        assert told(server.talk(LOCAL + last(*fields)))["REMOTE_ADDR"] == "203.0.113.5"
    with live(asked, forwarded_allow_ips="192.0.2.7", **HERE) as server:
        assert told(server.talk(LINE + last(*fields)))["REMOTE_ADDR"] == "203.0.113.5"


# -- before TLS --


@pytest.mark.parametrize("header", [LINE, V2, LOCAL])
def test_it_comes_before_the_handshake_of_tls(secure: Live, header: bytes) -> None:
    """S12, S16: and not a byte of the handshake is taken with it."""
    plain = secure.connect()
    plain.sendall(header)
    with tls_client.secured(plain) as client:
        client.sendall(get())
        seen = json.loads(tls_client.read_answer(client))
    assert seen["REMOTE_ADDR"] == ("127.0.0.1" if header is LOCAL else "192.0.2.7")
    assert (seen["wsgi.url_scheme"], seen["HTTPS"]) == ("https", "on")


def test_header_and_handshake_may_come_in_one_read(secure: Live) -> None:
    """S12, S16: as from a proxy that waits for the client's first bytes."""
    for header in (LINE, V2):
        with secure.connect() as client:
            client.sendall(header + _client_hello())
            assert client.recv(1) == b"\x16"  # a handshake (RFC 8446 5.1), and no alert


def test_over_tls_without_it_there_is_no_handshake(secure: Live) -> None:
    """S12."""
    assert tls_client.refused(secure, tls_client.trusting())


# -- the end --


@pytest.mark.parametrize("loop", LOOPS)
def test_a_proxy_that_says_nothing_does_not_hold_the_stop(loop: str) -> None:
    """S8: and one whose header has begun is given a moment."""
    with live(asked, loop=loop, **HERE) as server, server.connect() as silent:
        with server.connect() as client:
            client.sendall(LINE[:20])
            stopping: Server = server.server
            server.wait(lambda: _greeting(stopping) == 2)
            stopping.stop()
            client.sendall(LINE[20:] + get())
            assert b'"192.0.2.7"' in read_all(client)
        assert read_all(silent) == b""


def test_a_silent_proxy_that_waits_to_be_accepted_holds_up_nobody_at_the_stop() -> None:
    """S8: what the kernel has accepted is served, each at its own pace."""
    with live(asked, limit_connections=1, **HERE) as server, server.connect() as idle:
        idle.sendall(LINE + get())
        assert idle.recv(65536)
        with server.connect() as silent, server.connect() as client:
            client.sendall(LINE + get())
            server.server.stop()
            assert b'"192.0.2.7"' in read_all(client)
            assert read_all(silent) == b""


def test_who_has_not_sent_it_yet_counts_as_a_connection() -> None:
    """S5: `limit_connections` holds before HTTP, too."""
    with live(asked, limit_connections=1, header_timeout=5, **HERE) as server:
        with server.connect() as first, server.connect() as second:
            first.sendall(LINE[:5])
            server.wait(lambda: _greeting(server.server) == 1)
            second.sendall(LINE + last())
            second.settimeout(0.2)
            with pytest.raises(TimeoutError):
                second.recv(1)
            first.close()
            second.settimeout(10)
            assert told(read_all(second))["REMOTE_ADDR"] == "192.0.2.7"


def _greeting(server: Server) -> int:
    return len(server._accepting._handshakes)


def _client_hello() -> bytes:
    outgoing = ssl.MemoryBIO()
    shaking = tls_client.trusting().wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname=tls_client.HOST
    )
    with pytest.raises(ssl.SSLWantReadError):
        shaking.do_handshake()
    return outgoing.read()

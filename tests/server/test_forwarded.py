"""Trusted proxies over real sockets: whom the server believes, and what is refused (S12)."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Live, live, read_all
from tests.server.asked import asked, last, told, unix_client
from tests.server.http_client import LOOPS, Peer, get, post

FIELDS = (b"X-Forwarded-For: 6.6.6.6, 192.0.2.7", b"X-Forwarded-Proto: https")
SPOOFED = (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: https", b"Forwarded: for=6.6.6.6")


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(asked, loop=request.param, forwarded_allow_ips="127.0.0.1") as running:
        yield running


def test_nobody_is_believed_by_default_loopback_included() -> None:
    """S12: any user of the machine could say to have come by https."""
    with live(asked) as server:
        seen = told(server.talk(last(*SPOOFED)))
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert seen["SERVER_PORT"] == str(server.port)


def test_nobody_is_believed_where_it_is_switched_off() -> None:
    """S12: whatever the list says; and nobody is told of a flag."""
    options = {"proxy_headers": False, "forwarded_allow_ips": "*"}
    with live(asked, **options) as server:
        assert told(server.talk(last(*SPOOFED)))["REMOTE_ADDR"] == "127.0.0.1"


def test_a_trusted_proxy_is_believed_and_each_of_its_requests_is_another_clients(
    server: Live,
) -> None:
    """S12: on one connection, which proxies share between clients."""
    with Peer(server) as peer:
        for number in range(3):
            answer = peer.ask(get(b"X-Forwarded-For: 192.0.2.%d" % number))
            assert json.loads(answer.body)["REMOTE_ADDR"] == f"192.0.2.{number}"
        answer = peer.ask(get())
        assert json.loads(answer.body)["REMOTE_ADDR"] == "127.0.0.1"
        seen = json.loads(peer.ask(get(*FIELDS)).body)
    assert (seen["REMOTE_ADDR"], seen["HTTPS"]) == ("192.0.2.7", "on")
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("a", "443")


def test_lines_of_one_name_are_one_list(server: Live) -> None:
    """S12: a proxy may add a line of its own."""
    lines = (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: 192.0.2.7")
    assert told(server.talk(last(*lines)))["REMOTE_ADDR"] == "192.0.2.7"
    assert told(server.talk(last(*reversed(lines))))["REMOTE_ADDR"] == "6.6.6.6"
    lines = (b"Forwarded: for=6.6.6.6", b'Forwarded: for="[2001:db8::1]:5"')
    seen = told(server.talk(last(*lines)))
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("2001:db8::1", "5")


def test_a_name_with_an_underscore_is_not_the_proxys(server: Live) -> None:
    """S12, P12: it is dropped, whoever sends it."""
    lines = (b"X-Forwarded-For: 192.0.2.7", b"X_Forwarded_For: 6.6.6.6")
    assert told(server.talk(last(*lines)))["REMOTE_ADDR"] == "192.0.2.7"


@pytest.mark.parametrize(
    "fields",
    [
        (b"X-Forwarded-For: secret",),
        (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For:"),
        (b"Forwarded: for=secret",),
        (b"X-Forwarded-Proto: secret",),
        (b"X-Forwarded-For: 192.0.2.7", b"Forwarded: for=6.6.6.6"),
    ],
)
def test_what_cannot_be_read_is_a_400_and_the_end_and_the_application_is_not_called(
    server: Live, fields: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """S12, S13, S14: the log says which field, and nothing that it holds."""
    with caplog.at_level(logging.INFO, logger="aiowsgi.error"), Peer(server) as peer:
        answer = peer.ask(get(*fields))
        assert (answer.status, answer.fields["connection"]) == (400, "close")
        assert peer.rest() == b""
    [message] = caplog.messages
    assert message.startswith("400 to 127.0.0.1: ")
    assert "orwarded" in message
    assert b"secret" not in answer.body
    assert "secret" not in message


def test_an_upload_is_refused_like_a_request_without_a_body(server: Live) -> None:
    """S12."""
    with Peer(server) as peer:
        assert peer.ask(post(5, b"X-Forwarded-For: x", body=b"12345")).status == 400
        assert peer.rest() == b""


def test_a_streamed_upload_is_refused_too() -> None:
    """S12: the rest of it is not waited for."""
    options = {"forwarded_allow_ips": "*", "request_buffering": False}
    with live(asked, **options) as server, Peer(server) as peer:
        assert peer.ask(post(5, b"X-Forwarded-For: x", body=b"1")).status == 400
        assert peer.rest() == b""
        with Peer(server) as other:
            seen = json.loads(other.ask(post(1, *FIELDS, body=b"1")).body)
            assert seen["REMOTE_ADDR"] == "192.0.2.7"


def test_who_connects_by_a_unix_socket_is_believed_where_unix_is_named(tmp_path: Path) -> None:
    """S12: and who connects by TCP to the same server is not."""
    path = str(tmp_path / "s")
    binds = [f"unix:{path}", "127.0.0.1:0"]
    with live(asked, bind=binds, forwarded_allow_ips="unix") as server:
        with unix_client(path) as client:
            client.sendall(last(*FIELDS))
            seen = told(read_all(client))
        assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("192.0.2.7", "https")
        with unix_client(path) as client:
            client.sendall(last())
            assert told(read_all(client))["REMOTE_ADDR"] == ""
        port = int(server.server.urls[1].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(last(*FIELDS))
            assert told(read_all(client))["REMOTE_ADDR"] == "127.0.0.1"


def test_a_client_of_a_socket_for_both_families_is_named_by_its_ipv4_address() -> None:
    """S12."""
    with live(asked, bind=":0", forwarded_allow_ips="127.0.0.0/8") as server:
        assert told(server.talk(last(*FIELDS)))["REMOTE_ADDR"] == "192.0.2.7"


def test_the_first_word_of_a_proxy_that_nobody_trusts_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S12: with the flag that would trust it, whatever it says after."""
    with caplog.at_level(logging.WARNING, logger="aiowsgi.error"), live(asked) as server:
        server.talk(last())
        assert caplog.messages == []
        for _ in range(3):
            server.talk(last(*FIELDS))
    [message] = caplog.messages
    assert "--forwarded-allow-ips 127.0.0.1" in message

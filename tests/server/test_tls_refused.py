"""A client that TLS has no use for is told why, in what it speaks, and the operator in one line."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import trustme

from tests.live import Live, live
from tests.server.tls_client import (
    GET,
    HOST,
    authority_file,
    certificate,
    connect,
    read_answer,
    served,
    trusting,
    why_refused,
)
from tests.server.wsgi_client import LOOPS, hello

MUTUAL = {"ssl_ca_certs": authority_file(), "ssl_cert_reqs": "required"}
TO_HTTPS = "400 to 127.0.0.1: a client speaks HTTP to an HTTPS port"


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(hello, loop=request.param, **served()) as running:
        yield running


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines of the log so far that are about a client."""
    caplog.set_level(logging.INFO, "aiowsgi.error")
    return lambda: [line for line in caplog.messages if " 127.0.0.1: " in line]


# -- plain HTTP ----------------------------------------------------------------------------------


def test_plain_http_gets_a_400_in_plain_http_and_one_clear_line(
    server: Live, said: Callable[[], list[str]]
) -> None:
    with httpx.Client() as client:
        answer = client.post(f"http://127.0.0.1:{server.port}/", content=b"x" * 100_000)
    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"
    assert said() == [TO_HTTPS]


def test_a_beginning_of_http_is_enough(server: Live, said: Callable[[], list[str]]) -> None:
    """Nothing is asked of it but that it is no TLS; the application is not called."""
    for raw in (b"G", b"\r\n", b"post / HTTP/1.1\r\n"):
        assert server.talk(raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert said() == [TO_HTTPS] * 3


def test_one_that_never_ends_is_cut(server: Live) -> None:
    """H21: it has its answer, and what it sends is dropped up to a measure."""
    with server.connect() as client:
        client.sendall(GET)
        assert client.recv(12) == b"HTTP/1.1 400"
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever write meets the end
            while True:
                client.sendall(b"x" * 65536)


def test_its_request_line_stands_in_the_access_log(capsys: pytest.CaptureFixture[str]) -> None:
    """As that of any request that is refused early."""
    access = logging.getLogger("aiowsgi.access")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    access.addHandler(handler)
    level, access.level = access.level, logging.INFO
    try:
        with live(hello, access_log=True, **served()) as server:
            server.talk(b'GET /a"b HTTP/1.1\r\nHost: a\r\n\r\n')
    finally:
        access.removeHandler(handler)
        access.setLevel(level)
    [line] = lines
    assert '"GET /a\\x22b HTTP/1.1" 400 ' in line


def test_a_client_that_leaves_without_a_word_is_no_failure(
    server: Live, said: Callable[[], list[str]]
) -> None:
    """As the check of a balancer, that only looks whether the port is open."""
    for _ in range(3):
        server.connect().close()
    with connect(server) as client:
        client.sendall(GET)
        assert read_answer(client) == b"hello"
    assert said() == []


# -- alerts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_without_a_certificate_is_told_so_where_one_is_required(
    loop: str, version: ssl.TLSVersion, said: Callable[[], list[str]]
) -> None:
    """RFC 8446 6.2; TLSv1.2 has no alert of its own for it."""
    context = trusting()
    context.maximum_version = version
    with live(hello, loop=loop, **served(), **MUTUAL) as server:
        why = why_refused(server, context)
    assert (
        why
        == {
            ssl.TLSVersion.TLSv1_2: "SSLV3_ALERT_HANDSHAKE_FAILURE",
            ssl.TLSVersion.TLSv1_3: "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        }[version]
    )
    assert said() == ["No TLS with 127.0.0.1: peer did not return a certificate"]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_whose_certificate_is_of_another_authority_is_told_so(
    loop: str, said: Callable[[], list[str]]
) -> None:
    with live(hello, loop=loop, **served(), **MUTUAL) as server:
        why = why_refused(server, trusting(trustme.CA().issue_cert("client.test")))
    assert why == "TLSV1_ALERT_UNKNOWN_CA"
    [line] = said()
    assert line.startswith("No TLS with 127.0.0.1: its certificate is not accepted (")


def test_a_client_that_does_not_trust_us_is_in_the_log(
    server: Live, said: Callable[[], list[str]]
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, ssl.create_default_context())
    server.wait(lambda: bool(said()))
    assert said() == ["No TLS with 127.0.0.1: tlsv1 alert unknown ca"]


def test_a_client_that_leaves_in_the_middle_is_in_the_log(
    server: Live, said: Callable[[], list[str]]
) -> None:
    with server.connect() as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    server.wait(lambda: bool(said()))
    assert said() == ["No TLS with 127.0.0.1: the client left in the middle of the handshake"]


# -- what costs us -------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", LOOPS)
def test_drips_do_not_extend_the_time_of_a_handshake(
    loop: str, said: Callable[[], list[str]]
) -> None:
    """S16: half a hello, then a byte after the other; in the log the reason."""
    with live(hello, loop=loop, header_timeout=0.3, **served()) as server:
        with server.connect() as client:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            client.settimeout(0.02)
            end = time.monotonic() + 20
            with pytest.raises(ConnectionError):  # noqa: PT012 - whichever call meets the end
                while time.monotonic() < end:
                    client.sendall(b"\x00")
                    try:
                        if not client.recv(1):
                            raise ConnectionError
                    except TimeoutError:
                        continue
        server.wait(lambda: bool(said()))
    assert said() == ["No TLS with 127.0.0.1: the handshake took too long"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_client_may_not_renegotiate(server: Live) -> None:
    """S16, with a real client; that compression is off is in what it says of the connection."""
    address = f"127.0.0.1:{server.port}"
    command = ["openssl", "s_client", "-tls1_2", "-connect", address, "-servername", HOST]
    done = subprocess.run(
        [*command, "-CAfile", authority_file()],
        input="R\n",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "Verify return code: 0 (ok)" in done.stdout
    assert "Compression: NONE" in done.stdout
    assert "RENEGOTIATING" in done.stdout + done.stderr
    assert "no renegotiation" in done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_has_its_answer_and_is_told_where_it_has_no_certificate() -> None:
    with live(hello, **served(), **MUTUAL) as server:
        where = ["--resolve", f"{HOST}:{server.port}:127.0.0.1", f"https://{HOST}:{server.port}/"]
        command = ["curl", "-sS", "--cacert", authority_file(), *where]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert refused.returncode != 0
        assert "alert" in refused.stderr
        with certificate("client.test").private_key_and_cert_chain_pem.tempfile() as own:
            command += ["--cert", own]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "hello"

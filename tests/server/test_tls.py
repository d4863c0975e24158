"""Requests and responses over TLS, with a real client on both loops: nothing is lost (S16)."""

from __future__ import annotations

import hashlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from aiowsgi.simple_server import make_server
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.live import read_all as plain_all
from tests.server.tls_client import (
    GET,
    HOST,
    LAST,
    authority_file,
    certificate,
    connect,
    read_all,
    read_answer,
    refused,
    served,
    trusting,
)
from tests.server.wsgi_client import LOOPS, TEXT, hello

MIB = 1024 * 1024


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/upload":
        body = hashlib.sha256(environ["wsgi.input"].read()).hexdigest().encode()
    elif path == "/environ":
        names = ("wsgi.url_scheme", "HTTPS", "SERVER_PORT")
        body = " ".join(str(environ.get(name)) for name in names).encode()
    elif path == "/file":
        opened = open(Path(__file__), "rb")  # noqa: SIM115 - the server closes it
        start_response("200 OK", TEXT)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
        return wrapped
    else:
        body = b"x" * int(path[1:] or "5")
    start_response("200 OK", [*TEXT, ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(app, loop=request.param, **served()) as running:
        yield running


@pytest.fixture
def client(server: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"https://{HOST}:{server.port}", verify=trusting()) as made:
        yield made


def test_the_url_says_https(server: Live) -> None:
    assert server.url == f"https://127.0.0.1:{server.port}"


def test_the_application_sees_https(server: Live, client: httpx.Client) -> None:
    assert client.get("/environ").text == f"https on {server.port}"


@pytest.mark.parametrize("size", [0, 5, 16 * 1024, MIB, 5 * MIB])
def test_a_response_of_any_size_arrives_whole(client: httpx.Client, size: int) -> None:
    assert client.get(f"/{size}").content == b"x" * size


def test_a_file_arrives_whole(client: httpx.Client) -> None:
    assert client.get("/file").content == Path(__file__).read_bytes()


@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload_arrives_whole(client: httpx.Client, chunked: bool) -> None:
    body = bytes(range(256)) * (3 * MIB // 256)
    content = iter([body[:MIB], body[MIB:]]) if chunked else body
    assert client.post("/upload", content=content).text == hashlib.sha256(body).hexdigest()


def test_a_connection_is_kept_and_requests_may_be_pipelined(server: Live) -> None:
    with connect(server) as client:
        for _ in range(3):
            client.sendall(GET)
            assert read_answer(client) == b"xxxxx"
        client.sendall(GET + GET + LAST)
        assert read_all(client).count(b"\r\n\r\nxxxxx") == 3


def test_the_end_of_the_last_answer_is_the_end_of_tls(server: Live) -> None:
    """A close_notify: a client can tell that nothing was cut off."""
    with connect(server) as client:
        client.sendall(LAST.replace(b"/", f"/{MIB}".encode(), 1))
        assert len(read_all(client).partition(b"\r\n\r\n")[2]) == MIB


def test_http_1_1_is_negotiated_and_nothing_is_compressed(server: Live) -> None:
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect(server, context) as client:
        assert client.selected_alpn_protocol() == "http/1.1"
        assert client.compression() is None


def test_a_slow_reader_holds_no_thread_and_gets_it_all() -> None:
    """With one thread, others are answered while it has not read a byte."""
    with live(app, threads=1, response_buffer=MIB, **served()) as server:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(10)
        raw.connect(("127.0.0.1", server.port))
        with trusting().wrap_socket(raw, server_hostname=HOST) as slow:
            slow.sendall(GET.replace(b"/", f"/{8 * MIB}".encode(), 1))
            for _ in range(3):
                with connect(server) as client:
                    client.sendall(GET)
                    assert read_answer(client) == b"xxxxx"
            assert read_answer(slow) == b"x" * 8 * MIB


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_in_the_middle_ends_the_response(loop: str) -> None:
    """S7."""
    closed = threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * 65536

        def close(self) -> None:
            closed.set()

    def endless(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return Endless()

    with live(endless, loop=loop, response_spool=0, **served()) as server:
        client = connect(server)
        client.sendall(GET)
        assert client.recv(1000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        assert closed.wait(10)
        server.wait(lambda: not server.server.busy)


def test_clients_that_end_in_order_leave_no_line_in_the_log(
    server: Live, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio warns of a protocol that would go on after the end of TLS."""
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            with connect(server) as client:
                client.sendall(GET)
                assert read_answer(client) == b"xxxxx"
                client.unwrap().close()
        server.wait(lambda: not server.server.busy)
    assert caplog.messages == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_without_a_good_certificate_is_refused_where_one_is_required(
    loop: str, version: ssl.TLSVersion
) -> None:
    called: list[Environ] = []

    def secret(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ)
        return hello(environ, start_response)

    options = {"ssl_ca_certs": authority_file(), "ssl_cert_reqs": "required"}
    foreign = trustme.CA().issue_cert("client.test")
    with live(secret, loop=loop, **served(), **options) as server:
        for own in (None, foreign):
            context = trusting(own)
            context.maximum_version = version
            assert refused(server, context)
        assert called == []
        context = trusting(certificate("client.test"))
        context.maximum_version = version
        with connect(server, context) as client:
            client.sendall(GET)
            assert read_answer(client) == b"hello"


def test_a_certificate_may_be_optional() -> None:
    options = {"ssl_ca_certs": authority_file(), "ssl_cert_reqs": "optional"}
    with live(hello, **served(), **options) as server:
        for own in (None, certificate("client.test")):
            with connect(server, trusting(own)) as client:
                client.sendall(GET)
                assert read_answer(client) == b"hello"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_version_below_the_minimum_is_refused(loop: str) -> None:
    old = trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with live(hello, loop=loop, ssl_minimum_version="TLSv1.3", **served()) as server:
        assert refused(server, old)
        with connect(server) as client:
            assert client.version() == "TLSv1.3"


def test_a_unix_socket_may_speak_tls(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with live(app, uds=str(path), **served()) as server:
        assert server.url == f"unix:{path}"
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(10)
        raw.connect(str(path))
        with trusting().wrap_socket(raw, server_hostname=HOST) as client:
            client.sendall(GET.replace(b"/", b"/environ", 1))
            assert read_answer(client).startswith(b"https on ")


def test_the_face_of_wsgiref_speaks_tls_too() -> None:
    """A client that does not is its own fault: handle_request returns, as for any other."""
    with make_server("127.0.0.1", 0, hello, **served()) as simple:
        answers: list[bytes] = []

        def ask(*, secure: bool) -> None:
            with socket.create_connection(("127.0.0.1", simple.server_port), 10) as raw:
                if not secure:
                    raw.sendall(GET)
                    answers.append(plain_all(raw))
                    return
                with trusting().wrap_socket(raw, server_hostname=HOST) as client:
                    client.sendall(GET)
                    answers.append(read_answer(client))

        for secure in (True, False, True):
            asking = threading.Thread(target=ask, kwargs={"secure": secure})
            asking.start()
            simple.handle_request()
            asking.join(10)
        assert [answer[-5:] for answer in answers] == [b"hello", b"uest\n", b"hello"]

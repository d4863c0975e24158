"""The applications of these tests under wsgiref.validate, over a socket (P1-P47).

What it complains about raises in the application, which is then a 500 or a cut connection.
"""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.apps.hello import app as command_hello
from tests.live import live
from tests.server.test_wsgi_errors import replacing
from tests.server.wsgi_client import LOOPS, TEXT, Client, hello, stream


def echo(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    body = environ["wsgi.input"]
    start_response("200 OK", TEXT)
    yield body.read(3)
    yield body.readline()
    yield body.readline(4)
    yield from body.readlines()
    yield from body
    yield body.read(-1)


def write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.errors"].write("written\n")
    environ["wsgi.errors"].flush()
    send = start_response("200 OK", TEXT)
    send(b"written ")
    return [environ["wsgi.input"].read(100_000)]


def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b""
    yield environ["wsgi.input"].read(100_000)


def nothing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    found: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"file"), 3)
    return found


BODY = b"one two\nthree\n\nfour" + b"." * 10_000
# The application, the status, and what it answers to BODY.
APPS: dict[str, tuple[WSGIApplication, int, bytes]] = {
    "hello": (hello, 200, b"hello"),
    "stream": (stream, 200, b"hello"),
    "the command's": (command_hello, 200, b"hello at /"),
    "echo": (echo, 200, BODY),
    "write": (write, 200, b"written " + BODY),
    "late": (late, 200, BODY),
    "nothing": (nothing, 204, b""),
    "file": (file, 200, b"file"),
    "replacing": (replacing, 503, b"replaced"),
}


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
@pytest.mark.parametrize("kind", APPS)
def test_the_validator_is_silent(
    kind: str, buffering: bool, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, status, body = APPS[kind]
    options: dict[str, Any] = {"loop": loop, "request_buffering": buffering}
    with live(validator(app), **options) as server:
        for chunked in (False, True):
            with Client(server) as client:
                answer = client.upload(BODY, "/a%20b?c=d", chunked=chunked)
                assert (answer.status, answer.body, answer.complete) == (status, body, True)
                assert client.ask("GET", "//").status == status
        with Client(server) as client:
            assert client.ask("HEAD", "/").status == status
            assert client.ask("OPTIONS", "*", version="1.0").status == status
    assert complaints(caplog) == []


def test_the_validator_is_silent_over_a_unix_socket_and_below_a_mount(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(tmp_path / "s")
    with live(validator(hello), uds=path, root_path="/app") as server:
        assert server.url == f"unix:{path}"
        for target in (b"/app", b"/app/x", b"/elsewhere"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(path)
                client.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
                assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert complaints(caplog) == []

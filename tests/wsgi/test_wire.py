"""A Call through the real encoder, read by another HTTP library (P6, P32, P34, P38-P41).

The same calls go to the Recording output, which the other tests rely on: both have to agree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h11
import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.http11.encoder import ResponseEncoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.filewrapper import FileRegion, FileWrapper
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

from .apps import returning
from .recording import call

DEFAULTS = ResponseDefaults("Server: ours\r\n", "Date: Sat, 21 Nov 2026 02:55:29 GMT\r\n")


class Wire:
    """An output of bytes, in the order in which a socket would get them."""

    def __init__(self, method: str, version: str) -> None:
        self.encoder = ResponseEncoder(method, version, True, DEFAULTS)
        self.sent = b""

    def start(self, head: ResponseHead, block: bytes) -> None:
        self.sent += self.encoder.start(head)
        if block:
            self.data(block)

    def data(self, block: bytes) -> None:
        self.sent += b"".join(self.encoder.data(block))

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        self.sent += self.encoder.start(head, sum(map(len, blocks)))
        for block in blocks:
            self.data(block)
        self.end()

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        self.start(head, os.pread(file.fileno, file.length, file.offset))
        self.end()
        return True

    def end(self) -> None:
        self.sent += self.encoder.end()


class Seen:
    """What a client read: the status, its fields, the body, and whether the connection lives."""

    def __init__(self, wire: Wire, method: str) -> None:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
        client.send(h11.EndOfMessage())
        client.receive_data(wire.sent)
        if not wire.encoder.keep_alive:
            client.receive_data(b"")
        self.status = 0
        self.fields: dict[str, str] = {}
        self.body = b""
        self.complete = False
        while not self.complete:
            event = client.next_event()
            if isinstance(event, h11.Response):
                self.status = event.status_code
                self.fields = {n.decode().title(): v.decode("latin-1") for n, v in event.headers}
                assert len(self.fields) == len(list(event.headers)), "a field is there twice"
            elif isinstance(event, h11.Data):
                self.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.complete = True
            else:
                assert event is h11.NEED_DATA
                break
        assert client.trailing_data[0] == b"", "bytes after the end"


def see(app: WSGIApplication, method: str = "GET", version: str = "1.1") -> Seen:
    wire = Wire(method, version)
    Call(app, {}, wire, bodiless=method == "HEAD").run()
    return Seen(wire, method)


def generating(status: str, fields: list[tuple[str, str]], *blocks: bytes) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(status, fields)
        yield from blocks

    return app


def writing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [])
    write(b"one ")
    write(b"")
    return [b"two", b"", b" three"]


SIZED = [("Content-Length", "5")]
APPS: dict[str, tuple[WSGIApplication, bytes, dict[str, str | None]]] = {
    # application, body, framing fields for 1.1
    "list": (returning([b"ab", b"", b"c"]), b"abc", {"Content-Length": "3"}),
    "empty list": (returning([]), b"", {"Content-Length": "0"}),
    "empty generator": (generating("200 OK", []), b"", {"Content-Length": "0"}),
    "generator": (
        generating("200 OK", [], b"", b"ab", b"", b"c"),
        b"abc",
        {"Transfer-Encoding": "chunked", "Content-Length": None},
    ),
    "sized generator": (
        generating("200 OK", SIZED, b"abc", b"de"),
        b"abcde",
        {"Content-Length": "5", "Transfer-Encoding": None},
    ),
    "too long": (generating("200 OK", SIZED, b"abc", b"def"), b"abcde", {"Content-Length": "5"}),
    "too long list": (returning([b"abc", b"def"], 4), b"abcd", {"Content-Length": "4"}),
    "write": (writing, b"one two three", {"Transfer-Encoding": "chunked"}),
    "204": (
        generating("204 No Content", [], b"never"),
        b"",
        {"Content-Length": None, "Transfer-Encoding": None},
    ),
    "304": (
        generating("304 Not Modified", [("ETag", '"x"')], b"never"),
        b"",
        {"Content-Length": None, "Transfer-Encoding": None, "Etag": '"x"'},
    ),
}


@pytest.mark.parametrize("kind", APPS)
def test_a_client_reads_the_body_in_the_framing_that_fits(kind: str) -> None:
    """P6, P38, P39, P41."""
    app, body, framing = APPS[kind]
    seen = see(app)
    assert (seen.complete, seen.body) == (True, body)
    assert {name: seen.fields.get(name) for name in framing} == framing


@pytest.mark.parametrize("kind", APPS)
def test_a_client_of_http_1_0_reads_the_same_body_without_chunks(kind: str) -> None:
    """P41, H14."""
    app, body, framing = APPS[kind]
    seen = see(app, version="1.0")
    assert (seen.complete, seen.body) == (True, body)
    assert "Transfer-Encoding" not in seen.fields
    kept = "close" if "Transfer-Encoding" in framing and framing["Transfer-Encoding"] else "keep"
    assert seen.fields["Connection"].startswith(kept)


@pytest.mark.parametrize("kind", APPS)
def test_head_has_no_body_and_says_nothing_that_get_would_not(kind: str) -> None:
    """P41."""
    app, _, _ = APPS[kind]
    get, head = see(app), see(app, "HEAD")
    assert (head.complete, head.body, head.status) == (True, b"", get.status)
    assert set(head.fields.items()) <= set(get.fields.items())
    missing = {"Transfer-Encoding"} | ({"Content-Length"} if get.body == b"" else set())
    assert set(get.fields) - set(head.fields) <= missing


@pytest.mark.parametrize("kind", APPS)
def test_the_recording_output_agrees_with_the_wire(kind: str) -> None:
    """The fake that the other tests use is a true one."""
    app, _, _ = APPS[kind]
    seen, recorded = see(app), call(app)
    assert (recorded.status, recorded.body, recorded.ended) == (seen.status, seen.body, True)
    assert recorded.head is not None
    for name, value in recorded.head.fields:
        assert seen.fields[name.title()] == value


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_file_has_its_length(tmp_path: Path, method: str, version: str) -> None:
    """P45, P41."""
    (tmp_path / "file").write_bytes(b"0123456789")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return FileWrapper((tmp_path / "file").open("rb"))

    seen = see(app, method, version)
    assert seen.fields["Content-Length"] == "10"
    assert (seen.complete, seen.body) == (True, b"0123456789" if method == "GET" else b"")


def test_own_date_and_server_win_over_ours() -> None:
    """P34."""
    seen = see(returning([b"x"]))
    assert seen.fields["Server"] == "ours"
    assert seen.fields["Date"] == "Sat, 21 Nov 2026 02:55:29 GMT"
    own = [("server", "mine"), ("DATE", "Sun, 06 Nov 1994 08:49:37 GMT")]
    seen = see(generating("200 OK", own, b"x"))
    assert seen.fields["Server"] == "mine"
    assert seen.fields["Date"] == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_connection_close_of_the_application_is_sent_once_and_closes() -> None:
    """P32."""
    seen = see(generating("200 OK", [("Connection", "Close")], b"x"))
    assert (seen.fields["Connection"], seen.body) == ("close", b"x")
    assert "Connection" not in see(generating("200 OK", [("Connection", "keep-alive")])).fields


@pytest.mark.parametrize("fields", [[], SIZED])
def test_what_failed_half_way_never_looks_complete(fields: Any) -> None:
    """P40, P43: neither a last chunk nor the bytes that are missing."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", fields)
        yield b"ab"
        if not fields:
            raise ApplicationError("broken")

    wire = Wire("GET", "1.1")
    with pytest.raises(ApplicationError):
        Call(app, {}, wire, bodiless=False).run()
    seen = Seen(wire, "GET")
    assert (seen.status, seen.body, seen.complete) == (200, b"ab", False)

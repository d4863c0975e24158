"""What the application is called with, over a real socket (P1, P2, P9-P13, P16, P17, P25)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client, in_chunks


class Seeing:
    """An application that keeps each environ it was called with, and changes it."""

    def __init__(self) -> None:
        self.environs: list[Environ] = []
        self.arguments: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> Iterable[bytes]:
        self.arguments.append(arguments)
        environ, start_response = arguments
        self.environs.append(environ.copy())
        assert "left" not in environ
        environ["left"] = "behind"
        environ["PATH_INFO"] = "/changed"
        environ.pop("SERVER_NAME")
        start_response("200 OK", TEXT)
        return [b"ok"]

    @property
    def last(self) -> Environ:
        return self.environs[-1]


def see(target: str = "/", *fields: str, **options: Any) -> Environ:
    """Return the environ of one request."""
    app = Seeing()
    with live(app, **options) as server, Client(server) as client:
        assert client.ask("GET", target, fields=fields).status == 200
    return app.last


@pytest.mark.parametrize("loop", LOOPS)
def test_each_request_of_a_connection_has_a_fresh_dict_and_is_one_call(loop: str) -> None:
    """P1, P2: what one request did to its environ, the next does not see."""
    app = Seeing()
    with live(app, loop=loop) as server, Client(server) as client:
        for number in range(3):
            assert client.ask("GET", f"/{number}").status == 200
    assert [environ["PATH_INFO"] for environ in app.environs] == ["/0", "/1", "/2"]
    assert all(environ["SERVER_NAME"] == "127.0.0.1" for environ in app.environs)
    assert [len(arguments) for arguments in app.arguments] == [2, 2, 2]
    assert [type(arguments[0]) for arguments in app.arguments] == [dict] * 3
    assert len({id(arguments[0]) for arguments in app.arguments}) == 3


def test_the_keys_that_are_always_there_say_the_truth() -> None:
    """P9, P13: also who the client is."""
    app = Seeing()
    with live(app) as server, Client(server) as client:
        client.ask("OPTIONS", "/a/b?c=d&e", version="1.0")
        host, port = client.socket.getsockname()
        here = server.port
    environ = app.last
    expected = {
        "REQUEST_METHOD": "OPTIONS",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b",
        "QUERY_STRING": "c=d&e",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(here),
        "SERVER_PROTOCOL": "HTTP/1.0",
        "REMOTE_ADDR": host,
        "REMOTE_PORT": str(port),
        "REQUEST_URI": "/a/b?c=d&e",
        "RAW_URI": "/a/b?c=d&e",
        "HTTP_HOST": "test",
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert "CONTENT_TYPE" not in environ
    assert "CONTENT_LENGTH" not in environ


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/%ff%00%C3%A9", "/\xff\0\xc3\xa9", ""),
        ("//a//b/../c", "//a//b/../c", ""),
        ("/a%2Fb?%ff=%C3%A9", "/a/b", "%ff=%C3%A9"),
        ("/?", "/", ""),
        ("/;x=1?a?b", "/;x=1", "a?b"),
        ("http://other/p?q", "/p", "q"),
    ],
)
def test_the_path_keeps_each_byte(target: str, path: str, query: str) -> None:
    """P10."""
    environ = see(target)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)
    assert environ["RAW_URI"] == target


def test_every_cgi_value_is_a_str_of_latin_1() -> None:
    """P10: fields too, as the bytes they were sent in."""
    environ = see("/%e2%82%ac", "X-Name: \xe2\x82\xac\xff", "Content-Type: text/\xe4")
    assert environ["HTTP_X_NAME"] == "\xe2\x82\xac\xff"
    assert environ["CONTENT_TYPE"] == "text/\xe4"
    cgi = {key: value for key, value in environ.items() if "." not in key}
    assert len(cgi) > 12
    for key, value in cgi.items():
        assert type(value) is str, key
        value.encode("latin-1")


def test_a_mount_is_cut_on_a_segment_boundary() -> None:
    """P11."""
    for target, script, path in [
        ("/app/x", "/app", "/x"),
        ("/app", "/app", ""),
        ("/apple", "/app", "/apple"),
    ]:
        environ = see(target, root_path="/app")
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script, path)


def test_repeated_fields_are_joined_and_those_that_pose_are_dropped() -> None:
    """P12."""
    environ = see(
        "/",
        "X-A: 1",
        "Cookie: a=1",
        "x-a: 2",
        "cookie: b=2",
        "X_A: forged",
        "Content_Length: 9",
        "Proxy: http://evil",
        "X-Empty:",
    )
    assert environ["HTTP_X_A"] == "1, 2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_X_EMPTY"] == ""
    assert "HTTP_PROXY" not in environ
    assert "HTTP_CONTENT_LENGTH" not in environ
    assert "CONTENT_LENGTH" not in environ
    assert "forged" not in str(environ)


@pytest.mark.parametrize(("threads", "multithread"), [(1, False), (2, True)])
def test_the_servers_own_keys_are_true_to_the_facts(threads: int, multithread: bool) -> None:
    """P16."""
    environ = see(threads=threads)
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.multithread"] is multithread
    assert environ["wsgi.multiprocess"] is False
    assert environ["wsgi.run_once"] is False
    assert environ["wsgi.input_terminated"] is True
    assert environ["SERVER_SOFTWARE"].startswith("aiowsgi/")


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_calls_run_at_once_than_multithread_says(threads: int) -> None:
    """P16: multithread is False with one thread, and then calls do come one by one."""
    lock = threading.Lock()
    now, most = 0, 0
    full = threading.Event()
    go = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == threads:
                full.set()
        go.wait(10)
        with lock:
            now -= 1
        start_response("200 OK", TEXT)
        return []

    with live(app, threads=threads) as server:
        clients = [Client(server) for _ in range(6)]
        for client in clients:
            client.send()
        assert full.wait(10)
        go.set()
        assert [client.read().status for client in clients] == [200] * 6
        for client in clients:
            client.close()
    assert most == threads


def test_extensions_are_lower_case_dotted_names() -> None:
    """P17."""
    environ = see()
    extensions = [key for key in environ if key.upper() != key]
    assert "wsgi.file_wrapper" in extensions
    assert [key for key in extensions if "." not in key or key.lower() != key] == []


def test_a_unix_socket_has_a_name_and_a_port_and_nobody_as_its_client(tmp_path: Path) -> None:
    """P9: SERVER_NAME and SERVER_PORT are never empty; REMOTE_ADDR may be."""
    app = Seeing()
    path = str(tmp_path / "s")
    with live(app, uds=path), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while client.recv(65536):
            pass
    assert (app.last["SERVER_NAME"], app.last["SERVER_PORT"]) == ("localhost", "80")
    assert app.last["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in app.last


@pytest.mark.parametrize("buffering", [True, False])
def test_a_chunked_body_has_one_framing_in_environ(buffering: bool) -> None:
    """P25: the length where it is known, and never beside Transfer-Encoding; no trailer is seen."""
    app = Seeing()
    body = in_chunks(b"x" * 2500, trailers=[b"X-Trailer: late", b"Content-Type: text/late"])
    with live(app, request_buffering=buffering) as server, Client(server) as client:
        client.ask("POST", "/", fields=["Transfer-Encoding: chunked"], body=body)
    if buffering:
        assert app.last["CONTENT_LENGTH"] == "2500"
        assert "HTTP_TRANSFER_ENCODING" not in app.last
    else:
        assert "CONTENT_LENGTH" not in app.last
        assert app.last["HTTP_TRANSFER_ENCODING"] == "chunked"
    assert app.last["wsgi.input_terminated"] is True
    assert "late" not in str(app.last)


def test_what_is_written_to_wsgi_errors_reaches_stderr_whatever_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """P24."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        errors = environ["wsgi.errors"]
        errors.write("plain\n")
        errors.writelines(["é€\n", "\ud800 lone\n"])
        print("printed", file=errors)
        errors.flush()
        start_response("200 OK", TEXT)
        return [b"ok"]

    with live(app) as server, Client(server) as client:
        assert client.ask().body == b"ok"
    written = capsys.readouterr().err
    assert written.startswith("plain\né€\n")
    assert " lone\nprinted\n" in written

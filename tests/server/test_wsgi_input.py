"""wsgi.input over a real socket: in memory, in a file and streamed (P18, P19, P25, P42)."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client, hello, in_chunks

BODY = b"first\nsecond line\n\n" + b"x" * 5000 + b"\nlast without an end"
# How the body comes: all of it in memory, in a temporary file, or while it is read.
WAYS: dict[str, dict[str, Any]] = {
    "memory": {},
    "file": {"spool_threshold": 100},
    "streamed": {"request_buffering": False},
    "streamed, little at a time": {"request_buffering": False, "spool_threshold": 64},
}

READS: dict[str, Callable[[Any], list[Any]]] = {
    "read()": lambda body: [body.read()],
    "read(-1)": lambda body: [body.read(-1)],
    "read(size)": lambda body: [body.read(7), body.read(4000), body.read(10_000), body.read(1)],
    "read(0)": lambda body: [body.read(0), body.read(3), body.read(0)],
    "readline()": lambda body: [body.readline() for _ in range(6)],
    "readline(size)": lambda body: [body.readline(3), body.readline(3), body.readline(100)],
    "readlines()": lambda body: body.readlines(),
    "readlines(hint)": lambda body: [body.readlines(8), body.readlines(2)],
    "iteration": list,
    "readinto": lambda body: [body.readinto(room := bytearray(11)), bytes(room)],
    "all together": lambda body: [body.readline(), body.read(3), next(body), body.readlines()],
    "end": lambda body: [len(body.read()), body.read(), body.read(5), body.readline(), list(body)],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
def test_the_body_reads_like_a_file_of_it(way: str, chunked: bool) -> None:
    """P18: each way of reading gives what io.BytesIO would give; empty for ever at the end."""
    found: dict[str, list[Any]] = {}

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        name = unquote(environ["QUERY_STRING"])
        found[name] = READS[name](environ["wsgi.input"])
        start_response("200 OK", TEXT)
        return []

    with live(app, **WAYS[way]) as server:
        for name, read in READS.items():
            with Client(server) as client:
                assert client.upload(BODY, f"/?{quote(name)}", chunked=chunked).status == 200
            assert found[name] == read(io.BytesIO(BODY)), name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("head", ["Content-Length: 0", "X-No: body"])
def test_no_body_is_an_empty_one(way: str, head: str) -> None:
    """P18: read() does not wait for bytes that nobody announced."""
    found: list[list[bytes]] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        found.append([body.read(), body.read(10), body.readline(), *body])
        start_response("200 OK", TEXT)
        return []

    with live(app, **WAYS[way]) as server, Client(server) as client:
        assert client.ask("POST", fields=[head]).status == 200
        assert client.ask("GET").status == 200
    assert found == [[b"", b"", b""]] * 2


@pytest.mark.parametrize("way", WAYS)
def test_the_next_request_is_not_part_of_the_body(way: str) -> None:
    """P18: nor is what was left unread of one body part of the next."""
    found: list[bytes] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found.append(environ["wsgi.input"].read(5))
        start_response("200 OK", TEXT)
        return []

    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n"
    with live(app, **WAYS[way]) as server, Client(server) as client:
        client.socket.sendall(b"".join(request + b"body%d..." % turn for turn in range(3)))
        assert [client.read().status for _ in range(3)] == [200] * 3
    assert found == [b"body0", b"body1", b"body2"]


@pytest.mark.parametrize("way", WAYS)
def test_chunks_are_decoded_and_trailers_read_and_dropped(way: str) -> None:
    """P25: the connection goes on after them."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", TEXT)
        return [body]

    trailers = [b"X-Trailer: late", b"Content-Length: 3"]
    with live(app, **WAYS[way]) as server, Client(server) as client:
        for size in (1, 7, 100_000):
            body = in_chunks(BODY, size, trailers)
            answer = client.ask("POST", fields=["Transfer-Encoding: chunked"], body=body)
            assert answer.body == BODY


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", ["memory", "file"])
@pytest.mark.parametrize("leave", ["end", "half", "reset"])
def test_a_buffered_body_that_is_not_whole_never_starts_the_application(
    loop: str, way: str, leave: str
) -> None:
    """P19."""
    called: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ["PATH_INFO"])
        return hello(environ, start_response)

    with live(app, loop=loop, **WAYS[way]) as server:
        for fields, body in [
            ("Content-Length: 1000", b"x" * 999),
            ("Transfer-Encoding: chunked", in_chunks(b"x" * 1000)[:-2]),
        ]:
            with Client(server) as client:
                client.send("POST", "/cut", fields=[fields], body=body)
                if leave == "reset":
                    client.reset()
                elif leave == "half":
                    client.socket.shutdown(1)
                    assert client.ended()
        with Client(server) as client:
            assert client.ask("GET", "/whole").body == b"hello"
    assert called == ["/whole"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("read", ["read", "readline", "readlines", "list", "readinto"])
@pytest.mark.parametrize("leave", ["half", "reset"])
def test_a_streamed_body_that_is_cut_raises(loop: str, read: str, leave: str) -> None:
    """P19: every way of reading to the end raises a ConnectionError; what came before is given."""
    errors: list[BaseException] = []
    entered, over = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        assert body.read(4) == b"xxxx"
        entered.set()
        try:
            if read == "list":
                list(body)
            elif read == "readinto":
                while body.readinto(bytearray(100)):
                    pass
            else:
                getattr(body, read)()
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            over.set()
        start_response("200 OK", TEXT)
        return [b"looked whole"]

    with live(app, loop=loop, request_buffering=False) as server, Client(server) as client:
        client.send("POST", fields=["Content-Length: 1000"], body=b"x" * 999)
        assert entered.wait(10)
        if leave == "reset":
            client.reset()
        else:
            client.socket.shutdown(1)
            assert client.read().status == 400
            assert client.ended()
        assert over.wait(10)
    assert [isinstance(error, ConnectionError) for error in errors] == [True]


def counting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read() if environ["PATH_INFO"] == "/read" else b""
    start_response("200 OK", TEXT)
    return [b"%d" % len(body)]


EXPECT = ["Expect: 100-continue", "Content-Length: 5"]


@pytest.mark.parametrize("buffering", [True, False])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_waits_is_told_to_go_on(loop: str, buffering: bool) -> None:
    """P42."""
    with live(counting, loop=loop, request_buffering=buffering) as server:
        with Client(server) as client:
            for _ in range(2):
                client.send("POST", "/read", fields=EXPECT)
                assert client.head() == (100, {})
                client.socket.sendall(b"12345")
                assert client.read().body == b"5"


def test_a_client_is_asked_for_the_body_at_the_first_read_where_it_is_streamed() -> None:
    """P42: not before, and only once."""
    running, go = threading.Event(), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        running.set()
        assert go.wait(10)
        body = environ["wsgi.input"]
        pieces = [body.read(2), body.read(3)]
        start_response("200 OK", TEXT)
        return pieces

    with live(app, request_buffering=False) as server, Client(server) as client:
        client.send("POST", fields=EXPECT)
        assert running.wait(10)
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)
        client.socket.settimeout(10)
        go.set()
        assert client.head() == (100, {})
        client.socket.sendall(b"12")
        client.socket.sendall(b"345")
        answer = client.read()
        assert (answer.status, answer.body) == (200, b"12345")


def test_a_client_is_not_asked_for_what_nobody_reads() -> None:
    """P42: the answer is known, and says that the connection closes, as its body may yet come."""
    with live(counting, request_buffering=False) as server, Client(server) as client:
        answer = client.ask("POST", "/", fields=EXPECT)
        assert (answer.status, answer.body) == (200, b"0")
        assert answer.fields["connection"] == "close"


def test_a_client_is_not_asked_for_what_is_refused_or_there() -> None:
    """P42: a body that is too long, and one that came with its head; nor a client of HTTP/1.0."""
    with live(counting, limit_request_body=10) as server:
        with Client(server) as client:
            answer = client.ask("POST", fields=["Expect: 100-continue", "Content-Length: 11"])
            assert answer.status == 413
        with Client(server) as client:
            for body in (b"12345", b"12"):  # a part of it shows that the client does not wait
                client.send("POST", "/read", fields=EXPECT, body=body)
                with Client(server) as other:  # by its answer, that part has been looked at
                    assert other.ask("GET").status == 200
                client.socket.sendall(b"12345"[len(body) :])
                assert client.read().body == b"5"
        with Client(server) as client:
            client.send("POST", "/read", fields=EXPECT, version="1.0")
            client.socket.sendall(b"12345")
            assert client.read().status == 200

"""Every test application through both doors, the server's and an ASGI host's: the same results.

The doors differ where the transport does: who answers for an application that failed writes its
own page, HTTP/1.1 frames a body of unknown length, and Date, Server and X-Request-ID are the
server's. All else is the bridge's, and equal.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn
from httpbin import app as httpbin

from aiowsgi.asgi import WSGIMiddleware
from aiowsgi.wsgi.types import Environ, Given, StartResponse, WSGIApplication
from tests.examples.test_validate import REQUESTS, load
from tests.frameworks.test_httpbin import CASES, ask
from tests.live import live
from tests.wsgi.apps import Closed, returning

OF_THE_SERVER = frozenset({"connection", "date", "server", "transfer-encoding", "x-request-id"})
CUT = "the connection was cut"


class Seen(NamedTuple):
    status: int | str
    fields: list[tuple[str, str]]
    body: bytes


class Announced(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.announced = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announced.set()


@contextmanager
def uvicorn_serving(app: WSGIApplication) -> Iterator[str]:
    """The other door: the application behind WSGIMiddleware under uvicorn, in a thread."""
    config = uvicorn.Config(
        WSGIMiddleware(app, threads=4), port=0, log_config=None, lifespan="off", access_log=False
    )
    server = Announced(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.announced.wait(20)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def see(url: str, method: str, path: str, **options: Any) -> Seen:
    headers = {"Host": "both.example", **options.pop("headers", {})}
    try:
        answer = httpx.request(method, url + path, headers=headers, timeout=20, **options)
    except httpx.RemoteProtocolError:
        return Seen(CUT, [], b"")
    if answer.status_code == 500:
        return Seen(500, [], b"")
    fields = sorted(
        (name, value) for name, value in answer.headers.multi_items() if name not in OF_THE_SERVER
    )
    return Seen(answer.status_code, fields, answer.content)


def without_time(seen: Seen) -> Seen:
    """Flask signs a session's cookie with the second in which it was made."""
    fields = [
        (name, value.split(".")[0] if name == "set-cookie" else value)
        for name, value in seen.fields
    ]
    return seen._replace(fields=fields)


# -- what an application may do, and what it may not --


def tells(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """All of the environ that a client has a hand in."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    own = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH")
    keys = sorted(key for key in environ if key.startswith("HTTP_") or key in own)
    return [f"{key}={environ[key]!a}\n".encode() for key in keys]


def echoes(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return iter([line[::-1] for line in environ["wsgi.input"]])


def writes(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [])
    write(b"written, ")
    write(b"")
    return [b"returned"]


def changes_its_mind(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("X-Old", "1")])
    try:
        raise ValueError
    except ValueError:
        start_response("503 Service Unavailable", [("X-New", "1")], sys.exc_info())
    return [b"sorry"]


def starts_late(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    yield b""
    start_response("200 OK", [])
    yield b"late"


def wraps_a_file(environ: Environ, start_response: StartResponse) -> Given:
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))  # noqa: SIM115 - it is closed by us


def yields(*blocks: bytes, length: int | None = None) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [] if length is None else [("Content-Length", str(length))])
        yield from blocks

    return app


def fails_at(block: int) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "300000")])
        for number in range(3):
            if number == block:
                raise SystemExit(3)
            yield b"x" * 100_000

    return app


def fields(*given: Any) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", list(given))
        return [b"body"]

    return app


APPLICATIONS: dict[str, WSGIApplication] = {
    "a list (P6)": returning([b"one", b"", b"two"]),
    "an empty list": returning([]),
    "a tuple": returning((b"x",)),
    "a list with a length": returning([b"hello"], 5),
    "a list past its length (P39)": returning([b"hello"], 3),
    "a list short of its length (P40)": returning([b"hello"], 9),
    "a generator": yields(b"a", b"", b"b"),
    "a generator past its length": yields(b"hello", b"more", length=7),
    "a generator short of its length": yields(b"hello", length=9),
    "a body that is closed (P7)": returning(Closed(b"a", b"b")),
    "a body whose close fails": returning(Closed(b"a", error=ValueError("closing"))),
    "no content": returning([], status="204 No Content"),
    "not modified": returning([b"ignored"], 7, "304 Not Modified"),
    "a str (P47)": returning("text"),
    "a list of str": returning(["text"]),
    "None": returning(None),
    "an informational status (P31)": returning([], status="100 Continue"),
    "a status without a number": returning([], status="OK"),
    "a field that is hop-by-hop (P32)": fields(("Transfer-Encoding", "chunked")),
    "a field with a line end": fields(("X-A", "a\r\nX-B: b")),
    "two lengths": fields(("Content-Length", "4"), ("Content-Length", "5")),
    "repeated fields": fields(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X", "\xe9")),
    "write (P35)": writes,
    "exc_info before the head (P27)": changes_its_mind,
    "start_response in the first block (P4)": starts_late,
    "a file (P45)": wraps_a_file,
    "an exit before the body (P44)": fails_at(0),
    "an exit after a block (P43)": fails_at(1),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("app", APPLICATIONS.values(), ids=APPLICATIONS)
def test_an_application_has_the_same_result_through_both_doors(
    app: WSGIApplication, method: str
) -> None:
    with live(app) as server, uvicorn_serving(app) as url:
        ours = see(server.url, method, "/")
        assert see(url, method, "/") == ours
    assert ours.status in (200, 204, 304, 500, 503, CUT)


BODY = b"first\nsecond\n" * 20_000
ASKED: list[tuple[WSGIApplication, str, str, dict[str, Any]]] = [
    (tells, "GET", "/a%2Fb/%ff//c;d?q=%20&r", {}),
    (tells, "GET", "/%E2%82%AC", {"headers": {"X-Two": "1, 2", "X_Spoof": "1", "Proxy": "p"}}),
    (tells, "PUT", "/", {"headers": {"Cookie": "a=1; b=2", "X-Latin": b"\xe9"}, "content": b"x"}),
    (tells, "POST", "/", {"content": [b"chunk", b"ed"]}),
    (echoes, "POST", "/", {"content": BODY}),
    (echoes, "POST", "/", {"content": [BODY, BODY, BODY]}),
    (echoes, "POST", "/", {"content": b""}),
]


@pytest.mark.parametrize(("app", "method", "path", "options"), ASKED)
def test_a_request_is_the_same_through_both_doors(
    app: WSGIApplication, method: str, path: str, options: dict[str, Any]
) -> None:
    with live(app) as server, uvicorn_serving(app) as url:
        ours = see(server.url, method, path, **options)
        assert ours.status == 200
        assert see(url, method, path, **options) == ours


@pytest.mark.parametrize(("example", "attribute", "requests"), REQUESTS)
def test_every_example_answers_the_same_through_both_doors(
    example: str, attribute: str, requests: list[tuple[str, str, dict[str, Any], int]]
) -> None:
    app = load(example, attribute)
    with live(app) as server, uvicorn_serving(app) as url:
        for method, path, options, status in requests:
            headers = {**options.get("headers", {}), "Host": "localhost"}
            asked = {**options, "headers": headers}
            ours = without_time(see(server.url, method, path, **asked))
            assert ours.status == status
            if "meta" not in path:  # it names the ports
                assert without_time(see(url, method, path, **asked)) == ours


@pytest.mark.timeout(240)  # nearly two hundred requests in one
def test_httpbin_answers_the_same_through_both_doors() -> None:
    with live(httpbin) as server, uvicorn_serving(httpbin) as url:
        for case in CASES:
            method, path, options = case.values
            ours = ask(server.url, method, path, {**options})
            theirs = ask(url, method, path, {**options})
            assert theirs._replace(reason="") == ours._replace(reason=""), path  # ASGI has none

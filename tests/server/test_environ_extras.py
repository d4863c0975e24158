"""What the server adds to environ beyond PEP 3333: early hints, request id, queue time (P17)."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def hinting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    environ["wsgi.early_hints"]([("Link", "</script.js>; rel=preload")])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"body"]


def test_early_hints_leave_before_the_answer_begins() -> None:
    """RFC 8297; the signature is the one that gunicorn's applications know."""
    asked = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
        asked.wait(10)
        start_response("200 OK", [])
        return [b"body"]

    with live(app) as server, server.connect() as client:
        client.sendall(GET)
        first = client.recv(65536)
        assert first == b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        asked.set()
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_early_hints_may_be_given_more_than_once() -> None:
    with live(hinting) as server:
        answer = server.talk(GET)
    assert answer.count(b"HTTP/1.1 103 Early Hints\r\n") == 2
    assert answer.endswith(b"\r\n\r\nbody")


def test_http_1_0_gets_no_interim_response() -> None:
    with live(hinting) as server:
        answer = server.talk(b"GET / HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 103" not in answer


def test_hints_after_the_head_are_dropped_and_bad_ones_are_an_error() -> None:
    """P31: what start_response refuses is refused here too."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/bad":
            environ["wsgi.early_hints"]([("Link", "a\r\nX: y")])
        write = start_response("200 OK", [("Content-Length", "2")])
        write(b"o")
        environ["wsgi.early_hints"]([("Link", "late")])
        return [b"k"]

    with live(app) as server:
        answer = server.talk(GET)
        assert b"HTTP/1.1 103" not in answer
        assert answer.endswith(b"\r\n\r\nok")
        bad = server.talk(GET.replace(b"GET /", b"GET /bad"))
        assert bad.startswith(b"HTTP/1.1 500 ")
        assert b"X: y" not in bad


def test_hints_that_are_no_list_are_an_error_of_the_application() -> None:
    """P31: as start_response says it, compiled or not."""
    told: list[BaseException] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.early_hints"]("Link: </a>")
        except ApplicationError as error:
            told.append(error)
        start_response("200 OK", [])
        return [b""]

    with live(app) as server:
        server.talk(GET)
    assert "headers must be a list" in str(told[0])


def test_each_request_has_an_id_of_its_own_and_knows_how_long_it_waited() -> None:
    seen: list[tuple[str, float]] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append((environ["aiowsgi.request_id"], environ["aiowsgi.queue_time"]))
        start_response("200 OK", [])
        return []

    with live(app) as server:
        for _ in range(3):
            server.talk(GET)
    assert len({name for name, _ in seen}) == 3
    assert all(waited >= 0 for _, waited in seen)

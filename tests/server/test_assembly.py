"""What the options make of the fields of every answer (P34)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b""]


def own(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Server", "mine"), ("Date", "today")])
    return [b""]


def test_server_and_date_are_added() -> None:
    with live(plain) as server:
        answer = server.talk(GET)
    assert answer.count(b"\r\nServer: aiowsgi\r\n") == 1
    assert (
        len(re.findall(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", answer)) == 1
    )


def test_the_applications_own_server_and_date_win() -> None:
    with live(own) as server:
        answer = server.talk(GET)
    assert re.findall(rb"\r\n(Server|Date): ([^\r]+)", answer) == [
        (b"Server", b"mine"),
        (b"Date", b"today"),
    ]


def test_they_can_be_switched_off() -> None:
    with live(plain, server_header=False, date_header=False) as server:
        answer = server.talk(GET)
    assert b"Server:" not in answer
    assert b"Date:" not in answer


def test_fields_of_the_operator_are_in_every_answer_and_take_the_place_of_ours() -> None:
    fields = ("X-One: 1", "Server: other", "Date: never")
    with live(plain, header=fields) as server:
        good, bad = server.talk(GET), server.talk(b"nonsense\r\n\r\n")
    for answer in (good, bad):
        assert b"\r\nX-One: 1\r\n" in answer
        assert re.findall(rb"\r\n(?:Server|Date): ([^\r]+)", answer) == [b"other", b"never"]

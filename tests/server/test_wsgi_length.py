"""Content-Length, framing and the fields that are the server's (P6, P31, P32, P34, P39-P41)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client, ask, hello, stream

Fields = list[tuple[str, str]]


def sized(length: int | str, *blocks: bytes, how: str = "yield") -> WSGIApplication:
    """Give `blocks` with that Content-Length, in one of the three ways."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [*TEXT, ("Content-Length", str(length))])
        if how == "list":
            return list(blocks)
        if how == "yield":
            return iter(blocks)
        for block in blocks:
            write(block)
        return []

    return app


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["list", "yield"])
def test_nothing_past_content_length_reaches_the_wire(
    how: str, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P39: the next response begins right after it, and it is told once."""
    app = sized(5, b"abc", b"defg", b"hij", how=how)
    with live(app, loop=loop) as server, Client(server) as client:
        for _ in range(2):
            assert client.ask().body == b"abcde"
    assert sum("Content-Length" in record.getMessage() for record in caplog.records) == 2


def test_the_iteration_stops_at_content_length() -> None:
    """P39: a generator is not asked for what cannot be sent."""
    asked: list[int] = []
    over = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "4")])
        try:
            for number in range(100):
                asked.append(number)
                yield b"xx"
        finally:
            over.set()

    with live(app) as server, Client(server) as client:
        assert client.ask().body == b"xxxx"
        assert over.wait(10)
    assert asked == [0, 1, 2]


def test_write_past_content_length_raises_and_sends_none_of_it() -> None:
    """P39."""
    raised: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [("Content-Length", "5")])
        write(b"abc")
        try:
            write(b"defg")
        except Exception as error:
            raised.append(str(error))
        write(b"DE")
        return []

    with live(app) as server, Client(server) as client:
        for _ in range(2):
            assert client.ask().body == b"abcDE"
    assert len(raised) == 2
    assert "Content-Length" in raised[0]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("how", ["yield", "write"])
def test_less_than_content_length_is_cut_and_logged(
    how: str, version: str, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P40: the client sees that it is not whole, and gets nothing more on that connection."""
    with live(sized(10, b"abc", b"def", how=how), loop=loop) as server, Client(server) as client:
        client.send(version=version, body=b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")  # pipelined
        answer = client.read()
        assert (answer.status, answer.complete) == (200, False)
        assert b"abcdef".startswith(answer.body)
    assert any("4 bytes short" in str(record.exc_info) for record in caplog.records)


def test_a_list_that_is_too_short_is_a_500() -> None:
    """P40: nothing has been sent yet, so the client can be told."""
    answer = ask(sized(10, b"abc", how="list"))
    assert (answer.status, answer.complete) == (500, True)


def bodiless(status: str, length: int | None, body: Iterable[bytes]) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [] if length is None else [("Content-Length", str(length))])
        return body

    return app


@pytest.mark.parametrize(
    ("method", "status", "length", "told"),
    [
        ("HEAD", "200 OK", 5, "5"),
        ("HEAD", "200 OK", 0, "0"),
        ("HEAD", "200 OK", None, "5"),
        ("GET", "304 Not Modified", 5, "5"),
        ("GET", "204 No Content", None, None),
        ("GET", "204 No Content", 5, None),
        ("HEAD", "204 No Content", None, None),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_without_a_body_ends_with_its_head(
    method: str, status: str, length: int | None, told: str | None, version: str
) -> None:
    """P41: what follows on the connection is the next answer."""
    app = bodiless(status, length, [b"never"])
    keep = ["Connection: keep-alive"]
    with live(app) as server, Client(server) as client:
        for _ in range(3):
            answer = client.ask(method, version=version, fields=keep)
            assert answer.status == int(status[:3])
            assert answer.fields.get("content-length") == told
            assert "transfer-encoding" not in answer.fields
            assert answer.fields.get("connection", "keep-alive") == "keep-alive"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_of_unknown_length_is_chunked_or_ends_with_the_connection(loop: str) -> None:
    """P41, H14: whatever the client of HTTP/1.0 asked for."""
    with live(stream, loop=loop) as server:
        with Client(server) as client:
            answer = client.ask()
            assert answer.fields["transfer-encoding"] == "chunked"
            assert (answer.body, answer.complete) == (b"hello", True)
            assert client.ask().body == b"hello"
        with Client(server) as client:
            answer = client.ask(version="1.0", fields=["Connection: keep-alive"])
            assert "transfer-encoding" not in answer.fields
            assert answer.fields["connection"] == "close"
            assert (answer.body, answer.complete) == (b"hello", True)


def test_head_says_what_get_says() -> None:
    """P41, P6: with a list, also the length; nothing is invented for a body that was not made."""
    with live(hello) as server, Client(server) as client:
        get, head = client.ask("GET"), client.ask("HEAD")
        assert head.fields["content-length"] == get.fields["content-length"] == "5"
        assert set(head.fields) == set(get.fields)
    with live(stream) as server, Client(server) as client:
        assert "content-length" not in client.ask("HEAD").fields
        assert client.ask("GET").body == b"hello"


def answering(fields: Fields) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", fields)
        return [b"body"]

    return app


def test_date_and_server_are_added_and_the_applications_own_win() -> None:
    """P34: each is there once."""
    answer = ask(answering([]))
    assert answer.fields["server"] == "aiowsgi"
    assert parsedate_to_datetime(answer.fields["date"]).tzinfo is not None
    own = [("dAte", "Sun, 06 Nov 1994 08:49:37 GMT"), ("SERVER", "mine")]
    answer = ask(answering(own))
    assert answer.fields["date"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert answer.fields["server"] == "mine"


def test_connection_close_is_honoured() -> None:
    """P32: it is told once, and the connection closes after the body."""
    with live(answering([("Connection", "close")])) as server, Client(server) as client:
        answer = client.ask()
        assert (answer.fields["connection"], answer.body) == ("close", b"body")
        assert client.ended()


@pytest.mark.parametrize(
    "field",
    [
        ("Transfer-Encoding", "chunked"),
        ("Connection", "X-Mine"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "h2c"),
        ("Content-Length", "+4"),
        ("Content-Length", "4, 4"),
        ("X-Split", "a\r\nX-Forged: b"),
        ("X-Bare", "a\nb"),
        ("X Name", "a"),
        ("X-Euro", "€"),
    ],
)
def test_what_may_not_reach_the_wire_is_a_500_and_never_sent(field: tuple[str, str]) -> None:
    """P31, P32."""
    answer = ask(answering([("X-Good", "a"), field]))
    assert (answer.status, answer.complete) == (500, True)
    ours = {"content-type", "content-length", "server", "date", "x-request-id"}
    assert set(answer.fields) == ours
    assert answer.fields["content-length"] == str(len(b"Internal Server Error\n"))


def test_a_field_value_of_latin_1_arrives_byte_for_byte() -> None:
    """P31."""
    assert ask(answering([("X-Name", "\xe9\xff\x80")])).fields["x-name"] == "\xe9\xff\x80"


def test_repeated_fields_stay_apart() -> None:
    """P34: two cookies are two fields."""
    answer = ask(answering([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    assert answer.fields["set-cookie"] == "a=1\nb=2"

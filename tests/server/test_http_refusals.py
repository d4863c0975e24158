"""Requests that are refused: the answer, the end after it, and what is not said (H3 to H8, H11,
H15 to H17, H21, H22, S1, S13). The corpus has the many forms; here is what happens around them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, echo, get, post

STARTED: list[str] = []
BODY = b"Transfer-Encoding: chunked"


def noting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    STARTED.append(environ["PATH_INFO"])
    return echo(environ, start_response)


LIMITS = {
    "limit_request_line": 200,
    "limit_request_fields": 5,
    "limit_request_field_size": 300,
    "limit_request_head": 600,
    "limit_request_body": 1000,
}


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(noting, loop=request.param, **LIMITS) as running:
        yield running


BAD = {
    "H3 no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "H3 two Hosts": (get(b"Host: b"), 400),
    "H3 asterisk-form": (get(target=b"*"), 400),
    "H3 authority-form": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "H4 bad length": (get(b"Content-Length: +1"), 400),
    "H4 both framings": (get(b"Content-Length: 1", BODY), 400),
    "H5 gzip": (get(b"Transfer-Encoding: gzip"), 501),
    "H5 chunked in 1.0": (get(BODY).replace(b"1.1", b"1.0"), 400),
    "H6 bad chunk": (get(BODY) + b"z\r\n", 400),
    "H7 bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "H7 NUL": (get(b"X: \x00"), 400),
    "H7 obs-fold": (get(b"X: a", b" b"), 400),
    "H10 Expect": (get(b"Expect: x"), 417),
    "H11 version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "H11 HTTP/0.9": (b"GET /\r\n", 400),
    "H15 TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "H17 empty lines": (b"\r\n" * 9, 400),
    "H22 two types": (get(b"Content-Type: a/b", b"Content-Type: a/b"), 400),
    "S1 line": (get(target=b"/" + b"a" * 200), 414),
    "S1 line without an end": (b"GET /" + b"a" * 200, 414),
    "S1 fields": (get(*[b"a: b"] * 5), 431),
    "S1 field size": (get(b"X: " + b"y" * 300), 431),
    "S1 field without an end": (b"GET / HTTP/1.1\r\nX: " + b"y" * 300, 431),
    "S1 head": (get(*[b"X: " + b"y" * 250] * 3), 431),
    "S1 body announced": (post(1001), 413),
    "S1 body in chunks": (get(BODY) + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\n", 413),
    "S1 trailers": (get(BODY) + b"0\r\n" + b"a: b\r\n" * 6, 431),
}


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_is_the_last_word_and_the_application_is_not_started(
    server: Live, name: str
) -> None:
    """H8: one answer that says close, then the end, even where good requests follow."""
    raw, status = BAD[name]
    STARTED.clear()
    with Peer(server) as peer:
        answer = peer.ask(raw)
        assert (answer.status, answer.whole) == (status, True)
        assert answer.fields["connection"] == "close"
        peer.send(GET)
        assert peer.rest() == b""
    assert STARTED == []


@pytest.mark.parametrize("name", BAD)
def test_nothing_of_the_request_is_echoed(server: Live, name: str) -> None:
    """S13: nor a traceback, a path or a version of Python."""
    raw, _ = BAD[name]
    with Peer(server) as peer:
        answer = peer.ask(raw.replace(b"GET /", b"GET /<script>"))
        assert b"script" not in answer.body
        assert len(answer.body) < 60
        assert set(answer.fields) == {
            "content-type",
            "content-length",
            "connection",
            "server",
            "date",
        }
        assert answer.fields["server"] == "aiowsgi"


@pytest.mark.parametrize("name", ["line", "fields", "field_size", "head", "body"])
def test_what_is_just_within_a_limit_is_taken(server: Live, name: str) -> None:
    """S1: the limits themselves are allowed."""
    within = {
        "line": get(target=b"/" + b"a" * (200 - len("GET / HTTP/1.1"))),
        "fields": get(*[b"a: b"] * 4),
        "field_size": get(b"X:" + b"y" * 298),
        "head": get(b"X:" + b"y" * 270, b"Y:" + b"y" * (600 - len(GET) - 272 - 6)),
        "body": post(1000, body=b"x" * 1000),
    }[name]
    with Peer(server) as peer:
        assert peer.ask(within).status == 200
        assert peer.ask(GET).status == 200


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [100_000, 200_000])
def test_a_refusal_is_not_lost_to_a_reset(loop: str, size: int) -> None:
    """H21: what the client was still sending is read and dropped, up to 256 KiB."""
    for _ in range(20):  # a reset would come by chance
        with live(echo, loop=loop, limit_request_body=10) as server, Peer(server) as peer:
            peer.send(post(size, body=b"x" * size))
            assert peer.answer().status == 413
            assert peer.rest() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_never_stops_sending_is_cut(loop: str) -> None:
    """H21: the patience ends after 256 KiB."""
    with live(echo, loop=loop, limit_request_body=10) as server, Peer(server) as peer:
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever write meets the end
            for _ in range(1000):
                peer.send(post(100_000, body=b"x" * 100_000))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_never_closes_is_cut_after_two_seconds(loop: str) -> None:
    """H21: our side is shut at once, and its side does not keep the connection for ever."""
    with live(echo, loop=loop) as server, Peer(server) as peer:
        assert peer.ask(b"nonsense\r\n\r\n").status == 400
        assert peer.rest() == b""
        with pytest.raises(ConnectionError):  # noqa: PT012 - whichever write meets the end
            while True:  # drips do not extend it
                peer.send(b"x")
                peer.wait_for_the_end(0.1)


def test_https_on_a_plain_port_is_told_in_one_clear_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """H15."""
    with caplog.at_level(logging.INFO, "aiowsgi.error"), live(echo) as server:
        with Peer(server) as peer:
            assert peer.ask(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").status == 400
    lines = [record.getMessage() for record in caplog.records]
    refusals = [line for line in lines if line.startswith("400 ")]  # a port may have 400 in it
    assert refusals == ["400 to 127.0.0.1: a client speaks HTTPS to an HTTP port"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("buffering", [True, False])
def test_trailers_never_reach_environ(loop: str, buffering: bool) -> None:
    """H16, P25."""
    seen: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        seen.append(dict(environ))
        start_response("200 OK", [])
        return []

    trailers = b"0\r\nX-Trailer: a\r\nHost: evil\r\nContent-Length: 7\r\n\r\n"
    with live(app, loop=loop, request_buffering=buffering) as server, Peer(server) as peer:
        assert peer.ask(get(BODY) + b"2\r\nhi\r\n" + trailers).status == 200
        assert peer.ask(GET).status == 200
    for environ in seen:
        assert "HTTP_X_TRAILER" not in environ
        assert environ["HTTP_HOST"] == "a"
        assert environ.get("CONTENT_LENGTH") != "7"


@pytest.mark.parametrize("value", [b"\xff\xe9", b"\xa0a\xa0", b"\x85"])
def test_values_are_latin_1_without_surrounding_space_and_tab(server: Live, value: bytes) -> None:
    """H18: and without nothing else, such as the no-break space."""
    seen: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["HTTP_X"])
        start_response("200 OK", [])
        return []

    with live(app) as own, Peer(own) as peer:
        assert peer.ask(get(b"X: \t " + value + b" \t ")).status == 200
    assert seen == [value.decode("latin-1")]


def test_the_authority_of_the_target_wins_over_host() -> None:
    """H3."""
    seen: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    with live(app) as server, Peer(server) as peer:
        assert peer.ask(get(target=b"http://b:81/c?d")).status == 200
    (environ,) = seen
    assert environ["HTTP_HOST"] == "b:81"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/c", "d")

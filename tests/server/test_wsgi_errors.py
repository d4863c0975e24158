"""What an application does wrong, as its client sees it (P27-P29, P31, P43, P44, P47, S13)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Answer, Client, ask, hello

ERRORS: list[type[BaseException]] = [
    ValueError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    StopIteration,
    BrokenPipeError,
    MemoryError,
]


def broken(answer: Answer) -> bool:
    """Whether it is the server's own 500, which tells nothing of the application (S13)."""
    return (answer.status, answer.body) == (500, b"Internal Server Error\n") and answer.complete


def alive(client: Client) -> bool:
    """Whether the connection takes another request; the path asks for an application that works."""
    return client.ask("GET", "/fine").body == b"hello"


def beside_hello(app: WSGIApplication) -> WSGIApplication:
    def either(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return (hello if environ["PATH_INFO"] == "/fine" else app)(environ, start_response)

    return either


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("where", "error"),
    [
        (where, error)
        for where in ("call", "started", "iter", "next")
        for error in ERRORS
        if (where, error) != ("next", StopIteration)  # the ordinary end
    ],
)
def test_an_exception_before_the_head_is_a_500(
    where: str, error: type[BaseException], loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P43, P44: whatever it is; the thread and the connection go on."""

    class Failing:
        def __iter__(self) -> Failing:
            if where == "iter":
                raise error("secret")
            return self

        def __next__(self) -> bytes:
            raise error("secret")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if where == "call":
            raise error("secret")
        start_response("200 OK", [*TEXT, ("X-Old", "head")])
        if where == "started":
            raise error("secret")
        return Failing()

    with live(beside_hello(app), loop=loop, threads=1) as server, Client(server) as client:
        answer = client.ask()
        assert broken(answer)
        assert "x-old" not in answer.fields
        assert alive(client)
    logged = [record.exc_info for record in caplog.records if record.levelname == "ERROR"]
    assert [info[0] for info in logged if info] == [error]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("error", [error for error in ERRORS if error is not StopIteration])
def test_an_exception_after_the_head_cuts_the_connection(
    error: type[BaseException], version: str, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P43, P44: no last chunk, and in HTTP/1.0 no end that looks like one."""
    told = threading.Event()

    class Failing:
        def __init__(self) -> None:
            self.blocks = iter([b"first", b"second"])

        def __iter__(self) -> Failing:
            return self

        def __next__(self) -> bytes:
            for block in self.blocks:
                return block
            assert told.wait(10)
            raise error("secret")

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return Failing()

    with live(app, loop=loop, threads=1) as server, Client(server) as client:
        client.send(version=version)
        assert client.head()[0] == 200
        if version == "1.1":
            assert (client.chunk(), client.chunk()) == (b"first", b"second")
        else:
            assert client.exactly(11) == b"firstsecond"
        told.set()
        assert client.rest() in [(b"", False)] + [(b"", True)] * (version == "1.1")
    assert "secret" in caplog.text


def replacing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("X-Old", "1"), ("Content-Length", "2")])
    try:
        raise ValueError("found in time")
    except ValueError:
        start_response("503 Sorry", [*TEXT, ("X-New", "2")], sys.exc_info())
    return [b"replaced"]


def test_exc_info_before_the_head_replaces_it() -> None:
    """P27: status, fields and length."""
    answer = ask(replacing)
    assert (answer.status, answer.body, answer.complete) == (503, b"replaced", True)
    assert answer.fields["x-new"] == "2"
    assert "x-old" not in answer.fields
    assert answer.fields["content-length"] == "8"


@pytest.mark.parametrize("loop", LOOPS)
def test_exc_info_after_the_head_is_raised_again_and_cuts(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P28: the application's own handler cannot answer any more."""
    raised: list[BaseException] = []
    original = ValueError("too late")

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"begun"
        try:
            raise original
        except ValueError:
            try:
                start_response("500 Oops", TEXT, sys.exc_info())
            except ValueError as error:
                raised.append(error)
                raise
        yield b"never"

    with live(app, loop=loop) as server, Client(server) as client:
        answer = client.ask()
    assert (answer.status, answer.body, answer.complete) == (200, b"begun", False)
    assert raised == [original]
    assert "too late" in caplog.text


def twice(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"never"]


def informational(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("101 Switching Protocols", TEXT)
    return []


def returning(result: Any, *, started: bool = True) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Any:
        if started:
            start_response("200 OK", TEXT)
        return result

    return app


def writing(block: Any) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)(block)
        return []

    return app


def starting(*arguments: Any) -> WSGIApplication:
    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(*arguments)
        return []

    return app


WRONG: dict[str, WSGIApplication] = {
    "a second start_response (P29)": twice,
    "a status below 200 (P31)": informational,
    "a status without digits (P31)": starting("OK", []),
    "a status as a number (P31)": starting(200, []),
    "a status with a line feed (P31)": starting("200 OK\r\nX-Forged: 1", []),
    "headers as a dict (P31)": starting("200 OK", {}),
    "headers of bytes (P31)": starting("200 OK", [(b"a", b"b")]),
    "too few arguments": starting("200 OK"),
    "no start_response, a list (P47)": returning([b"body"], started=False),
    "no start_response, an empty list (P47)": returning([], started=False),
    "no start_response, an iterator (P47)": returning(iter([b"body"]), started=False),
    "no start_response, None (P47)": returning(None, started=False),
    "None (P47)": returning(None),
    "a number (P47)": returning(5),
    "a str (P47)": returning("body"),
    "bytes (P47)": returning(b"body"),
    "empty bytes (P47)": returning(b""),
    "an empty str (P47)": returning(""),
    "a list of str (P47)": returning(["body"]),
    "a list with one str (P47)": returning([b"body", "str"]),
    "an iterator of str (P47)": returning(iter(["body"])),
    "an iterator of numbers (P47)": returning(iter([65])),
    "a str to write() (P47)": writing("body"),
    "a bytearray to write() (P47)": writing(bytearray(b"body")),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_breaks_the_rules_is_a_500_and_logged(
    kind: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P29, P31, P47; for HEAD, where the head is right, no body is looked at."""
    with live(beside_hello(WRONG[kind])) as server, Client(server) as client:
        answer = client.ask(method)
        if method == "GET":
            assert broken(answer)
            assert caplog.records[-1].levelname == "ERROR"
        else:
            assert answer.status in (200, 500)
        assert alive(client)


def test_an_application_that_catches_the_error_of_a_bad_head_may_send_a_good_one() -> None:
    """P31: the check is made when the head is given."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            start_response("200 OK", [("Bad Name", "x")])
        except Exception:
            start_response("418 Better", TEXT)
        return [b"caught"]

    answer = ask(app)
    assert (answer.status, answer.body) == (418, b"caught")


def test_an_error_in_an_upload_that_nobody_read_is_answered() -> None:
    """P43: the client can read the 500 although it has not sent its whole body."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise ValueError("before any read")

    with live(app, request_buffering=False) as server, Client(server) as client:
        client.send("POST", fields=["Content-Length: 10000000"], body=b"x" * 1000)
        answer = client.read()
        assert broken(answer)
        assert answer.fields["connection"] == "close"

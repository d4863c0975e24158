"""wsgi/call.py: HEAD, 204 and 304 end with their head (P7, P41)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

from .apps import TEXT, Closed, returning
from .recording import Recording, call

CASES = [("200 OK", True), ("204 No Content", False), ("304 Not Modified", False)]
every_case = pytest.mark.parametrize(("status", "head_only"), CASES)


@every_case
def test_an_iterable_is_closed_without_being_asked(status: str, head_only: bool) -> None:
    """P7: what it would yield is of no use, and may be large."""

    class Body(Closed):
        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("nobody wants these blocks")

    body = Body()
    output = call(returning(body, status=status), bodiless=head_only)
    assert (output.log, output.ended, body.closed) == ([("whole", b"")], True, 1)


@every_case
def test_a_list_reaches_the_encoder_which_counts_it(status: str, head_only: bool) -> None:
    """P41: HEAD keeps what GET would say."""
    assert call(returning([b"abc"], status=status), bodiless=head_only).log == [("whole", b"abc")]


@every_case
@pytest.mark.parametrize("length", [0, 2, 5])
def test_no_length_is_held_against_it(status: str, head_only: bool, length: int) -> None:
    """P39, P40: they are about bodies."""
    for body in ([b"abc"], iter([b"abc"]), iter([])):
        assert call(returning(body, length, status), bodiless=head_only).ended


@every_case
def test_a_late_head_is_waited_for(status: str, head_only: bool) -> None:
    """P4: and nothing after it."""
    asked: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        try:
            asked.append("empty")
            yield b""
            start_response(status, TEXT)
            asked.append("first")
            yield b"first"
            asked.append("second")
            yield b"second"
        finally:
            asked.append("closed")

    output = call(app, bodiless=head_only)
    assert (output.log, asked) == ([("whole", b"")], ["empty", "first", "closed"])


def writing(status: str, seen: Callable[[], None]) -> WSGIApplication:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response(status, TEXT)
        write(b"one")
        seen()
        write(b"two")
        return [b"three"]

    return app


@every_case
def test_the_first_write_sends_the_whole_answer(status: str, head_only: bool) -> None:
    """P26, P35: without the length of the list that follows, which is not that of the body."""
    output = Recording()

    def seen() -> None:
        assert (output.log, output.ended) == ([("whole", b"")], True)

    call(writing(status, seen), output, bodiless=head_only)
    assert output.log == [("whole", b"")]


@every_case
def test_a_write_in_a_generator_ends_it(status: str, head_only: bool) -> None:
    """P26, P35."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(status, TEXT)(b"one")
        yield b""
        raise AssertionError("nobody wants the rest")

    made = Call(app, {}, output := Recording(), bodiless=head_only)
    made.run()
    assert (output.log, made.started, made.complete) == ([("whole", b"")], True, True)


def test_a_replaced_head_decides_anew() -> None:
    """P27: the error page of what would have been a 304 has its body and its length."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        try:
            start_response("304 Not Modified", TEXT)
            raise ValueError("broken")
        except ValueError as error:
            info = (type(error), error, error.__traceback__)
            start_response("500 Oops", [("Content-Length", "5")], info)  # type: ignore[arg-type]
        yield b"sorry"

    output = call(app)
    assert (output.status, output.body, output.ended) == (500, b"sorry", True)

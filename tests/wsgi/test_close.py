"""wsgi/call.py: close() and its errors, what ends a program, after the end (P7, P8, P44)."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.types import Environ, StartResponse, Write

from .apps import ERRORS, OK, TEXT, Closed, returning
from .recording import Recording, call


def test_an_error_of_close_after_the_end_goes_on() -> None:
    """P43: the answer is complete, it is only for the log."""
    body, output = Closed(b"a", error=OSError("disk")), Recording()
    made = Call(returning(body), {}, output, bodiless=False)
    with pytest.raises(OSError, match="disk"):
        made.run()
    assert (made.complete, output.ended, body.closed) == (True, True, 1)


def test_an_error_under_way_wins_over_that_of_close_which_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """P7, P43."""
    body = Closed(b"a", error=OSError("disk"))
    with pytest.raises(ApplicationError, match="short"), caplog.at_level(logging.ERROR, ERRORS):
        call(returning(body, length=9))
    assert body.closed == 1
    assert "OSError: disk" in caplog.text


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
@pytest.mark.parametrize("where", ["call", "close"])
def test_what_ends_a_program_elsewhere_is_only_passed_on(
    error: type[BaseException], where: str
) -> None:
    """P44: the exchange above makes a 500 of it; close() has been called."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error("stop")

    body = Closed(b"a", error=error("stop"))
    with pytest.raises(error):
        call(app if where == "call" else returning(body))
    assert body.closed == (0 if where == "call" else 1)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_ends_a_program_in_a_generator_closes_it_once(error: type[BaseException]) -> None:
    """P44, P7."""
    closed: list[str] = []

    def body() -> Iterator[bytes]:
        try:
            yield b"a"
            raise error
        finally:
            closed.append("closed")

    output = Recording()
    with pytest.raises(error):
        call(returning(body()), output)
    assert (closed, output.body, output.ended) == (["closed"], b"a", False)


def test_when_the_call_is_over_its_start_response_and_write_do_nothing_but_raise() -> None:
    """P8: a thread of the application's that goes on cannot reach the next response."""
    kept: list[tuple[StartResponse, Write]] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.append((start_response, start_response(OK, TEXT)))
        return [b"done"]

    output = call(app)
    start_response, write = kept[0]
    with pytest.raises(ApplicationError, match="had been sent"):
        write(b"more")
    with pytest.raises(ApplicationError, match="had been sent"):
        start_response(OK, TEXT)
    assert output.log == [("whole", b"done")]


def test_close_cannot_write_any_more() -> None:
    """P7: the end has been sent when close() is called."""

    class Body:
        def __init__(self, write: Write) -> None:
            self.write = write

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a"])

        def close(self) -> None:
            self.write(b"after the end")

    output = Recording()
    with pytest.raises(ApplicationError, match="had been sent"):
        call(lambda environ, start_response: Body(start_response(OK, TEXT)), output)
    assert (output.body, output.ended) == (b"a", True)


def test_a_call_that_failed_before_its_head_takes_no_other_one() -> None:
    """P8: the exchange above has answered 500 by then."""
    kept: list[StartResponse] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        kept.append(start_response)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        call(app)
    with pytest.raises(ApplicationError, match="had been sent"):
        kept[0](OK, TEXT)


def test_a_call_that_is_over_keeps_nothing_of_its_request() -> None:
    """P30: whoever keeps start_response keeps neither the environ nor the application."""
    environ = {"kept": Closed()}
    watch = weakref.ref(environ["kept"])
    made = Call(returning([b"x"]), environ, Recording(), bodiless=False)
    made.run()
    del environ
    assert watch() is None

"""wsgi/call.py: start_response, its exc_info, and when the head leaves (P3, P4, P26-P30)."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable, Iterator

import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.types import Environ, ExcInfo, StartResponse

from .apps import OK, TEXT
from .recording import Recording, call


def failure() -> ExcInfo:
    try:
        raise ValueError("the view failed")
    except ValueError:
        return sys.exc_info()


def test_start_response_returns_a_write_that_sends_at_once() -> None:
    """P3, P35, P36: in the order written, before the iterable."""
    output = Recording()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response(OK, TEXT)
        write(b"one ")
        assert output.body == b"one "
        write(b"")
        write(b"two ")
        assert output.body == b"one two "
        return [b"three", b"", b" four"]

    call(app, output)
    assert output.calls == ["start", "data", "data", "data", "end"]
    assert output.body == b"one two three four"


def test_an_empty_write_sends_the_head() -> None:
    """P26: the first write() does, and a second empty one sends nothing."""
    output = Recording()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response(OK, TEXT)
        write(b"")
        write(b"")
        assert output.log == [("start", b"")]
        return []

    assert call(app, output).calls == ["start", "end"]


def test_start_response_may_be_called_in_the_first_next() -> None:
    """P4."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("201 Created", TEXT)
        yield b"late"

    output = call(app)
    assert (output.status, output.body) == (201, b"late")


def test_start_response_may_be_called_after_empty_blocks() -> None:
    """P4, P38: middleware that still waits for data yields empty blocks."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        yield b""
        start_response("201 Created", TEXT)
        yield b""
        yield b"late"

    output = call(app)
    assert (output.status, output.log) == (201, [("start", b"late"), ("end", b"")])


def test_nothing_is_sent_before_the_first_block_that_is_not_empty() -> None:
    """P26: head and first block leave together, each later block before the next is asked for."""
    output = Recording()
    seen: list[list[str]] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, TEXT)
        for block in (b"", b"", b"a", b"", b"b"):
            seen.append(output.calls)
            yield block
        seen.append(output.calls)

    call(app, output)
    assert seen == [[], [], [], ["start"], ["start"], ["start", "data"]]
    assert output.calls == ["start", "data", "end"]


def test_without_any_block_the_head_leaves_at_the_end_as_a_whole() -> None:
    """P26, P6: an empty body is known to be empty."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, TEXT)
        yield b""

    assert call(app).log == [("whole", b"")]


def test_exc_info_before_the_head_replaces_status_and_headers() -> None:
    """P27: the Content-Length of the page that failed is gone too."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, [("X-Old", "1"), ("Content-Length", "1000")])
        yield b""
        start_response("500 Oops", [("X-New", "1")], failure())
        yield b"sorry"

    output = call(app)
    assert output.head is not None
    assert (output.status, output.head.fields) == (500, [("X-New", "1")])
    assert (output.body, output.ended) == (b"sorry", True)


def test_exc_info_by_name_and_without_an_earlier_head_is_fine() -> None:
    """P27: middleware passes it on by its name, and for a head that is the first one."""

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("500 Oops", TEXT, exc_info=failure())  # type: ignore[call-arg]
        return [b"sorry"]

    assert call(app).status == 500


def test_a_refused_replacement_does_not_bring_the_old_head_back() -> None:
    """P27: an application that swallows our error has no head, rather than the wrong one."""

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(OK, TEXT)
        with pytest.raises(ApplicationError):
            start_response("500 Bad\r\n", TEXT, failure())
        return [b"x"]

    with pytest.raises(ApplicationError, match="not called"):
        call(app)


def test_exc_info_after_the_head_raises_that_very_exception() -> None:
    """P28."""
    output = Recording()
    info = failure()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, TEXT)
        yield b"half"
        start_response("500 Oops", TEXT, info)
        yield b"never"

    made = Call(app, {}, output, bodiless=False)
    with pytest.raises(ValueError, match="the view failed") as caught:
        made.run()
    assert caught.value is info[1]
    assert (made.started, made.complete, output.body, output.ended) == (True, False, b"half", False)


def test_a_second_start_response_without_exc_info_is_an_error() -> None:
    """P29, before the head left and after."""

    def twice(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(OK, TEXT)
        start_response(OK, TEXT, None)
        return []

    def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, TEXT)
        yield b"a"
        start_response(OK, TEXT)
        yield b"b"

    output = Recording()
    with pytest.raises(ApplicationError, match="twice"):
        call(twice, output)
    assert output.calls == []
    with pytest.raises(ApplicationError, match="twice"):
        call(late, output)
    assert not output.ended


def test_an_exc_info_without_an_exception_cannot_replace_a_head_that_was_sent() -> None:
    """P28: `sys.exc_info()` outside of an except block gives three Nones."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, TEXT)
        yield b"a"
        start_response(OK, TEXT, (None, None, None))
        yield b"b"

    with pytest.raises(ApplicationError, match="had been sent"):
        call(app)


def test_a_bad_head_raises_at_start_response() -> None:
    """P31: at the line that is wrong, not later."""
    passed: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(OK, [("X", "a\nb")])
        passed.append("too far")
        return [b""]

    with pytest.raises(ApplicationError, match="the value of 'X'"):
        call(app)
    assert passed == []


@pytest.mark.parametrize("block", ["text", bytearray(b"x"), memoryview(b"x"), None, 1])
def test_write_takes_bytes_only(block: bytes) -> None:
    """P31, P47."""

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(OK, TEXT)(block)
        return []

    output = Recording()
    with pytest.raises(ApplicationError, match=r"write\(\) was given"):
        call(app, output)
    assert output.calls == []


class Kept:
    """Something that can be watched for being freed."""


@pytest.mark.parametrize("how", ["replaced", "raised", "plain"])
def test_no_reference_cycle_keeps_what_a_request_held(how: str) -> None:
    """P30: all of it is freed at once, without the garbage collector."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["start_response"] = start_response  # as debuggers and frameworks do
        environ["write"] = start_response(OK, TEXT)
        if how == "plain":
            return [b"x"]
        if how == "raised":
            environ["write"](b"half")
        try:
            raise ValueError("broken")
        except ValueError:
            start_response("500 Oops", TEXT, sys.exc_info())
        return [b"sorry"]

    kept = Kept()
    watch = weakref.ref(kept)
    gc.collect()
    gc.disable()
    try:
        environ: Environ = {"kept": kept}
        del kept
        made = Call(app, environ, Recording(), bodiless=False)
        del environ
        try:
            made.run()
        except ValueError:
            assert how == "raised"
        assert watch() is None
    finally:
        gc.enable()

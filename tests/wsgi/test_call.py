"""wsgi/call.py: calling, iterating and closing (P1-P8, P26, P35-P38, P44, P47)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.filewrapper import FileRegion, FileWrapper
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

from .apps import OK, TEXT, returning
from .recording import Recording, call


def hello(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response(OK, TEXT)
    return [b"Hello"]


class AsClass:
    """The class itself is the application: its instance is the iterable (PEP 3333's example)."""

    def __init__(self, environ: Environ, start_response: StartResponse) -> None:
        self.start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        self.start_response(OK, TEXT)
        yield b"Hello"


class AsInstance:
    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return hello(environ, start_response)

    def method(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return hello(environ, start_response)

    @staticmethod
    def static(environ: Environ, start_response: StartResponse) -> list[bytes]:
        return hello(environ, start_response)


def with_argument(word: bytes, environ: Environ, start: StartResponse) -> Iterator[bytes]:
    start(OK, TEXT)
    yield word


KINDS: dict[str, WSGIApplication] = {
    "function": hello,
    "lambda": lambda e, s: hello(e, s),
    "other names": lambda a, b: hello(a, b),
    "class": AsClass,
    "instance": AsInstance(),
    "bound method": AsInstance().method,
    "static method": AsInstance.static,
    "partial": functools.partial(with_argument, b"Hello"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_callable_is_called_once_with_two_positional_arguments(kind: str) -> None:
    """P1."""
    counted: list[tuple[Any, ...]] = []

    def counting(*args: Any, **named: Any) -> Iterable[bytes]:
        counted.append(args)
        assert not named
        return KINDS[kind](*args)

    output = call(counting)
    assert (output.status, output.body, output.ended) == (200, b"Hello", True)
    assert len(counted) == 1
    assert len(counted[0]) == 2


def test_the_application_gets_the_very_environ_and_may_change_it() -> None:
    """P2."""
    environ: Environ = {"PATH_INFO": "/"}

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ["mine"] = 1
        del environ["PATH_INFO"]
        return hello(environ, start_response)

    call(app, environ=environ)
    assert environ == {"mine": 1}


class Closing:
    """An iterable with only `__iter__` and `close`; its iterator has a `close` of its own."""

    def __init__(self, *blocks: bytes | Exception) -> None:
        self.blocks = blocks
        self.closed = 0
        self.iterator_closed = 0
        self.given = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Closing:
        start_response(OK, TEXT)
        return self

    def __iter__(self) -> Iterator[bytes]:
        return _ClosingIterator(self)

    def close(self) -> None:
        self.closed += 1


class _ClosingIterator:
    def __init__(self, parent: Closing) -> None:
        self.parent = parent
        self.left = iter(parent.blocks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = next(self.left)
        if isinstance(block, Exception):
            raise block
        self.parent.given += 1
        return block

    def close(self) -> None:
        self.parent.iterator_closed += 1


def test_the_iterable_is_closed_once_at_the_normal_end_and_its_iterator_is_not() -> None:
    """P5, P7."""
    app = Closing(b"a", b"b")
    assert call(app).body == b"ab"
    assert (app.closed, app.iterator_closed) == (1, 0)


def test_the_iterable_is_closed_once_after_an_error_in_it() -> None:
    """P7."""
    app = Closing(b"a", ValueError("broken"))
    output = Recording()
    with pytest.raises(ValueError, match="broken"):
        call(app, output)
    assert (app.closed, output.body, output.ended) == (1, b"a", False)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_client_that_left_ends_the_iteration_and_closes_the_iterable(after: int) -> None:
    """P7, P8, S7."""
    app = Closing(b"a", b"b", b"c", b"d")
    with pytest.raises(ClientDisconnected):
        call(app, Recording(leave_after=after))
    assert (app.closed, app.given) == (1, after + 1)


class Failing(Recording):
    """An output that breaks after it may have sent something."""

    def start(self, head: ResponseHead, block: bytes) -> None:
        raise OSError("no space left")

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        raise OSError("no space left")

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        raise OSError("no space left")


@pytest.mark.parametrize("kind", ["list", "generator", "file"])
def test_an_output_that_breaks_has_started_and_is_not_complete(kind: str, tmp_path: Path) -> None:
    """P43: nobody knows what has left, so no second head may follow it."""
    (tmp_path / "file").write_bytes(b"x")
    file = (tmp_path / "file").open("rb")
    bodies: dict[str, Iterable[bytes]] = {
        "list": [b"x"],
        "generator": iter([b"x"]),
        "file": FileWrapper(file),
    }
    made = Call(returning(bodies[kind]), {}, Failing(), bodiless=False)
    with pytest.raises(OSError, match="no space left"):
        made.run()
    file.close()
    assert (made.started, made.complete) == (True, False)


def test_a_call_runs_once() -> None:
    """P1."""
    made = Call(hello, {}, Recording(), bodiless=False)
    made.run()
    with pytest.raises(RuntimeError, match="once"):
        made.run()

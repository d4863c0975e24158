"""wsgi/call.py: lists, iterables, and what is neither (P5, P6, P35, P36, P47)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.types import Environ, StartResponse

from .apps import OK, returning
from .recording import Recording, call


class Listed(list[bytes]):
    """A list that iterates in its own way, counts it, and has to be closed."""

    asked = 0
    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        self.asked += 1
        yield from (b"own ", b"way")

    def close(self) -> None:
        self.closed += 1


class Bytes(bytes):
    """Bytes still."""


@pytest.mark.parametrize("body", [[b"a", b"", b"b"], (b"a", b"b"), [Bytes(b"ab")]])
def test_a_list_or_tuple_is_sent_whole(body: Iterable[bytes]) -> None:
    """P6: so that its length is known."""
    assert call(returning(body)).log == [("whole", b"ab")]


@pytest.mark.parametrize("body", [[], (), [b""]])
def test_an_empty_list_is_a_whole_answer(body: Iterable[bytes]) -> None:
    """P6, P38."""
    assert call(returning(body)).log == [("whole", b"")]


def test_a_subclass_of_list_is_iterated_once_in_its_own_way_and_closed() -> None:
    """P5, P7."""
    body = Listed([b"not this"])
    assert call(returning(body)).log == [("whole", b"own way")]
    assert (body.asked, body.closed) == (1, 1)


def test_a_list_after_write_follows_it() -> None:
    """P6, P35: its length is not that of the body any more."""

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(OK, [])(b"one ")
        return [b"two"]

    assert call(app).log == [("start", b"one "), ("data", b"two"), ("end", b"")]


class Sized:
    """An iterable whose `__len__` says nothing about its bytes."""

    def __init__(self, blocks: list[bytes], length: int) -> None:
        self.blocks = blocks
        self.length = length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return self.length


@pytest.mark.parametrize("length", [0, 1, 2, 9])
def test_an_iterable_with_a_length_is_sent_block_by_block_to_its_end(length: int) -> None:
    """P5, P36: one that says 0 or 1 and means something else loses nothing."""
    output = call(returning(Sized([b"a", b"b"], length)))
    assert output.log == [("start", b"a"), ("data", b"b"), ("end", b"")]


class Indexed:
    """The old protocol of iteration, which `iter()` knows too."""

    def __getitem__(self, index: int) -> bytes:
        return (b"a", b"b")[index]


@pytest.mark.parametrize(
    "body", [Indexed(), iter([b"a", b"b"]), {b"a": 1, b"b": 2}, map(bytes, [b"a", b"b"])]
)
def test_whatever_iter_takes_is_an_iterable(body: Iterable[bytes]) -> None:
    """P5."""
    assert call(returning(body)).body == b"ab"


@pytest.mark.parametrize("body", [None, 1, "Hello", b"Hello", object()])
def test_what_is_no_iterable_of_blocks_is_an_error_that_says_so(body: Any) -> None:
    """P47: bytes and str can be iterated, and are the slip that people make."""
    output = Recording()
    with pytest.raises(ApplicationError, match=rf"returned {type(body).__name__}; .*\[b'Hello'\]"):
        call(returning(body), output)
    assert output.calls == []


@pytest.mark.parametrize("block", ["text", bytearray(b"x"), memoryview(b"x"), None, 1])
@pytest.mark.parametrize("lazy", [False, True])
def test_a_block_that_is_not_bytes_is_an_error(block: Any, lazy: bool) -> None:
    """P47: before anything was sent, so that the client gets a 500."""
    output = Recording()
    with pytest.raises(ApplicationError, match=type(block).__name__):
        call(returning(iter([block]) if lazy else [block]), output)
    assert output.calls == []


@pytest.mark.parametrize("body", [[], [b"x"], iter([b"x"]), iter([])])
def test_a_body_without_start_response_is_an_error(body: Iterable[bytes]) -> None:
    """P47."""
    output = Recording()
    with pytest.raises(ApplicationError, match="start_response was not called"):
        call(lambda environ, start_response: body, output)
    assert output.calls == []

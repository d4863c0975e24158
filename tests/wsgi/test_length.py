"""wsgi/call.py: the body is as long as its head says, or no complete answer (P39, P40)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.types import Environ, StartResponse

from .apps import ERRORS, OK, Closed, returning
from .recording import Recording, call

blocks_of = st.lists(st.binary(max_size=5), max_size=6)


@given(blocks=blocks_of, length=st.integers(0, 20), written=blocks_of, lazy=st.booleans())
def test_what_is_sent_is_content_length_bytes_or_no_complete_answer(
    blocks: list[bytes], length: int, written: list[bytes], lazy: bool
) -> None:
    """P39, P40: whatever is written, yielded or returned."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response(OK, [("Content-Length", str(length))])
        for block in written:
            write(block)
        return iter(blocks) if lazy else blocks

    output = Recording()
    made = Call(app, {}, output, bodiless=False)
    given_by_write, everything = b"".join(written), b"".join(written + blocks)
    if len(given_by_write) <= length <= len(everything):
        made.run()
        assert (output.body, output.ended, made.complete) == (everything[:length], True, True)
    else:
        with pytest.raises(ApplicationError):
            made.run()
        assert everything[:length].startswith(output.body)
        assert (output.ended, made.complete) == (False, False)


@pytest.mark.parametrize("lazy", [False, True])
def test_more_than_content_length_is_cut_and_logged_once(
    lazy: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """P39: and the iteration stops there."""
    blocks = [b"abc", b"defg", b"hi", b"jk"]
    rest = iter(blocks)
    with caplog.at_level(logging.WARNING, ERRORS):
        output = call(returning(rest if lazy else blocks, length=5))
    assert (output.body, output.ended) == (b"abcde", True)
    assert list(rest) == ([b"hi", b"jk"] if lazy else blocks)
    assert [record.name for record in caplog.records] == [ERRORS]
    assert "Content-Length of 5" in caplog.text


@pytest.mark.parametrize("lazy", [False, True])
def test_exactly_content_length_is_nothing_to_talk_about(
    lazy: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """P39."""
    blocks = [b"abc", b"", b"de"]
    assert call(returning(iter(blocks) if lazy else blocks, length=5)).body == b"abcde"
    assert caplog.records == []


def test_a_block_after_a_full_body_is_not_sent() -> None:
    """P39: an empty remainder is no block."""
    assert call(returning(iter([b"abc", b"d"]), length=3)).log == [("start", b"abc"), ("end", b"")]
    assert call(returning(iter([b"d"]), length=0)).log == [("whole", b"")]


def test_a_generator_whose_length_is_right_is_run_to_its_end() -> None:
    """P8, P39: what it does after its last block is done."""
    done: list[str] = []

    def body() -> Iterator[bytes]:
        yield b"abc"
        done.append("last line")

    assert call(returning(body(), length=3)).ended
    assert done == ["last line"]


def test_write_past_content_length_raises_in_the_application() -> None:
    """P39: nothing of that block is sent, and the rest may still be."""
    output = Recording()

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response(OK, [("Content-Length", "3")])
        write(b"ab")
        with pytest.raises(ApplicationError, match="2 bytes where 1 were left"):
            write(b"cd")
        write(b"c")
        return []

    assert call(app, output).log == [("start", b"ab"), ("data", b"c"), ("end", b"")]


def test_less_than_content_length_is_no_complete_answer_and_is_closed() -> None:
    """P40: the exchange above logs it and cuts the connection."""
    body, output = Closed(b"ab"), Recording()
    made = Call(returning(body, length=5), {}, output, bodiless=False)
    with pytest.raises(ApplicationError, match="3 bytes short of the Content-Length of 5"):
        made.run()
    assert (made.started, made.complete, output.ended, body.closed) == (True, False, False, 1)


@pytest.mark.parametrize("body", [[b"ab", b"cd"], [], iter([]), iter([b""])])
def test_less_than_content_length_is_found_before_anything_is_sent_where_that_can_be(
    body: Iterable[bytes],
) -> None:
    """P40: the client then gets a 500."""
    made = Call(returning(body, length=5), {}, output := Recording(), bodiless=False)
    with pytest.raises(ApplicationError, match="short"):
        made.run()
    assert (made.started, output.calls) == (False, [])

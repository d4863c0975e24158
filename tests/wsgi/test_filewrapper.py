"""wsgi/filewrapper.py, and how a Call sends a file (P45, P39, P40, P41)."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.filewrapper import FileRegion, FileWrapper, region
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

from .apps import OK
from .recording import Recording, call

CONTENT = b"0123456789"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def sending(
    file: Any, length: int | None = None, status: str = OK, block_size: int = 4
) -> WSGIApplication:
    """Make an application that sends `file` through the wrapper."""
    fields = [] if length is None else [("Content-Length", str(length))]

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, fields)
        return FileWrapper(file, block_size)

    return app


class Bare:
    """A file as PEP 3333 has it: `read`, and nothing else."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


def test_a_file_without_fileno_and_close_is_read_in_blocks() -> None:
    """P45: close() is there exactly where the file has one."""
    wrapper = FileWrapper(Bare(CONTENT), 4)
    assert not hasattr(wrapper, "close")
    assert list(wrapper) == [b"0123", b"4567", b"89"]
    assert call(sending(Bare(CONTENT))).calls == ["start", "data", "data", "end"]


def test_the_file_is_closed_with_the_wrapper() -> None:
    """P45, P7."""
    file = io.BytesIO(CONTENT)
    assert call(sending(file)).body == CONTENT
    assert file.closed


def test_blocks_are_of_64_kilobytes_unless_said_otherwise() -> None:
    """P45."""
    assert [len(block) for block in FileWrapper(io.BytesIO(bytes(100_000)))] == [65536, 34464]


OPENERS: dict[str, Callable[[Path], Any]] = {
    "buffered": lambda path: path.open("rb"),
    "raw": lambda path: path.open("rb", buffering=0),
    "random": lambda path: path.open("r+b"),
}


@pytest.mark.parametrize("kind", OPENERS)
def test_a_real_file_is_a_region_from_its_position_to_its_end(kind: str, path: Path) -> None:
    """P45: the position the application sees, not that of the descriptor behind a buffer."""
    with OPENERS[kind](path) as file:
        assert region(file) == FileRegion(file.fileno(), 0, 10)
        assert file.read(3) == b"012"
        assert region(file) == FileRegion(file.fileno(), 3, 7)
        file.seek(10)
        assert region(file) is None
        file.seek(99)
        assert region(file) is None


def test_temporary_files_are_real_files_and_what_was_written_counts() -> None:
    """P45: a buffer that is not in the file yet is flushed."""
    for file in (tempfile.TemporaryFile(), tempfile.NamedTemporaryFile()):
        with file:
            file.write(CONTENT)
            file.seek(4)
            file.write(b"xy")
            assert region(file) == FileRegion(file.fileno(), 6, 4)


def test_what_was_written_is_in_the_file_when_it_is_a_region(path: Path) -> None:
    """P45: a write into what has been read already stays in the buffer, over a seek too."""
    with path.open("r+b") as file:
        file.read(2)
        file.write(b"XY")
        file.seek(0)
        assert region(file) is not None
        assert os.pread(file.fileno(), 10, 0) == b"01XY456789"


class Overriding(io.FileIO):
    """A file that gives other bytes than its descriptor does."""

    def readall(self) -> bytes:
        return b"other"


@pytest.mark.skipif(os.name != "posix", reason="fifos and /proc are posix")
def test_whatever_gives_other_bytes_than_its_descriptor_is_no_region(path: Path) -> None:
    """P45: the descriptor of a decompressor is that of the compressed file."""
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(CONTENT))
    reader, writer = os.pipe()
    os.close(writer)
    closed = path.open("rb")
    closed.close()
    detached = path.open("rb")
    raw = detached.detach()
    appended = path.open("ab", buffering=0)
    appended.seek(0)
    others: list[Any] = [
        gzip.open(packed),
        bz2.open(packed),
        io.BufferedReader(gzip.GzipFile(packed)),
        Overriding(path),
        io.BufferedReader(Overriding(path)),
        path.open("r"),
        appended,
        path.open("ab"),
        os.fdopen(reader, "rb"),
        io.BytesIO(CONTENT),
        Bare(CONTENT),
        tempfile.SpooledTemporaryFile(),
        open("/proc/self/status", "rb"),  # says it is empty, and is not
        raw,
    ]
    raw.close()
    for other in [*others, closed, detached, None]:
        assert region(other) is None
    for other in others:
        if hasattr(other, "close"):
            other.close()


def test_a_real_file_goes_to_the_output_with_its_length(path: Path) -> None:
    """P45, P41: from its position; the file is closed after."""
    file = path.open("rb")
    file.seek(2)
    made = Call(sending(file), {}, output := Recording(), bodiless=False)
    made.run()
    assert (output.calls, output.body) == (["file"], b"23456789")
    assert output.head is not None
    assert (output.head.content_length, output.field("content-length")) == (8, ["8"])
    assert (made.started, made.complete, file.closed) == (True, True, True)


@pytest.mark.parametrize("takes_files", [True, False])
@pytest.mark.parametrize("length", [None, 0, 3, 10])
def test_a_file_stops_at_content_length_or_its_end(
    path: Path, takes_files: bool, length: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """P45: sent by the output or read, the bytes are the same; more of a file is no mistake."""
    output = call(sending(path.open("rb"), length), Recording(takes_files=takes_files))
    expected = CONTENT[:length]
    assert (output.body, output.ended) == (expected, True)
    assert output.field("content-length") == [str(len(expected))]
    assert caplog.records == []


def test_a_file_shorter_than_content_length_is_an_error_before_anything_is_sent(
    path: Path,
) -> None:
    """P40, P45."""
    file, output = path.open("rb"), Recording()
    with pytest.raises(ApplicationError, match="1 bytes short of the Content-Length of 11"):
        call(sending(file, 11), output)
    assert (output.calls, file.closed) == ([], True)


def test_a_file_that_shrinks_while_it_is_read_is_no_complete_answer(path: Path) -> None:
    """P40: its length was announced."""

    class Shrinking(Recording):
        def start(self, head: Any, block: bytes) -> None:
            super().start(head, block)
            os.truncate(path, 0)

    output = Shrinking(takes_files=False)
    with path.open("rb", buffering=0) as file, pytest.raises(ApplicationError, match="short"):
        call(sending(file), output)
    assert not output.ended


def test_head_of_a_file_says_its_length_and_sends_nothing(path: Path) -> None:
    """P41: what GET would say."""
    file = path.open("rb")
    output = call(sending(file), bodiless=True)
    assert (output.log, output.field("content-length")) == ([("whole", b"")], ["10"])
    assert file.closed


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_file_with_a_status_that_has_no_body_is_not_sent(path: Path, status: str) -> None:
    """P41."""
    file = path.open("rb")
    output = call(sending(file, status=status))
    assert (output.log, output.field("content-length")) == ([("whole", b"")], [])
    assert file.closed


def test_a_file_after_write_is_read(path: Path) -> None:
    """P35: the head has left without its length."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(OK, [])(b"first ")
        return FileWrapper(path.open("rb"))

    assert call(app).body == b"first " + CONTENT


def test_a_subclass_of_the_wrapper_is_iterated(path: Path) -> None:
    """P45: it may give other bytes."""

    class Upper(FileWrapper):
        def __iter__(self) -> Any:
            return iter([b"own"])

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, [])
        return Upper(path.open("rb"))

    assert call(app).body == b"own"


def test_a_file_without_start_response_is_an_error(path: Path) -> None:
    """P47."""
    file = path.open("rb")
    with pytest.raises(ApplicationError, match="start_response was not called"):
        call(lambda environ, start_response: FileWrapper(file))
    assert file.closed

"""wsgi.file_wrapper over a real socket: sendfile, and what it must not be used for (P45, P7)."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.live import live
from tests.server.wsgi_client import LOOPS, Client

CONTENT = b"".join(b"%07d\n" % number for number in range(200_000))  # 1.6 MB
Fields = list[tuple[str, str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


def serving(
    make: Callable[[], Any], fields: Fields | None = None, seek: int = 0
) -> WSGIApplication:
    """Give a file, from `seek` on."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", fields or [])
        file = make()
        file.read(seek)
        return environ["wsgi.file_wrapper"](file, 10_000)  # type: ignore[no-any-return]

    return app


class Blocks:
    """A file of nothing but read()."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


class Lying(io.BytesIO):
    """Has a fileno that is no file's, as some wrappers of sockets and pipes do."""

    def fileno(self) -> int:
        return 2


def gzipped(path: Path) -> Any:
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(CONTENT, 1))
    return gzip.open(packed)


FILES: dict[str, tuple[Callable[[Path], Any], bool]] = {
    # how it is opened, and whether its length can be known
    "buffered": (lambda path: path.open("rb"), True),
    "raw": (lambda path: path.open("rb", buffering=0), True),
    "read and write": (lambda path: path.open("r+b"), True),
    "in memory": (lambda path: io.BytesIO(CONTENT), False),
    "read() alone": (lambda path: Blocks(CONTENT), False),
    "a fileno that is none": (lambda path: Lying(CONTENT), False),
    "gzip": (gzipped, False),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_sent_from_its_position_to_its_end(
    kind: str, version: str, loop: str, path: Path
) -> None:
    """P45: and the connection goes on, where it can."""
    make, known = FILES[kind]
    with live(serving(lambda: make(path), seek=12_345), loop=loop) as server:
        with Client(server) as client:
            for _ in range(2 if known else 1):
                answer = client.ask(version=version, fields=["Connection: keep-alive"])
                assert (answer.status, answer.complete) == (200, True)
                assert answer.body == CONTENT[12_345:]
                if known:
                    length = len(CONTENT) - 12_345
                    assert answer.fields["content-length"] == str(length)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("length", [0, 1, 500_000])
def test_a_file_stops_at_content_length(kind: str, loop: str, length: int, path: Path) -> None:
    """P45, P39: what follows is the next response."""
    app = serving(lambda: FILES[kind][0](path), [("Content-Length", str(length))], seek=100)
    with live(app, loop=loop) as server, Client(server) as client:
        for _ in range(2):
            answer = client.ask()
            assert (answer.body, answer.complete) == (CONTENT[100 : 100 + length], True)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_shorter_than_content_length_never_looks_whole(
    kind: str, path: Path
) -> None:
    """P40."""
    app = serving(lambda: FILES[kind][0](path), [("Content-Length", str(len(CONTENT) + 1))])
    with live(app) as server, Client(server) as client:
        answer = client.ask()
        assert answer.status == 500 or not answer.complete


@pytest.mark.parametrize("loop", LOOPS)
def test_an_empty_file_and_a_file_at_its_end_are_empty_bodies(loop: str, path: Path) -> None:
    """P45."""
    empty = path.with_name("empty")
    empty.touch()
    for app in (serving(lambda: empty.open("rb")), serving(lambda: path.open("rb"), seek=-1)):
        with live(app, loop=loop) as server, Client(server) as client:
            for _ in range(2):
                answer = client.ask()
                assert (answer.body, answer.fields["content-length"]) == (b"", "0")


@pytest.mark.parametrize("kind", ["buffered", "in memory"])
@pytest.mark.parametrize("how", ["GET", "HEAD", "304", "shorter", "client leaves"])
def test_the_file_is_closed_once(kind: str, how: str, path: Path) -> None:
    """P45, P7: whoever sends it."""
    closed: list[int] = []
    over = threading.Event()

    class Closing(io.BytesIO if kind == "in memory" else io.FileIO):  # type: ignore[misc]
        def close(self) -> None:
            if not self.closed:
                closed.append(1)
                super().close()
                over.set()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        fields = [("Content-Length", "10")] if how == "shorter" else []
        start_response("304 Not Modified" if how == "304" else "200 OK", fields)
        file = Closing(CONTENT if kind == "in memory" else path)
        return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]

    with live(app) as server, Client(server) as client:
        if how == "client leaves":
            client.send()
            client.head()
            client.close()
        else:
            client.ask("HEAD" if how == "HEAD" else "GET")
        assert over.wait(10)
    assert closed == [1]


def open_files(path: Path) -> int:
    descriptors = "/proc/self/fd"
    if not os.path.isdir(descriptors):
        pytest.skip("this system does not list the open descriptors")
    found = 0
    for name in os.listdir(descriptors):
        try:
            found += os.readlink(f"{descriptors}/{name}") == str(path)
        except OSError:  # the one of the listing itself
            continue
    return found


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_reader_holds_no_thread_and_leaves_no_descriptor(loop: str, path: Path) -> None:
    """S3, S6: the only thread answers others while the file waits for its reader."""
    big = path.with_name("big")
    big.write_bytes(CONTENT * 20)
    app = serving(lambda: big.open("rb"))
    with live(app, loop=loop, threads=1) as server:
        slow, leaving, fast = Client(server), Client(server), Client(server)
        slow.send()
        leaving.send()
        assert leaving.head()[0] == slow.head()[0] == 200
        leaving.reset()
        assert fast.ask("HEAD").status == 200
        assert slow.exactly(len(CONTENT) * 20) == CONTENT * 20
        assert slow.ask().body == CONTENT * 20
        slow.close()
        fast.close()
    assert open_files(big) == 0


@pytest.mark.parametrize("loop", LOOPS)
def test_a_file_that_shrinks_while_it_is_sent_cuts_the_connection(loop: str, path: Path) -> None:
    """P40: its length has been told."""
    big = path.with_name("big")
    big.write_bytes(CONTENT * 20)
    with live(serving(lambda: big.open("rb")), loop=loop) as server, Client(server) as client:
        client.send()
        status, fields = client.head()
        assert (status, fields["content-length"]) == (200, str(len(CONTENT) * 20))
        os.truncate(big, 1000)
        assert len(client.exactly(len(CONTENT) * 20)) < len(CONTENT) * 20


def test_blocks_written_before_the_file_come_before_it(path: Path) -> None:
    """P35, P45."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"before ")
        return environ["wsgi.file_wrapper"](path.open("rb"))  # type: ignore[no-any-return]

    with live(app) as server, Client(server) as client:
        assert client.ask().body == b"before " + CONTENT


def test_files_that_are_asked_for_together_come_in_order(path: Path) -> None:
    """P45, H2."""
    with live(serving(lambda: path.open("rb"))) as server, Client(server) as client:
        for _ in range(10):
            client.send()
        assert [client.read().body == CONTENT for _ in range(10)] == [True] * 10

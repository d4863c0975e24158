"""Clients that read slowly or not at all hold no thread, and memory within bounds (S3, S4, S6)."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.descriptors import LISTED, held, more_than
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, connections, get

BLOCK = 100_000
BLOCKS = 300  # 30 MB: more than the sockets of the system take
SIZE = BLOCK * BLOCKS
SPOOLS: dict[str, Any] = {"response_buffer": 2 * BLOCK, "response_spool": 10 * BLOCK}
# What may be on its way, at most: both spools, the transport's, and the buffers of two sockets.
ON_ITS_WAY = 12 * BLOCK + 256 * 1024 + 8 * 1024 * 1024
READS = 4096  # the slow reader's own buffer, in bytes


def block(number: int) -> bytes:
    return number.to_bytes(4, "big") * (BLOCK // 4)


DIGEST = hashlib.sha256(b"".join(map(block, range(BLOCKS)))).hexdigest()


class Download:
    """A large body in blocks that know how many of them were asked for; `/` is a small one."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/":
            return [b"small"]
        if environ["PATH_INFO"] == "/list":
            return [*map(block, range(BLOCKS))]
        return self.blocks()

    def blocks(self) -> Iterator[bytes]:
        try:
            for self.asked in range(1, BLOCKS + 1):
                yield block(self.asked - 1)
        finally:
            self.closed.set()


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_full(server: Live) -> bool:
    """Whether an application waits for its client, and the loop for the client's kernel.

    With a spool that is full, or was before the kernel took the last of what it took: the
    application goes on when half of it has been taken.
    """
    return any(
        each._outbound.paused
        and each._exchange.writer.waiting
        and each._exchange.writer._spool.on_disk > SPOOLS["response_spool"] // 2
        for each in connections(server)
        if each._exchange and each._exchange.writer._spool
    )


def test_a_response_larger_than_both_spools_waits_for_its_client(loop: str) -> None:
    """S4: the application is not asked for more; when the client reads, it goes on."""
    app = Download()
    with live(app, loop=loop, **SPOOLS) as server, Peer(server, receive=READS) as peer:
        peer.send(get(target=b"/blocks"))
        server.wait(lambda: is_full(server))

        def rests() -> bool:
            before = app.asked
            with Peer(server) as other:
                assert all(other.ask(GET).body == b"small" for _ in range(100))
            return app.asked == before

        server.wait(rests)
        assert app.asked * BLOCK < ON_ITS_WAY < SIZE
        peer.hurry()
        answer = peer.answer()
        assert hashlib.sha256(answer.body).hexdigest() == DIGEST
        assert (answer.whole, app.asked) == (True, BLOCKS)


@pytest.mark.parametrize("kind", [b"/blocks", b"/list"])
def test_a_response_within_the_spools_frees_its_thread_at_once(loop: str, kind: bytes) -> None:
    """S3: with one thread, and clients that have read nothing."""
    app = Download()
    with live(app, loop=loop, threads=1) as server:
        slow = [Peer(server, receive=READS) for _ in range(3)]
        for peer in slow:
            peer.send(get(target=kind))
        with Peer(server) as other:
            assert other.ask(GET).body == b"small"
        assert kind == b"/list" or app.closed.wait(10)
        for peer in slow:
            with peer:
                peer.hurry()
                assert hashlib.sha256(peer.answer().body).hexdigest() == DIGEST
                assert peer.ask(GET).body == b"small"


def test_a_file_for_a_slow_reader_needs_no_thread(loop: str, tmp_path: Path) -> None:
    """S3, P45: it is closed by the application's side before the client has read it."""
    (tmp_path / "file").write_bytes(b"".join(map(block, range(BLOCKS))))
    closed = threading.Event()

    class Opened:
        def __init__(self) -> None:
            self.file = (tmp_path / "file").open("rb")
            self.read, self.fileno, self.tell = self.file.read, self.file.fileno, self.file.tell

        def close(self) -> None:
            self.file.close()
            closed.set()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/":
            return [b"small"]
        file: Iterable[bytes] = environ["wsgi.file_wrapper"](Opened())
        return file

    with live(app, loop=loop, threads=1) as server, Peer(server, receive=READS) as peer:
        peer.send(get(target=b"/file"))
        assert closed.wait(10)
        with Peer(server) as other:
            assert other.ask(GET).body == b"small"
        peer.hurry()
        assert hashlib.sha256(peer.answer().body).hexdigest() == DIGEST
        assert peer.ask(GET).body == b"small"


@pytest.mark.skipif(not LISTED, reason="counts descriptors in /proc")
@pytest.mark.parametrize("how", ["reads all", "leaves"])
def test_descriptors_and_memory_are_given_back(loop: str, how: str) -> None:
    """S6, S4: spools and the file of a spool, whether the client has read it all or left."""
    app = Download()
    with live(app, loop=loop, **SPOOLS) as server:
        with Peer(server) as peer:
            peer.ask(GET)
        server.wait(lambda: not connections(server))
        tracemalloc.start()
        try:
            before, memory = held(), tracemalloc.get_traced_memory()[0]
            with Peer(server, receive=READS) as peer:
                peer.send(get(target=b"/blocks"))
                server.wait(lambda: is_full(server))
                assert more_than(before) > 2
                if how == "reads all":
                    peer.hurry()
                    assert peer.answer().whole
            del peer
            assert app.closed.wait(10)
            server.wait(lambda: not connections(server) and not more_than(before))
            server.wait(lambda: tracemalloc.get_traced_memory()[0] - memory < BLOCK)
        finally:
            tracemalloc.stop()


SLOW = [
    get(target=b"/list"),  # and never a byte of the answer read
    GET[:-2],
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nslow",
]


def test_slow_clients_of_every_kind_leave_the_threads_to_the_others(loop: str) -> None:
    """S3: two threads, and many more downloads, half heads and uploads that do not move."""
    with live(Download(), loop=loop, threads=2) as server:
        slow = [Peer(server, receive=READS) for _ in range(24)]
        for number, peer in enumerate(slow):
            peer.send(SLOW[number % len(SLOW)])
        with Peer(server) as other:
            assert all(other.ask(GET).body == b"small" for _ in range(10))
        for peer in slow:
            peer.__exit__(None, None, None)

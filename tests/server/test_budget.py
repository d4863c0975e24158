"""A crowd of deaf readers and of uploads fills neither memory nor disk (S4, S6)."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, connections, get, post

KIB, MIB = 1024, 1024 * 1024
LEAST = 16 * KIB
READS = 4096  # a deaf reader's own buffer, in bytes
BLOCK = b"x" * 100_000
TIGHT: dict[str, Any] = {
    "spool_memory": MIB,
    "spool_disk": 2 * MIB,
    "response_buffer": 300_000,
    "response_spool": MIB,
}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spool_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], int]:
    """How many bytes the temporary files of this process hold."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("looks for open files in /proc")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def size() -> int:
        found = 0
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):  # it may be closed meanwhile
                if os.readlink(f"/proc/self/fd/{name}").startswith(str(tmp_path)):
                    found += os.stat(f"/proc/self/fd/{name}").st_size
        return found

    return size


def budget(server: Live) -> Budget:
    assert server.server._service is not None
    return server.server._service.budget


def large(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with 20 MB for /large, with the size of the body for POST, else with little."""
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/large":
        return (BLOCK for _ in range(200))
    if environ["REQUEST_METHOD"] == "POST":
        return [b"%d" % len(environ["wsgi.input"].read())]
    return [b"small"]


def within(server: Live, peers: int) -> bool:
    counted = budget(server)
    return counted.memory <= MIB + peers * LEAST and counted.disk <= 2 * MIB


def test_a_crowd_of_deaf_readers_fills_neither_memory_nor_disk(
    loop: str, spool_files: Callable[[], int]
) -> None:
    """Twelve of 20 MB each against 3 MiB; then half of them read, and the others leave."""
    with live(large, loop=loop, threads=2, **TIGHT) as server, ExitStack() as stack:
        deaf = [stack.enter_context(Peer(server, receive=READS)) for _ in range(12)]
        for peer in deaf:
            peer.send(get(target=b"/large"))
        server.wait(lambda: budget(server).disk > 2 * MIB - len(BLOCK))
        server.wait(lambda: waiting_writers(server) == len(deaf))
        assert within(server, len(deaf))
        assert spool_files() <= 2 * MIB  # later they change while they are added up
        with Peer(server) as other:
            assert all(other.ask(GET).body == b"small" for _ in range(20))
        for peer in deaf[6:]:
            peer.__exit__(None, None, None)
        bodies: list[int] = []

        def read(peer: Peer) -> None:
            peer.hurry()
            bodies.append(len(peer.answer().body))

        readers = [threading.Thread(target=read, args=(peer,)) for peer in deaf[:6]]
        for reader in readers:
            reader.start()
        for reader in readers:
            while reader.is_alive():
                assert within(server, len(deaf))
                reader.join(0.01)
        assert bodies == [200 * len(BLOCK)] * 6
        server.wait(lambda: (held(server), spool_files()) == (0, 0))


def running(server: Live) -> list[Exchange]:
    assert server.server._service is not None
    return server.server._service.dispatcher.running


def waiting_writers(server: Live) -> int:
    return sum(each.writer.waiting for each in running(server))


def test_a_reader_gets_all_of_its_response_while_others_hold_the_room(loop: str) -> None:
    """Slower than with room, but at once: it does not wait for the deaf ones."""
    with live(large, loop=loop, threads=2, **TIGHT) as server, ExitStack() as stack:
        deaf = [stack.enter_context(Peer(server, receive=READS)) for _ in range(8)]
        for peer in deaf:
            peer.send(get(target=b"/large"))
        server.wait(lambda: waiting_writers(server) == len(deaf))
        with Peer(server) as other:
            assert len(other.ask(get(target=b"/large")).body) == 200 * len(BLOCK)


def test_when_others_give_room_back_a_response_goes_on_though_its_client_is_deaf(
    loop: str,
) -> None:
    """It waits for room, and not only for its client."""

    def full() -> bool:
        return budget(server).disk > 2 * MIB - len(BLOCK)

    options = {**TIGHT, "spool_memory": 0, "response_spool": None}
    with live(large, loop=loop, threads=2, **options) as server:
        with Peer(server, receive=READS) as first, Peer(server, receive=READS) as second:
            for number, peer in enumerate((first, second)):
                peer.send(get(target=b"/large"))
                server.wait(lambda: full() and waiting_writers(server) == number + 1)  # noqa: B023
            # The kernel takes no more for them: nothing but room can wake their writers.
            server.wait(lambda: all(each._outbound.paused for each in connections(server)))
            server.wait(lambda: waiting_writers(server) == 2)
            first.__exit__(None, None, None)
            server.wait(lambda: len(running(server)) == 1 and full())


def test_bodies_past_the_budget_of_memory_go_to_disk_and_past_that_are_refused(
    loop: str, spool_files: Callable[[], int]
) -> None:
    """Each is within the memory that one body may have."""
    size = 400 * KIB
    with live(large, loop=loop, **TIGHT) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server)) for _ in range(7)]
        for number, peer in enumerate(peers):  # all but the last byte
            peer.send(post(size, body=b"x" * (size - 1)))
            server.wait(lambda: held(server) == (number + 1) * (size - 1))  # noqa: B023
        assert budget(server).memory == 2 * (size - 1)
        assert budget(server).disk == 5 * (size - 1)
        with Peer(server) as refused:
            answer = refused.ask(post(size, body=b"x" * (size - 1)))
            assert (answer.status, answer.fields["retry-after"]) == (503, "1")
            assert answer.fields["connection"] == "close"
        with Peer(server) as other:
            assert other.ask(post(1000, body=b"x" * 1000)).body == b"1000"
        assert spool_files() <= 2 * MIB
        for peer in peers:
            peer.send(b"x")
            assert peer.answer().body == b"%d" % size
        server.wait(lambda: (held(server), spool_files()) == (0, 0))


def held(server: Live) -> int:
    return budget(server).memory + budget(server).disk


def test_streamed_bodies_have_a_small_window_where_memory_is_spent(loop: str) -> None:
    """And are read to their end."""
    entered, go = threading.Semaphore(0), threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        entered.release()
        assert go.wait(10)
        return large(environ, start_response)

    size = 2 * MIB
    options = {**TIGHT, "request_buffering": False, "spool_memory": 600 * KIB}
    with live(app, loop=loop, threads=2, **options) as server:
        with Peer(server) as first, Peer(server) as second:
            taken = []
            for peer in (first, second):
                peer.send(post(size))
                assert entered.acquire(timeout=10)
                assert budget(server).memory == 512 * KIB
                taken.append(peer.send_until_it_stalls(b"x" * size))
            go.set()
            for peer, sent in zip((first, second), taken, strict=True):
                peer.send(b"x" * (size - sent))
                assert peer.answer().body == b"%d" % size
        server.wait(lambda: budget(server).memory == 0)


@pytest.mark.parametrize("buffering", [True, False], ids=["buffered", "streamed"])
def test_every_byte_is_given_back_whatever_becomes_of_the_clients(
    loop: str, buffering: bool, spool_files: Callable[[], int]
) -> None:
    """S6: clients that leave at random moments of uploads and downloads, and some that stay."""
    seeded = random.Random(f"{loop}{buffering}")
    options = {**TIGHT, "spool_threshold": 50_000, "response_buffer": 20_000}
    with live(large, loop=loop, threads=3, request_buffering=buffering, **options) as server:

        def client(seed: int) -> None:
            mine = random.Random(seed)
            for _ in range(12):
                with Peer(server, receive=READS) as peer, suppress(OSError, EOFError, ValueError):
                    if mine.random() < 0.5:
                        size = mine.randrange(1, 300_000)
                        peer.send(post(size, body=b"x" * mine.randrange(size)))
                    else:
                        peer.send(get(target=b"/large"))
                        for _ in range(mine.randrange(4)):
                            peer.socket.recv(mine.randrange(1, 100_000))
                    if mine.random() < 0.5:
                        peer.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # leave by a reset

        clients = [
            threading.Thread(target=client, args=(seeded.randrange(10**9),)) for _ in range(8)
        ]
        for each in clients:
            each.start()
        for each in clients:
            each.join(60)
        server.wait(lambda: not server.server.busy)
        server.wait(lambda: (held(server), spool_files()) == (0, 0))

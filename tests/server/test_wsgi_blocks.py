"""When the blocks of a body leave, seen by the client that reads them (P3-P5, P8, P26, P35-P38)."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.server.phases import Timeouts
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import LOOPS, TEXT, Client, ask

WAIT = 10.0


@pytest.fixture(autouse=True)
def _no_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block may owe its leaving to the sweep of the deadlines."""
    monkeypatch.setattr(Timeouts, "tick", lambda self: 3600.0)


class Steps:
    """The application goes on when the client says so: each `next` waits for one `go`."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def go(self) -> None:
        self._turns.release()

    def wait(self) -> None:
        assert self._turns.acquire(timeout=WAIT)


def silent(client: Client) -> bool:
    """Whether nothing has come."""
    client.socket.setblocking(False)
    try:
        client.socket.recv(1)
    except BlockingIOError:
        return True
    finally:
        client.socket.settimeout(WAIT)
    return False


@pytest.mark.parametrize("loop", LOOPS)
def test_each_block_reaches_the_client_before_the_next_is_asked_for(loop: str) -> None:
    """P36, P38: an empty block is neither sent nor an end."""
    steps = Steps()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        for number in range(20):
            yield b"block %d" % number
            steps.wait()
            yield b""

    with live(app, loop=loop) as server, Client(server) as client:
        client.send()
        assert client.head()[1]["transfer-encoding"] == "chunked"
        for number in range(20):
            assert client.chunk() == b"block %d" % number
            steps.go()
        assert client.chunk() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_each_write_reaches_the_client_before_it_returns_and_before_the_iterable(
    loop: str,
) -> None:
    """P3, P35, P36."""
    steps = Steps()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        for number in range(5):
            write(b"written %d" % number)
            steps.wait()
        return [b"returned ", b"after"]

    with live(app, loop=loop) as server, Client(server) as client:
        client.send()
        client.head()
        for number in range(5):
            assert client.chunk() == b"written %d" % number
            steps.go()
        assert client.chunk() + client.chunk() == b"returned after"
        assert client.chunk() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_blocks_arrive_at_once_with_content_length_and_for_http_1_0(loop: str) -> None:
    """P36, P41."""
    steps = Steps()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        length = [("Content-Length", "15")] if environ["PATH_INFO"] == "/sized" else []
        start_response("200 OK", TEXT + length)
        for number in range(5):
            yield b"<%d>" % number
            steps.wait()

    with live(app, loop=loop) as server:
        for path, version in [("/sized", "1.1"), ("/sized", "1.0"), ("/", "1.0")]:
            with Client(server) as client:
                client.send("GET", path, version=version)
                assert "transfer-encoding" not in client.head()[1]
                for number in range(5):
                    assert client.exactly(3) == b"<%d>" % number
                    steps.go()


@pytest.mark.parametrize("loop", LOOPS)
def test_blocks_go_on_arriving_at_once_after_the_client_was_slow(loop: str) -> None:
    """P36: what was spooled goes first, in order; then each block at once again."""
    steps, big = Steps(), b"".join(b"%07d\n" % number for number in range(1_000_000))

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        for _ in range(2):
            yield big  # more than the kernel's buffers hold
            yield b"right behind"
            steps.wait()
            for number in range(10):
                yield b"block %d" % number
                steps.wait()

    with live(app, loop=loop, response_buffer=1000) as server, Client(server) as client:
        client.send()
        client.head()
        for _ in range(2):
            assert client.chunk() == big
            assert client.chunk() == b"right behind"
            steps.go()
            for number in range(10):
                assert client.chunk() == b"block %d" % number
                steps.go()
        assert client.chunk() == b""


@pytest.mark.parametrize("loop", LOOPS)
def test_no_block_overtakes_another_however_the_client_reads(loop: str) -> None:
    """P36: while blocks wait in the spool, in the loop, and in the kernel by turns."""
    seeded = random.Random(7)
    sizes = [seeded.choice([10, 1000, 5_000, 40_000]) for _ in range(1500)]

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [*TEXT, ("Content-Length", str(sum(sizes)))])
        for number, size in enumerate(sizes):
            yield (b"%09d," % number) * (size // 10)

    expected = hashlib.sha256()
    for number, size in enumerate(sizes):
        expected.update((b"%09d," % number) * (size // 10))
    options = {"loop": loop, "response_buffer": 50_000, "response_spool": 100_000}
    with live(app, **options) as server, Client(server) as client:
        client.send()
        client.head()
        got, left = hashlib.sha256(), sum(sizes)
        while left:
            piece = client.socket.recv(min(left, seeded.choice([100, 3_000, 60_000])))
            assert piece
            got.update(piece)
            left -= len(piece)
        assert got.digest() == expected.digest()


@pytest.mark.parametrize("late", ["start_response", "empty blocks", "empty string"])
def test_nothing_is_sent_before_the_first_block_that_is_not_empty(late: str) -> None:
    """P26."""
    steps, reached = Steps(), threading.Semaphore(0)

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        if late == "start_response":
            reached.release()
            steps.wait()
        for _ in range(3):
            yield b""
            if late == "empty blocks":
                reached.release()
                steps.wait()
        yield b"".join([])
        if late == "empty string":
            reached.release()
            steps.wait()
        yield b"first"

    with live(app) as server, Client(server) as client:
        client.send()
        for _ in range(3 if late == "empty blocks" else 1):
            assert reached.acquire(timeout=WAIT)
            assert silent(client)
            steps.go()
        assert client.read().body == b"first"


def test_the_head_and_the_first_block_leave_together() -> None:
    """P26."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"first"
        yield b"second"

    with live(app) as server:
        for _ in range(20):
            with Client(server) as client:
                client.send()
                assert b"\r\n\r\n5\r\nfirst\r\n" in client.socket.recv(65536)


def test_write_of_nothing_sends_the_head() -> None:
    """P26: the first write() is the moment, whatever it writes."""
    steps = Steps()

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("202 Accepted", TEXT)
        write(b"")
        steps.wait()
        return [b"later"]

    with live(app) as server, Client(server) as client:
        client.send()
        assert client.head()[0] == 202
        steps.go()
        assert client.chunk() == b"later"


def test_start_response_may_come_with_the_first_block() -> None:
    """P4."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        yield b""
        start_response("203 Late", TEXT)
        yield b"body"

    answer = ask(app)
    assert (answer.status, answer.body) == (203, b"body")


class OnlyIterable:
    """Has what PEP 3333 promises of an iterable and nothing else; whatever else is asked, fails."""

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

    def __getattr__(self, name: str) -> Any:
        assert name == "close", name
        raise AttributeError(name)


class ByIndex:
    """The old protocol of iteration, which iter() knows."""

    def __getitem__(self, at: int) -> bytes:
        return [b"by ", b"index"][at]


ITERABLES: dict[str, tuple[Callable[[], Any], bytes]] = {
    "only __iter__": (lambda: OnlyIterable(b"a", b"b"), b"ab"),
    "by index": (ByIndex, b"by index"),
    "map": (lambda: map(bytes, [b"a", b"b"]), b"ab"),
    "dict": (lambda: {b"key": 1}, b"key"),
    "frozenset": (lambda: frozenset([b"only"]), b"only"),
    "empty list": (list, b""),
    "empty tuple": (tuple, b""),
    "empty generator": (lambda: iter(()), b""),
    "ten thousand small blocks": (lambda: [b"block "] * 10_000, b"block " * 10_000),
    "large blocks": (
        lambda: [b"x" * 700_000, b"", b"y" * 700_000],
        b"x" * 700_000 + b"y" * 700_000,
    ),
}


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("kind", ITERABLES)
def test_whatever_iter_takes_is_a_body(kind: str, version: str) -> None:
    """P5, P6: a list and a tuple have their length; as do bodies that are empty."""
    make, body = ITERABLES[kind]

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return make()  # type: ignore[no-any-return]

    answer = ask(app, version=version)
    assert (answer.status, answer.body, answer.complete) == (200, body, True)
    if isinstance(make(), (list, tuple)) or not body:
        assert answer.fields["content-length"] == str(len(body))

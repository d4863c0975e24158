"""A place in the pool belongs to running application code alone (S3, S4, S6)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.descriptors import held, more_than
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, connections, get, post

BLOCK = b"x" * 65536
BLOCKS = 1024  # 64 MiB
CROWD = 50  # of each kind
# So little is spooled that a reader who does not read holds its application up.
NARROW: dict[str, Any] = {
    "request_buffering": False,
    "response_buffer": 65536,
    "response_spool": 2 * 65536,
}
UPLOAD = post(10**6, body=b"x" * 70_000)
DOWNLOAD = get(target=b"/blocks")
EVENTS = get(target=b"/events")


class App:
    """Reads uploads, gives large downloads and endless events; `/` is an ordinary request."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()  # the next event comes when it is open, or a while has passed
        self.errors: list[BaseException] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.begun.release()
            try:
                environ["wsgi.input"].read()
            except ClientDisconnected as error:
                self.errors.append(error)
                raise
        kind = "text/event-stream" if environ["PATH_INFO"] == "/events" else "text/plain"
        start_response("200 OK", [("Content-Type", kind)])
        if environ["PATH_INFO"] == "/blocks":
            return self.blocks()
        if environ["PATH_INFO"] in ("/events", "/progress"):
            return self.events()
        return [b"small"]

    def blocks(self) -> Iterator[bytes]:
        self.begun.release()
        for _ in range(BLOCKS):
            yield BLOCK

    def events(self) -> Iterator[bytes]:
        yield b"data: first\n\n"
        self.begun.release()
        while True:
            self.gate.wait(0.2)
            yield b"data: next\n\n"


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dispatcher(server: Live) -> Dispatcher:
    service: Any = server.server._service
    return service.dispatcher  # type: ignore[no-any-return]


def streams(server: Live) -> int:
    return len(dispatcher(server)._places.streams)


@pytest.mark.parametrize(
    "kinds",
    [[UPLOAD], [DOWNLOAD], [EVENTS], [UPLOAD, DOWNLOAD, EVENTS]],
    ids=["uploads", "readers", "events", "all"],
)
def test_two_threads_stand_a_crowd_that_stalls_and_nothing_is_left(
    loop: str, kinds: list[bytes]
) -> None:
    with live(App(), loop=loop, threads=2, **NARROW) as server:
        with Peer(server) as peer:
            assert peer.ask(GET).body == b"small"
        server.wait(lambda: not connections(server))
        before = held()
        with ExitStack() as stack, Peer(server) as good:
            for kind in kinds * CROWD:
                peer = stack.enter_context(Peer(server, receive=4096))
                peer.send(kind)
                assert good.ask(GET).body == b"small"
            server.wait(lambda: streams(server) == len(kinds) * CROWD)
            assert all(good.ask(GET).body == b"small" for _ in range(20))
            assert len(dispatcher(server)._places.running) <= 2
        server.wait(lambda: not connections(server) and not dispatcher(server).threads)
        server.wait(lambda: not more_than(before))
        assert (streams(server), dispatcher(server)._places.asking) == (0, [])
        with Peer(server) as peer:
            assert peer.ask(GET).body == b"small"


def test_a_response_that_lasts_becomes_a_stream(loop: str) -> None:
    app = App()
    with live(app, loop=loop, threads=1, stream_after=0.05) as server, Peer(server) as slow:
        slow.send(get(target=b"/progress"))
        assert app.begun.acquire(timeout=10)
        with Peer(server) as other:
            assert other.ask(GET).body == b"small"
        assert streams(server) == 1


def test_without_a_limit_only_an_event_stream_gives_its_place_back(loop: str) -> None:
    app = App()
    with live(app, loop=loop, threads=1, stream_after=None) as server:
        with Peer(server) as events:
            events.send(EVENTS)
            assert app.begun.acquire(timeout=10)
            with Peer(server) as other:
                assert other.ask(GET).body == b"small"
        server.wait(lambda: not dispatcher(server).threads)
        with Peer(server) as slow, Peer(server) as other:
            slow.send(get(target=b"/progress"))
            assert app.begun.acquire(timeout=10)
            other.send(GET)
            assert not other.readable(0.5)
            assert streams(server) == 0


def test_an_application_that_computes_keeps_its_place(loop: str) -> None:
    """Neither before its head nor in close() it is a stream."""
    gate, entered = threading.Event(), threading.Semaphore(0)

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"all"])

        def close(self) -> None:
            entered.release()
            gate.wait(10)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/head":
            entered.release()
            gate.wait(10)
        start_response("200 OK", [])
        return Body()

    for target in (b"/head", b"/"):
        gate.clear()
        with live(app, loop=loop, threads=1, stream_after=0) as server, Peer(server) as peer:
            try:
                peer.send(get(target=target))
                assert entered.acquire(timeout=10)
                sweeps = server.server._service
                assert sweeps is not None
                then = sweeps.now
                server.wait(lambda then=then, sweeps=sweeps: sweeps.now > then + 0.05)  # type: ignore[misc]
                assert streams(server) == 0
            finally:
                gate.set()


def test_where_streams_are_spent_who_stalled_longest_is_cut_first(loop: str) -> None:
    app = App()
    with ExitStack() as stack:
        server = stack.enter_context(live(app, loop=loop, threads=1, max_streams=2, **NARROW))
        stalled = []
        for number in range(3):
            stalled.append(stack.enter_context(Peer(server)))
            stalled[-1].send(UPLOAD)
            assert app.begun.acquire(timeout=10)
            server.wait(lambda number=number: streams(server) == min(number + 1, 2))  # type: ignore[misc]
        overdue: Any = server.server._service.overdue  # type: ignore[union-attr]
        server.wait(lambda: len(overdue._moved) == 3)
        stalled[0].send(b"progress")
        server.wait(lambda: max(overdue._moved.values())[0][-1] > 70_000)
        server.wait(lambda: len({since for _, since in overdue._moved.values()}) > 1)
        assert app.errors == []
        with Peer(server) as good:
            assert good.ask(GET).body == b"small"
        assert stalled[1].readable(10)
        server.wait(lambda: bool(app.errors))
        assert [str(error) for error in app.errors] == ["the server needed the thread for others"]
        assert not stalled[0].readable()
        assert not stalled[2].readable()


@pytest.mark.parametrize("kind", [DOWNLOAD, EVENTS], ids=["readers", "events"])
def test_without_any_stream_a_request_still_gets_its_turn(loop: str, kind: bytes) -> None:
    """A deaf reader is cut although it takes nothing, and an event stream although it is served."""
    app = App()
    with live(app, loop=loop, threads=2, max_streams=0, **NARROW) as server, ExitStack() as stack:
        peers = [stack.enter_context(Peer(server, receive=4096)) for _ in range(6)]
        for peer in peers:
            peer.send(kind)
        with Peer(server) as good:
            assert good.ask(GET).body == b"small"
        server.wait(lambda: len(connections(server)) < 6)


def test_a_deaf_reader_that_has_to_go_goes_although_it_takes_nothing(loop: str) -> None:
    app = App()
    options = {**NARROW, "threads": 1, "max_streams": 0, "stream_after": 0.05}
    with live(app, loop=loop, **options) as server, Peer(server, receive=4096) as deaf:
        deaf.send(DOWNLOAD)
        overdue: Any = server.server._service.overdue  # type: ignore[union-attr]

        def stalled() -> bool:
            now: float = server.server._service.now  # type: ignore[union-attr]
            return any(now - since > 0.3 for _, since in overdue._moved.values())

        server.wait(stalled)
        with Peer(server) as good:
            assert good.ask(GET).body == b"small"
        server.wait(lambda: not connections(server))


def test_an_application_that_reads_in_a_thread_of_its_own_gives_its_place_too(loop: str) -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        got: list[bytes] = []
        read = environ["wsgi.input"].read
        reader = threading.Thread(target=lambda: got.append(read()))
        reader.start()
        reader.join()
        start_response("200 OK", [])
        return got

    options: dict[str, Any] = {"threads": 1, "request_buffering": False, "stream_after": 0.05}
    with live(app, loop=loop, **options) as server, Peer(server) as slow:
        slow.send(post(6, body=b"abc"))
        with Peer(server) as other:
            assert other.ask(GET).status == 200
        assert slow.ask(b"def").body == b"abcdef"


def test_who_has_its_whole_response_is_not_cut_for_its_thread(loop: str) -> None:
    """It would be in vain: the application is still in close()."""
    gate, closing = threading.Event(), threading.Event()
    app = App()

    class Events:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"data: only\n\n"])

        def close(self) -> None:
            closing.set()
            gate.wait(20)

    def either(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/closing":
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return Events()

    options: dict[str, Any] = {"threads": 1, "max_streams": 1, "request_buffering": False}
    with live(either, loop=loop, **options) as server, Peer(server) as first:
        try:
            first.send(get(target=b"/closing"))
            assert closing.wait(10)
            with Peer(server) as stalled, Peer(server) as good:
                stalled.send(UPLOAD)
                assert app.begun.acquire(timeout=10)
                assert good.ask(GET).body == b"small"
                assert stalled.readable(10)
            assert first.answer().whole
        finally:
            gate.set()

"""Two threads against fifty of each kind of bad client at once (S3, S4, S6, S7).

Every ordinary request has a second. The crowd comes one by one of each kind, and between any two
rounds somebody asks, as anybody may at any time.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.descriptors import LISTED, held, more_than
from tests.hostile.app import SMALL, Target
from tests.hostile.crowd import Crowd, crowd
from tests.live import Live, live
from tests.server.http_client import GET, LOOPS, Peer, connections

EACH = 50
THREADS = 2
WITHIN = 1.0  # seconds for an ordinary request
BEATS = 3  # bytes that each slow client moves when all are there
# Far less than 64 MiB, so that the application waits in the midst of its answer.
SPOOLS: dict[str, Any] = {"response_buffer": 65_536, "response_spool": 1024 * 1024}
FREED = 1024 * 1024  # bytes that may stay: caches of the interpreter, never what clients held

pytestmark = pytest.mark.skipif(not LISTED, reason="counts descriptors in /proc")


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def ask(server: Live) -> None:
    """One ordinary request on a connection of its own, within its second."""
    with Peer(server) as peer:
        peer.socket.settimeout(WITHIN)
        assert peer.ask(GET).body == SMALL


def attack(server: Live, join: Callable[[Crowd, int], None]) -> None:
    """`join` lets one of each kind come; nobody else waits meanwhile, nor while all are there."""
    with Peer(server) as kept, crowd(server) as gathered:
        kept.socket.settimeout(WITHIN)
        for number in range(EACH):
            join(gathered, number)
            ask(server)
            assert kept.ask(GET).body == SMALL
        until = gathered.beats + BEATS
        while gathered.beats < until:
            ask(server)
            assert kept.ask(GET).body == SMALL
        assert gathered.lost == []


def survives(server: Live, join: Callable[[Crowd, int], None]) -> None:
    """Attacked, it serves; left alone again, it holds what it held before."""
    for _ in range(10):
        ask(server)
    server.wait(lambda: not connections(server))
    before, memory = held(), tracemalloc.get_traced_memory()[0]
    attack(server, join)
    server.wait(lambda: not connections(server))
    server.wait(lambda: not more_than(before))
    server.wait(lambda: tracemalloc.get_traced_memory()[0] - memory < FREED)


def everybody(gathered: Crowd, number: int) -> None:
    gathered.idle()
    gathered.half_head()
    gathered.stalled_upload()
    gathered.slow_upload()
    for path in (b"/generator", b"/list", b"/file"):
        gathered.slow_reader(path)
    gathered.departed(abruptly=bool(number % 2))


def streams(gathered: Crowd, number: int) -> None:
    """Those that have a thread of their own, and give its place in the pool back."""
    gathered.slow_upload()
    gathered.stalled_upload()
    gathered.listener()


@pytest.mark.usefixtures("traced")
def test_fifty_of_each_kind_leave_two_threads_to_ordinary_requests(
    loop: str, target: Target
) -> None:
    with live(target, loop=loop, threads=THREADS, **SPOOLS) as server:
        survives(server, everybody)
        assert target.begun == 2 * EACH
        server.wait(lambda: target.closed == target.begun)


@pytest.mark.usefixtures("traced")
def test_streamed_uploads_and_event_streams_leave_two_threads_to_ordinary_requests(
    loop: str, target: Target
) -> None:
    with live(target, loop=loop, threads=THREADS, request_buffering=False) as server:
        survives(server, streams)
        assert target.begun == EACH
        server.wait(lambda: target.closed == target.begun)
        server.wait(lambda: target.refused == 2 * EACH)  # a body in part is never taken for whole

"""The loop waits for the drain of a crowd, for a moment, and not soon again if that is in vain."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import cast

import pytest

from aiowsgi.bridge import stand_back
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.stand_back import StandBack
from aiowsgi.bridge.threads import ThreadSource
from tests.bridge.test_pool import until
from tests.bridge.work import Work
from tests.switching import switching

LONG = 30.0  # seconds: no test waits so long, unless it fails
FIRST = stand_back._SHORTEST * 4  # rings without a wait, after the first in vain


class Crowd:
    """A StandBack with a queue of so many, and the dispatcher's lock."""

    def __init__(self, moment: float, waiting: int = 5) -> None:
        self.lock = threading.Lock()
        self.queue = [0] * waiting
        self.standing = StandBack(self.queue, self.lock, moment)

    def begins(self) -> bool:
        with self.lock:
            return self.standing.begins(len(self.queue))

    def end(self) -> None:
        with self.lock:
            self.standing.end()

    def in_vain(self) -> None:
        assert self.begins()
        self.standing.wait(len(self.queue))

    def skipped(self) -> int:
        """The rings that go by without a wait."""
        return next(number for number in range(100_000) if self.begins())


def test_it_waits_until_the_drain_is_through() -> None:
    crowd = Crowd(LONG)
    assert crowd.begins()
    drain = threading.Thread(target=crowd.end)
    drain.start()
    crowd.standing.wait(5)
    drain.join()
    assert crowd.begins()


def test_a_lone_exchange_is_not_waited_for() -> None:
    assert not Crowd(LONG, 1).begins()
    assert not Crowd(0.0, 5).begins()


def test_it_waits_no_longer_than_a_moment_and_not_again_soon() -> None:
    crowd = Crowd(0.001)
    crowd.in_vain()
    assert crowd.skipped() == FIRST


def test_it_goes_without_for_longer_the_more_often_it_was_in_vain() -> None:
    crowd = Crowd(0.001)
    found = []
    for _ in range(5):
        crowd.in_vain()
        found.append(crowd.skipped())
        crowd.end()
        crowd.standing.wait(5)  # that one was not in vain
        found.append(crowd.skipped())
        crowd.end()
        crowd.standing.wait(5)
    assert found[::2] == sorted(set(found[::2]))
    assert found[-2] <= stand_back._LONGEST
    assert set(found[1::2]) == {0}


def test_many_that_were_not_in_vain_make_it_hopeful_again() -> None:
    crowd = Crowd(0.001)
    crowd.in_vain()
    crowd.skipped()
    for _ in range(10):
        crowd.end()
        crowd.standing.wait(5)
        assert crowd.begins()
    crowd.end()
    crowd.standing.wait(5)
    crowd.in_vain()
    assert crowd.skipped() == FIRST


def test_a_drain_that_is_fast_but_not_through_is_waited_for_again() -> None:
    crowd = Crowd(0.001, 1000)
    assert crowd.begins()
    del crowd.queue[: stand_back._FAST]
    crowd.standing.wait(1000)
    assert crowd.begins()


def test_a_drain_that_is_through_as_the_wait_ends_is_not_taken_for_the_next() -> None:
    crowd = Crowd(0.0001)

    class Late:
        """The dispatcher's lock, which the drain gets first."""

        def __enter__(self) -> None:
            crowd.standing.end()

        def __exit__(self, *_: object) -> None: ...

    assert crowd.begins()
    crowd.standing._lock = cast("threading.Lock", Late())
    crowd.standing.wait(5)
    crowd.standing._lock = crowd.lock
    assert crowd.begins()  # it was not in vain
    assert not crowd.standing._through.acquire(blocking=False)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_a_signal_handler_that_raises_leaves_it_whole() -> None:
    crowd = Crowd(LONG)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        assert crowd.begins()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(KeyboardInterrupt):
            crowd.standing.wait(5)
    finally:
        signal.signal(signal.SIGALRM, before)
    crowd.end()  # nobody waits
    assert crowd.begins()
    crowd.end()
    crowd.standing.wait(5)


class Turns:
    """The loop, whose turns are taken by hand; its timers never are."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        for call in soon:
            call()

    def later(self, _seconds: float, _call: Callable[[], None]) -> None: ...


@contextmanager
def dispatcher(moment: float, streams: int = 0) -> Iterator[tuple[Dispatcher, Turns]]:
    """One whose only drain is parked."""
    loop = Turns()
    with ThreadPoolExecutor(1 + streams) as executor:
        pool = Dispatcher(
            ThreadSource(executor, 1),
            1,
            most_streams=streams,
            call_soon=lambda call: loop.soon.append(call),
            call_later=loop.later,
            clock=time.monotonic,
            busy=lambda: 0.0,
            patience=LONG,
            stand_back=moment,
        )
        submit(pool, loop, Work(lambda: None))
        until(lambda: pool._parked is not None)
        yield pool, loop
        until(lambda: not (pool.waiting or pool.running))
        pool.close()


def submit(pool: Dispatcher, loop: Turns, *works: Work) -> None:
    """Let these come together, and have the loop go on until it has done its part."""
    for work in works:
        pool.submit(work.exchange)
    while loop.soon:
        loop.turn()


def blocked(gate: threading.Event) -> None:
    gate.wait(LONG)


needs_gil = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="without a GIL nobody stands back"
)


@needs_gil
def test_a_crowd_is_answered_before_the_loop_goes_on() -> None:
    with dispatcher(LONG) as (pool, loop):
        works = [Work(lambda: time.sleep(0.005)) for _ in range(5)]
        submit(pool, loop, *works)
        assert [work.times for work in works] == [1] * 5


@needs_gil
def test_an_application_that_blocks_does_not_hold_the_loop() -> None:
    """S10: however long it takes; the loop is back after the moment."""
    gate = threading.Event()
    with dispatcher(0.001) as (pool, loop):
        works = [Work(partial(blocked, gate)) for _ in range(5)]
        submit(pool, loop, *works)
        assert not any(work.done for work in works)
        gate.set()


@needs_gil
def test_an_exchange_that_waits_for_its_client_does_not_hold_the_loop() -> None:
    """Its client can only be served by the loop."""
    gate = threading.Event()
    with dispatcher(LONG, streams=1) as (pool, loop):

        def wait_for_client() -> None:
            pool.client_awaited()
            gate.wait(LONG)

        works = [Work(wait_for_client) for _ in range(2)]
        submit(pool, loop, *works)
        assert not any(work.done for work in works)
        gate.set()


@needs_gil
def test_none_is_lost_and_none_runs_twice_however_it_ends() -> None:
    """A moment that is often over just when the drain is through."""
    works = [Work(partial(time.sleep, 0.0001 if number % 50 == 0 else 0)) for number in range(3000)]
    with switching(1e-6), dispatcher(0.00005) as (pool, loop):
        for at in range(0, len(works), 3):
            submit(pool, loop, *works[at : at + 3])
            if at % 30 == 0:
                until(lambda: pool._parked is not None)
    assert {work.times for work in works} == {1}

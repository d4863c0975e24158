"""The places of the pool: given back by who waits for a client, taken again at the end (S3)."""

from __future__ import annotations

import random
import threading

import pytest

from aiowsgi.bridge.exchange import ASKS, STREAMS
from aiowsgi.bridge.pool import Dispatcher
from tests.bridge.test_exchange import Around, returning
from tests.bridge.test_pool import dispatcher, submit, until
from tests.bridge.work import Work
from tests.switching import switching


class Held:
    """Exchanges that are inside until the gate opens."""

    def __init__(self, count: int) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.works = [Work(self._run) for _ in range(count)]

    def _run(self) -> None:
        self.entered.release()
        self.gate.wait(10)

    def begin(self, pool: Dispatcher, number: int) -> Work:
        submit(pool, self.works[number])
        assert self.entered.acquire(timeout=10)
        return self.works[number]


def give(pool: Dispatcher, work: Work) -> bool:
    return pool.give_place(work.exchange)


def test_a_place_that_is_given_back_is_taken_by_what_waits() -> None:
    """At once, by another thread, and as often as one is given."""
    held = Held(4)
    with dispatcher(1, 3) as (pool, _):
        for number in range(4):
            held.begin(pool, number)
            if number < 3:
                submit(pool, done := Work(lambda: None))
                assert pool.waiting == 1
                assert give(pool, held.works[number])
                until(lambda done=done: done.done)  # type: ignore[misc]
        assert len(pool.running) == 4
        held.gate.set()
    assert [work.times for work in held.works] == [1] * 4


def test_giving_is_refused_where_streams_are_spent_and_granted_when_one_ends() -> None:
    asked: list[int] = []
    first, held = threading.Event(), Held(2)
    with dispatcher(1, 1) as (pool, _):
        pool.spent = lambda: asked.append(1)
        entered = threading.Event()

        def run() -> None:
            entered.set()
            first.wait(10)

        submit(pool, before := Work(run))
        assert entered.wait(10)
        assert give(pool, before)
        second = held.begin(pool, 0)
        assert not give(pool, second)
        assert (second.exchange.standing, asked) == (ASKS, [])  # nobody waits for the place
        submit(pool, late := Work(lambda: None))
        assert asked == [1]
        assert (late.times, pool.waiting) == (0, 1)
        first.set()
        until(lambda: late.done)
        assert second.exchange.standing == STREAMS
        held.gate.set()


def test_it_may_be_given_again_and_by_what_is_queued_or_over() -> None:
    held = Held(1)
    with dispatcher(1, 2) as (pool, _):
        work = held.begin(pool, 0)
        submit(pool, queued := Work(lambda: None))
        assert not give(pool, queued)
        assert give(pool, work)
        assert give(pool, work)
        until(lambda: queued.done)
        assert not give(pool, queued)
        held.gate.set()
        until(lambda: not pool.running)
        assert (pool._places.room, pool._places.streams) == (pool._places.threads - 1, {})


def test_an_exchange_that_is_over_takes_no_other_standing() -> None:
    """However the threads are switched: its thread looks at it once, when it is over."""
    with switching(1e-6):
        for _ in range(300):
            exchange = Around(returning(b"x")).exchange
            noted: list[bool] = []
            other = threading.Thread(target=lambda: noted.append(exchange.stand(STREAMS)))  # noqa: B023
            other.start()
            exchange.run()
            standing = exchange.standing
            other.join(10)
            assert noted == [standing == STREAMS]
            assert not exchange.stand(ASKS)
            assert exchange.standing == standing


@pytest.mark.parametrize("streams", [0, 1, 100])
def test_places_are_kept_count_of_however_the_threads_are_switched(streams: int) -> None:
    """Against the end of exchanges, by any thread, whether there is room for streams or not."""
    seeded = random.Random(streams)
    threads = 3
    with switching(1e-6):
        for _ in range(30):
            with dispatcher(threads, streams) as (pool, _):
                over = threading.Event()
                works: list[Work] = []
                crowded: list[int] = []

                def waits(pool: Dispatcher = pool) -> None:
                    if seeded.random() < 0.5:
                        pool.client_awaited()

                def sweep(
                    pool: Dispatcher = pool,
                    over: threading.Event = over,
                    crowded: list[int] = crowded,
                ) -> None:
                    while not over.is_set():
                        for exchange in pool.running:
                            pool.give_place(exchange)
                        crowded.append(len(pool._places.running))

                sweeper = threading.Thread(target=sweep)
                sweeper.start()
                for _ in range(200):
                    works.append(Work(waits))
                    submit(pool, works[-1])
                until(lambda: all(work.done for work in works) and not pool.running)  # noqa: B023
                over.set()
                sweeper.join(10)
                places = pool._places
                assert {work.times for work in works} == {1}
                assert (places.streams, places.asking) == ({}, [])
                assert max(crowded, default=0) <= threads
                until(lambda: places.drains == len(places.running) <= 1)  # noqa: B023

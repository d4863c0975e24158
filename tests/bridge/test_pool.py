"""The dispatcher: every exchange runs once, blocked threads make room for others, none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.threads import ThreadSource
from tests.bridge.work import Work
from tests.switching import switching


class Loop:
    """Stands for the loop's timer: a thread that calls when it is due."""

    def __init__(self) -> None:
        self.timers: list[threading.Timer] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        call()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        self.timers.append(timer)
        timer.start()


@contextmanager
def dispatcher(threads: int, streams: int = 0) -> Iterator[tuple[Dispatcher, Loop]]:
    loop = Loop()
    with ThreadPoolExecutor(threads + streams) as executor:
        pool = Dispatcher(
            ThreadSource(executor, threads),
            threads,
            most_streams=streams,
            call_soon=loop.call_soon,
            call_later=loop.call_later,
            clock=time.monotonic,
            busy=lambda: 0.0,
            patience=1.0,
        )
        yield pool, loop
        while pool.waiting or pool.running:
            time.sleep(0.001)
        pool.close()  # a drain that is parked goes at once
        for timer in loop.timers:
            timer.join()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.001)


def submit(pool: Dispatcher, work: Work) -> None:
    pool.submit(work.exchange)


def test_a_blocked_thread_does_not_hold_the_queue() -> None:
    """Threads are added while the deque does not move, up to the limit."""
    gate = threading.Event()
    blocked = threading.Barrier(5, timeout=10)

    def block() -> None:
        blocked.wait()  # only when four of them run at once with us
        gate.wait(10)

    with dispatcher(4) as (pool, _):
        works = [Work(block) for _ in range(4)]
        for work in works:
            submit(pool, work)
        blocked.wait()
        late = Work(lambda: None)
        submit(pool, late)
        assert len(pool.running) == 4
        assert pool.waiting == 1
        gate.set()
    assert [work.times for work in (*works, late)] == [1] * 5


def test_the_second_of_two_that_came_together_is_not_forgotten() -> None:
    """A drain that takes the first before the ring is over leaves one, and it is looked after."""
    gate, entered = threading.Event(), threading.Semaphore(0)

    def block() -> None:
        entered.release()
        gate.wait(10)

    class Quick(ThreadPoolExecutor):
        """Returns from submit when the drain is inside of an exchange."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = super().submit(fn, *args, **kwargs)
            assert entered.acquire(timeout=10)
            return future

    loop = Loop()
    ring: list[Callable[[], None]] = []
    with Quick(2) as executor:
        pool = Dispatcher(
            ThreadSource(executor, 2),
            2,
            call_soon=ring.append,
            call_later=loop.call_later,
            clock=time.monotonic,
            busy=lambda: 0.0,
        )
        works = [Work(block), Work(block)]
        for work in works:
            submit(pool, work)
        while ring:
            ring.pop()()
        try:
            until(lambda: len(pool.running) == 2)
        finally:
            gate.set()


def test_never_more_than_the_threads_run_at_once() -> None:
    lock = threading.Lock()
    now = most = 0

    def run() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1

    with dispatcher(3) as (pool, _):
        works = [Work(run) for _ in range(60)]
        for work in works:
            submit(pool, work)
    assert most <= 3
    assert [work.times for work in works] == [1] * 60


def test_every_exchange_runs_exactly_once_under_fast_switching() -> None:
    """The hand-over between submit and a drain that is about to end loses nothing."""
    with switching(1e-6):
        for _ in range(20):
            with dispatcher(4) as (pool, _):
                works = [Work(lambda: None) for _ in range(300)]
                for work in works:
                    submit(pool, work)
            assert {work.times for work in works} == {1}
            assert pool.waiting == 0
            assert pool.running == []


def test_closing_skips_what_waits_and_names_what_runs() -> None:
    gate = threading.Event()
    entered = threading.Event()

    def block() -> None:
        entered.set()
        gate.wait(10)

    with dispatcher(1) as (pool, _):
        first, second = Work(block), Work(lambda: None)
        submit(pool, first)
        assert entered.wait(10)
        submit(pool, second)
        assert pool.close() == [first.exchange]
        gate.set()
    assert second.skipped


def test_an_executor_that_was_shut_down_ends_the_exchange_instead_of_losing_it() -> None:
    loop = Loop()
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    pool = Dispatcher(
        ThreadSource(executor, 1),
        1,
        call_soon=loop.call_soon,
        call_later=loop.call_later,
        clock=time.monotonic,
        busy=lambda: 0.0,
    )
    work = Work(lambda: None)
    submit(pool, work)
    assert work.skipped


def test_a_parked_drain_is_woken_for_each_exchange_and_none_is_lost() -> None:
    """One after the other, as a lone client asks: the hand-over to a parked drain."""
    with switching(1e-6):
        with dispatcher(4) as (pool, _):
            for _ in range(2000):
                done = threading.Event()
                submit(pool, Work(done.set))
                assert done.wait(10)


def test_many_submitters_in_turn_find_the_parked_drain_or_start_one() -> None:
    """Bursts of every size, with pauses in which drains park and leave."""
    with switching(1e-6):
        with dispatcher(3) as (pool, _):
            for burst in range(400):
                works = [Work(lambda: None) for _ in range(burst % 7)]
                done = threading.Event()
                works.append(Work(done.set))
                for work in works:
                    submit(pool, work)
                assert done.wait(10)

"""Threads for drains: a crowd takes its own with it; one that is missing is asked for again.

S6: no thread is left by any fault; S3: streams are no fault, and may be a thousand.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from aiowsgi.bridge.threads import ThreadSource
from tests.switching import switching

make = partial(ThreadPoolExecutor, 8, thread_name_prefix="crowd")


def crowd() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("crowd")]


def fill(source: ThreadSource, number: int) -> Callable[[], None]:
    """Keep so many threads busy; what is returned lets them go and waits until they have."""
    leave = threading.Event()
    entered, left = threading.Semaphore(0), threading.Semaphore(0)

    def drain() -> None:
        entered.release()
        leave.wait(10)
        left.release()

    for _ in range(number):
        assert source.run(drain)
    for _ in range(number):
        assert entered.acquire(timeout=10)

    def let_go() -> None:
        leave.set()
        for _ in range(number):
            assert left.acquire(timeout=10)

    return let_go


def settle(source: ThreadSource, busy: int) -> None:
    """A drain has said that it is over before its thread has counted it."""
    deadline = threading.Event()
    for _ in range(2000):
        if source._busy == busy:
            return
        deadline.wait(0.005)
    raise AssertionError(f"{source._busy} are busy, not {busy}")


def test_the_threads_of_a_crowd_end_when_it_has_been_gone_for_a_while() -> None:
    source = ThreadSource(make(), 2, make)
    fill(source, 8)()
    settle(source, 0)
    threads = crowd()
    assert len(threads) == 8
    source.sweep(100.0)
    source.sweep(109.0)
    assert len(crowd()) == 8  # it may come back
    source.sweep(111.0)
    for thread in threads:
        thread.join(10)
    assert not crowd()
    fill(source, 2)()
    settle(source, 0)
    assert len(crowd()) == 2
    for now in (200.0, 211.0, 222.0):
        source.sweep(now)
    assert len(crowd()) == 2  # those that are usual stay
    source.shutdown(wait=True)
    assert not crowd()


def test_a_crowd_that_comes_back_keeps_its_threads() -> None:
    source = ThreadSource(make(), 2, make)
    fill(source, 6)()
    settle(source, 0)
    before = crowd()
    source.sweep(100.0)
    let_go = fill(source, 5)
    source.sweep(109.0)
    let_go()
    settle(source, 0)
    source.sweep(111.0)
    source.sweep(120.0)
    assert set(crowd()) == set(before)
    source.shutdown(wait=True)


def test_who_is_still_busy_when_the_crowd_has_gone_goes_on_to_the_end() -> None:
    source = ThreadSource(make(), 2, make)
    let_go = fill(source, 1)
    fill(source, 7)()
    settle(source, 1)
    source.sweep(100.0)
    source.sweep(111.0)
    let_go()
    settle(source, 0)
    for thread in crowd():
        thread.join(10)
    assert not crowd()
    source.shutdown(wait=True)


def test_no_call_is_lost_while_the_executor_is_replaced() -> None:
    """`run` and `sweep` at once: who finds the old executor shut down tries the new one."""
    source = ThreadSource(make(), 0, make)
    ran = threading.Semaphore(0)
    stop = threading.Event()

    def sweeps() -> None:
        now = 100.0
        while not stop.is_set():
            now += 11.0
            source.sweep(now)

    with switching(1e-5):
        sweeper = threading.Thread(target=sweeps)
        sweeper.start()
        try:
            for _ in range(2000):
                assert source.run(ran.release)
                assert ran.acquire(timeout=10)
        finally:
            stop.set()
            sweeper.join(10)
    source.shutdown(wait=True)


class Exhausted(Executor):
    """Keeps what it has no thread for, and raises all the same, as ThreadPoolExecutor does."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], Any]] = []
        self.exhausted = True

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls.append(fn)
        if self.exhausted:
            raise RuntimeError("can't start new thread")
        while self.calls:
            self.calls.pop(0)()
        return Future()


def test_a_thread_that_cannot_be_started_is_asked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """S5: no crash and no spin where the system has nothing left, and recovery."""
    executor = Exhausted()
    source = ThreadSource(executor, 2)
    ran: list[int] = []
    assert source.run(lambda: ran.append(1))
    with caplog.at_level(logging.WARNING, "aiowsgi.error"):
        source.sweep(1.0)
    assert not ran
    assert "No thread can be started" in caplog.text
    caplog.clear()
    executor.exhausted = False
    source.sweep(2.0)
    assert ran == [1]
    source.sweep(3.0)
    assert not caplog.text
    assert not executor.calls


def test_the_users_own_executor_is_neither_replaced_nor_shut_down() -> None:
    with make() as executor:
        source = ThreadSource(executor, 1)
        fill(source, 8)()
        settle(source, 0)
        source.sweep(100.0)
        source.sweep(111.0)
        source.shutdown(wait=True)
        assert executor.submit(lambda: "still there").result(10) == "still there"
        assert len(crowd()) == 8


def test_an_executor_that_was_shut_down_is_said_to_take_nothing() -> None:
    executor = make()
    executor.shutdown()
    assert not ThreadSource(executor, 1).run(lambda: None)

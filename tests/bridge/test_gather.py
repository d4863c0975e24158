"""Exchanges that come together wake a pool thread once, and one that comes alone does not wait."""

from __future__ import annotations

from collections.abc import Callable

from aiowsgi.bridge import gather
from aiowsgi.bridge.gather import Gathering


class Turns:
    """The loop's turns, taken by hand: `turn` runs what was asked for in the one before."""

    def __init__(self) -> None:
        self.queue: list[int] = []
        self.rung: list[int] = []
        self.now = 0.0
        self._soon: list[Callable[[], None]] = []
        self.gathering = Gathering(self.queue, self._ring, self._soon.append, lambda: self.now)

    def _ring(self) -> None:
        self.rung.append(len(self.queue))
        self.queue.clear()

    def come(self, count: int = 1) -> None:
        for _ in range(count):
            self.queue.append(0)
            self.gathering.came(self.now)

    def turn(self) -> None:
        soon, self._soon[:] = list(self._soon), []
        for call in soon:
            call()

    def alone(self) -> None:
        """Let one come alone, so often that the next is not the one that tries."""
        for _ in range(gather._TRY + 1):
            self.come()
            while self.gathering.due:
                self.turn()
        self.rung.clear()


def test_one_that_comes_alone_is_rung_for_in_the_next_turn() -> None:
    turns = Turns()
    turns.alone()
    turns.come()
    turns.turn()
    assert turns.rung == [1]


def test_what_comes_in_one_turn_is_rung_for_once() -> None:
    turns = Turns()
    turns.alone()
    turns.come(5)
    turns.turn()
    assert turns.rung == [5]
    assert not turns.gathering.due


def test_in_a_crowd_it_waits_as_long_as_each_turn_brings_another() -> None:
    turns = Turns()
    turns.come(2)
    turns.turn()
    turns.come()
    turns.turn()
    assert turns.rung == []
    turns.turn()
    assert turns.rung == [3]


def test_it_never_waits_longer_than_its_turns() -> None:
    turns = Turns()
    turns.come(2)
    for _ in range(gather._TURNS + 1):
        turns.turn()
        turns.come()
    assert turns.rung == [2 + gather._TURNS]


def test_it_never_waits_longer_than_its_seconds() -> None:
    turns = Turns()
    turns.come(2)
    turns.turn()
    turns.come()
    turns.now += gather._SECONDS
    turns.turn()
    assert turns.rung == [3]


def test_a_crowd_is_found_again_by_a_try_now_and_then() -> None:
    """New connections come one in a turn: each alone would be rung for by itself."""
    turns = Turns()
    turns.alone()
    for _ in range(gather._TRY * 2):
        turns.come()
        turns.turn()
    assert max(turns.rung) > 2


def test_what_waits_for_a_thread_is_no_crowd() -> None:
    """Where all threads are busy, the queue is long, and yet each comes alone."""
    turns = Turns()
    turns.alone()
    turns.queue += [0] * 20
    turns.come()
    turns.turn()
    turns.queue += [0] * 20
    turns.come()
    turns.turn()
    assert turns.rung == [21, 21]


def test_a_crowd_that_is_large_is_rung_for_at_once() -> None:
    """In the same turn, each time that so many have come; the rest in the next."""
    turns = Turns()
    turns.come(gather._MOST * 2 + 10)
    assert turns.rung == [gather._MOST, gather._MOST]
    turns.turn()
    turns.turn()
    assert turns.rung == [gather._MOST, gather._MOST, 10]


def test_of_a_long_queue_only_what_has_just_come_counts() -> None:
    """Where all threads are busy nobody is woken for each that comes."""
    turns = Turns()
    turns.alone()
    turns.queue += [0] * 500
    turns.come(gather._MOST - 1)
    assert turns.rung == []


def test_nobody_is_woken_for_nothing() -> None:
    turns = Turns()
    turns.alone()
    turns.come()
    turns.queue.clear()  # a drain was at it
    turns.turn()
    assert turns.rung == []
    assert not turns.gathering.due

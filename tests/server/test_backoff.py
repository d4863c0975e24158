"""When a worker that died is started again (S11)."""

from __future__ import annotations

from aiowsgi.server.backoff import Backoff


def test_who_served_for_long_is_replaced_at_once() -> None:
    backoff = Backoff(free=1)
    assert [backoff.died(60.0, now) for now in (100.0, 100.1, 100.2)] == [0.0] * 3
    assert backoff.until <= 100.2


def test_workers_that_die_together_are_replaced_at_once() -> None:
    backoff = Backoff(free=4)
    assert [backoff.died(1.0, 50.0) for _ in range(4)] == [0.0] * 4


def test_a_loop_of_quick_deaths_waits_ever_longer() -> None:
    backoff, now, waits = Backoff(free=2), 0.0, []
    for _ in range(12):
        waits.append(backoff.died(0.1, now))
        now = backoff.until + 0.1
    assert waits[:6] == [0.0, 0.0, 0.5, 1.0, 2.0, 4.0]
    assert waits[-3:] == [30.0] * 3


def test_a_loop_without_end_is_no_error() -> None:
    backoff = Backoff(free=0)
    for number in range(5000):
        assert backoff.died(0.0, number) <= 30.0


def test_a_loop_is_forgotten() -> None:
    for later, served in ((1.0, 60.0), (1000.0, 0.0)):
        backoff = Backoff(free=1)
        for _ in range(5):
            backoff.died(0.0, 0.0)
        assert backoff.died(served, later) == 0.0
        assert backoff.died(0.0, later) == (0.5 if served == 0.0 else 0.0)

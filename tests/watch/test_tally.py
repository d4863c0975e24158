"""Counts of many threads are whole, without a lock; what is known has a zero from the start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aiowsgi.errors import ProtocolError
from aiowsgi.watch.numbers import BOUNDS, KINDS, SHED, TIMEOUTS, Numbers, read, total
from aiowsgi.watch.tally import Tally


def test_no_count_is_lost_between_threads() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(2000):
            tally.note(SHED, "queue_full")
            tally.rejected(ProtocolError(400, "bad", b"GET / HTTP/1.1"))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(count)
    found = tally.numbers()
    assert found.counters[SHED]["queue_full"] == 16_000
    assert found.counters["requests"] == {"GET 400": 16_000}


def test_threads_that_come_and_go_leave_no_more_than_there_were_at_one_time() -> None:
    """S20: the counts of a thread that ended are another's."""
    tally = Tally()
    for _ in range(50):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(tally.note, TIMEOUTS, "send").result()
    assert tally.numbers().counters[TIMEOUTS]["send"] == 50
    assert len(tally._counts) < 10


def test_what_is_known_is_zero_from_the_start() -> None:
    counters = Tally().numbers().counters
    assert counters[SHED] == dict.fromkeys(KINDS[SHED], 0)
    assert counters[TIMEOUTS] == dict.fromkeys(KINDS[TIMEOUTS], 0)


def test_a_sum_adds_up_and_takes_the_worst_lag() -> None:
    sizes = [1] * (len(BOUNDS) + 1)
    one = Numbers(
        {"shed": {"a": 1}}, {"d": sizes}, {"d": 0.5}, {"q": {"": 2}, "loop_lag_seconds": {"": 0.1}}
    )
    other = Numbers(
        {"shed": {"a": 2, "b": 1}}, {"d": sizes}, {"d": 1}, {"loop_lag_seconds": {"": 0.3}}
    )
    found = total([one, other, Numbers()])
    assert found.counters == {"shed": {"a": 3, "b": 1}}
    assert found.buckets == {"d": [2] * len(sizes)}
    assert found.seconds == {"d": 1.5}
    assert found.gauges == {"q": {"": 2}, "loop_lag_seconds": {"": 0.3}}
    assert one.counters == {"shed": {"a": 1}}  # the parts are as they were


def test_what_is_told_as_text_is_read_as_it_was() -> None:
    numbers = Tally().numbers()
    numbers.gauges = {"threads": {"busy": 2.0}}
    assert read(numbers.text()) == numbers
    assert numbers.lasting().gauges == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"news": 1}', '{"buckets": 5}', '{"buckets": {"d": [1, 2]}}', "\x00"]
)
def test_what_another_version_tells_is_no_error(text: str) -> None:
    """A supervisor outlives the installation of a new version, and its workers do not."""
    assert read(text) == Numbers()

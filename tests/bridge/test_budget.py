"""All spools of a worker together stay within their budget, and give back what they took (S4)."""

from __future__ import annotations

import errno
import os
import random
import sys
import tempfile
from pathlib import Path

import pytest

from aiowsgi.bridge.body_spool import BodySpool
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.spool import ResponseSpool
from aiowsgi.bridge.spool_file import SpoolFile
from tests import descriptors

KIB = 1024


def held(budget: Budget) -> tuple[int, int]:
    return budget.memory, budget.disk


# -- request bodies --


def test_a_small_body_is_not_counted() -> None:
    budget = Budget(0, 0)
    spool = BodySpool(512 * KIB, budget)
    spool.write(b"x" * 4096)
    assert (held(budget), spool.counted) == ((0, 0), False)
    assert len(spool.open().read()) == 4096


def test_a_body_is_counted_until_it_is_closed_not_when_it_is_opened() -> None:
    budget = Budget(None, None)
    spool = BodySpool(512 * KIB, budget)
    for _ in range(10):
        spool.write(b"x" * 1000)
    assert held(budget) == (10_000, 0)
    with spool.open() as body:
        assert body.read() == b"x" * 10_000
        assert held(budget) == (10_000, 0)
    spool.close()
    spool.close()
    assert held(budget) == (0, 0)


def test_past_the_budget_of_memory_a_body_goes_straight_to_a_file() -> None:
    before = descriptors.held()
    budget = Budget(20_000, None)
    first, second = BodySpool(512 * KIB, budget), BodySpool(512 * KIB, budget)
    first.write(b"1" * 15_000)
    second.write(b"2" * 5_000)
    assert held(budget) == (20_000, 0)
    second.write(b"3" * 100)
    assert held(budget) == (15_000, 5_100)
    assert not descriptors.LISTED or descriptors.more_than(before) == 1
    second.write(b"4" * 100)
    with second.open() as body:
        assert body.read() == b"2" * 5_000 + b"3" * 100 + b"4" * 100
    for spool in (first, second):
        spool.close()
    assert (held(budget), descriptors.more_than(before)) == ((0, 0), 0)


@pytest.mark.parametrize("memory", [0, 5_000])
def test_past_both_budgets_a_body_is_refused_and_takes_no_file(memory: int) -> None:
    before = descriptors.held()
    budget = Budget(memory, 10_000)
    spool = BodySpool(512 * KIB, budget)
    spool.write(b"x" * 5_000)
    with pytest.raises(OSError, match="together are full") as refused:
        spool.write(b"x" * 6_001)
    assert refused.value.errno == errno.ENOSPC
    assert budget.disk <= 10_000
    spool.close()
    assert (held(budget), descriptors.more_than(before)) == ((0, 0), 0)


def test_a_body_that_cannot_have_a_file_gives_all_of_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget = Budget(None, None)
    spool = BodySpool(5_000, budget)
    spool.write(b"x" * 5_000)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(OSError, match="nowhere"):
        spool.write(b"x")
    spool.close()
    assert held(budget) == (0, 0)


@pytest.mark.parametrize("size", [2, 100])
def test_a_body_in_small_pieces_costs_little_more_than_its_size(size: int) -> None:
    """What a client sends drop by drop would cost twenty times its size as objects."""
    spool = BodySpool(512 * KIB, Budget())
    for _ in range(100_000 // size):
        spool.write(os.urandom(size))
    body = spool.open()
    assert sys.getsizeof(body) < 150_000
    assert len(body.read()) == 100_000


# -- responses --


def test_a_response_is_counted_until_it_is_taken() -> None:
    budget = Budget()
    spool = ResponseSpool(10_000, None, budget)
    assert spool.put(b"x" * 8_000) == 8_000
    assert spool.put(b"y" * 8_000) == 8_000
    assert held(budget) == (8_000, 8_000)
    assert len(spool.take(3_000)) == 3_000
    assert held(budget) == (5_000, 8_000)
    while spool.take(3_000):
        pass
    assert held(budget) == (0, 0)
    spool.close()


def test_past_the_budget_of_memory_a_response_goes_straight_to_its_file() -> None:
    budget = Budget(10_000, None)
    first, second = (ResponseSpool(KIB * KIB, None, budget) for _ in range(2))
    assert first.put(b"x" * 10_000) == 10_000
    assert second.put(b"y" * 10_000) == 10_000
    assert (held(budget), second.on_disk) == ((10_000, 10_000), 10_000)
    first.close()
    second.close()
    assert held(budget) == (0, 0)


def test_past_both_budgets_a_response_takes_the_least_that_keeps_it_moving() -> None:
    """The loop needs a byte in hand to learn that the client reads; and not a second one."""
    budget = Budget(0, 0)
    spool = ResponseSpool(KIB * KIB, None, budget)
    assert spool.put(b"x" * 100_000) == 16 * KIB
    assert spool.put(b"x" * 100_000) == 0
    assert spool.waiting == budget.memory == 16 * KIB
    while spool.take(KIB):
        pass
    assert spool.put(b"y") == 1
    spool.close()
    assert held(budget) == (0, 0)


def test_what_others_give_back_can_be_taken_at_once() -> None:
    budget = Budget(0, 1_000)
    first, second = (ResponseSpool(0, None, budget) for _ in range(2))
    assert first.put(b"x" * 1_000) == 1_000
    assert (second.put(b"y" * 20_000), second.put(b"z")) == (16 * KIB, 0)
    first.close()
    assert second.put(b"z") == 1
    second.close()
    assert held(budget) == (0, 0)


def test_small_blocks_of_a_response_share_a_buffer() -> None:
    """A stream of events for a reader that is deaf."""
    spool = ResponseSpool(KIB * KIB, None, Budget())
    given = b"".join(b"%06d" % number for number in range(20_000))
    for at in range(0, len(given), 6):
        assert spool.put(given[at : at + 6]) == 6
        if at == 600:
            assert spool.take(100) == given[:100]
    assert len(spool._blocks) < 20
    taken = given[:100]
    while piece := spool.take(5_000):
        taken += piece
    assert taken == given


# -- the file of a response --


def test_a_file_never_grows_past_its_limit_however_long_it_is_used(tmp_path: Path) -> None:
    """A reader that is always a little behind does not let it run dry."""
    seeded, budget = random.Random(11), Budget()
    file = SpoolFile(10_000, budget)
    given, taken = bytearray(), bytearray()
    for _ in range(3_000):
        block = seeded.randbytes(seeded.randrange(1, 3_000))
        given += block[: file.put(memoryview(block))]
        assert file.waiting == len(given) - len(taken) <= 10_000
        if file.waiting > 5_000:
            taken += file.take(seeded.randrange(1, 4_000))
        assert file._file is not None
        assert os.fstat(file._file.fileno()).st_size <= budget.disk <= 10_000
    while piece := file.take(700):
        taken += piece
    assert taken == given
    assert (held(budget), len(given) > 1_000_000) == ((0, 0), True)
    file.close()


def test_what_counts_is_the_size_of_the_file_not_what_waits_in_it() -> None:
    budget = Budget(None, 10_000)
    file = SpoolFile(None, budget)
    assert file.put(memoryview(b"x" * 10_000)) == 10_000
    assert len(file.take(9_000)) == 9_000
    assert (file.waiting, held(budget)) == (1_000, (0, 10_000))
    assert file.put(memoryview(b"y")) == 0
    assert len(file.take(9_000)) == 1_000
    assert held(budget) == (0, 0)
    assert file.put(memoryview(b"y")) == 1
    file.close()
    assert held(budget) == (0, 0)


def test_a_limit_of_nothing_means_no_file() -> None:
    before = descriptors.held()
    file = SpoolFile(0, Budget())
    assert file.put(memoryview(b"x")) == 0
    assert (file.take(10), descriptors.more_than(before)) == (b"", 0)

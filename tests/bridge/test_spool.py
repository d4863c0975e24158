"""Spools give back what was put in, in order, and keep what they promise in memory."""

from __future__ import annotations

import random

from aiowsgi.bridge.body_spool import BodySpool
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.spool import ResponseSpool
from tests.descriptors import LISTED, held, more_than


def drain(spool: ResponseSpool, limit: int = 1000) -> bytes:
    data = b""
    while piece := spool.take(limit):
        assert len(piece) <= limit
        data += piece
    return data


def test_a_small_body_stays_in_memory() -> None:
    before = held()
    spool = BodySpool(10, Budget())
    spool.write(b"12345")
    spool.write(b"67890")
    assert more_than(before) == 0
    with spool.open() as body:
        assert body.read() == b"1234567890"


def test_a_body_past_the_threshold_is_a_file_without_a_name() -> None:
    before = held()
    spool = BodySpool(10, Budget())
    for piece in (b"12345", b"67890", b"1", b"23"):
        spool.write(piece)
    assert spool.size == 13
    assert not LISTED or more_than(before) == 1
    with spool.open() as body:
        assert body.readline() == b"1234567890123"
        assert body.read() == b""
    spool.close()
    assert more_than(before) == 0


def test_closing_a_body_gives_its_file_back() -> None:
    before = held()
    spool = BodySpool(1, Budget())
    spool.write(b"1234")
    spool.close()
    assert more_than(before) == 0


def test_a_response_spool_is_first_in_first_out_over_memory_and_file() -> None:
    seeded = random.Random(7)
    budget = Budget()
    spool = ResponseSpool(100, None, budget)
    given = taken = b""
    for _ in range(500):
        block = seeded.randbytes(seeded.randrange(1, 90))
        assert spool.put(block) == len(block)
        given += block
        for _ in range(seeded.randrange(3)):
            taken += spool.take(seeded.randrange(1, 60))
        assert spool.waiting == len(given) - len(taken)
    taken += drain(spool)
    assert taken == given
    assert (budget.memory, budget.disk) == (0, 0)
    spool.close()


def test_memory_is_used_again_once_the_file_is_read() -> None:
    spool = ResponseSpool(10, None, Budget())
    spool.put(b"x" * 8)
    spool.put(b"y" * 8)
    assert spool.on_disk == 8
    spool.put(b"z")  # memory has room, but what is older is in the file
    assert spool.on_disk == 9
    assert drain(spool) == b"x" * 8 + b"y" * 8 + b"z"
    spool.put(b"again")
    assert spool.on_disk == 0
    assert drain(spool) == b"again"
    spool.close()


def test_a_slice_of_a_large_block_does_not_keep_the_block() -> None:
    spool = ResponseSpool(100, None, Budget())
    block = bytearray(1000)
    view = memoryview(block)[990:]
    spool.put(view)
    view.release()
    block.extend(b"x")  # a BufferError while a view of it lives


def test_closing_a_response_spool_forgets_everything() -> None:
    before = held()
    spool = ResponseSpool(4, None, Budget())
    spool.put(b"123456")
    assert not LISTED or more_than(before) == 1
    spool.close()
    assert more_than(before) == 0
    assert spool.waiting == 0
    assert spool.take(10) == b""

"""A worker whose code fails is not tried again before a change; the old go before the new."""

from __future__ import annotations

import selectors
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from aiowsgi.config import Config
from aiowsgi.server.launch import Start
from aiowsgi.server.reloader import Successive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no workers")


class Launched:
    """Launches processes that end at once, and counts them."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, start: Start) -> tuple[int, bytes]:
        self.number += 1
        process = subprocess.Popen(["true"])
        process.returncode = 0  # the workers wait for it
        return process.pid, b""


@pytest.fixture
def launched() -> Launched:
    return Launched()


@pytest.fixture
def workers(launched: Launched) -> Iterator[Successive]:
    with selectors.DefaultSelector() as selector:
        yield Successive(Config(), [], launched, selector=selector, forget=lambda: None)


def until_it_has_ended(workers: Successive) -> None:
    while len(workers):
        workers.reap(time.monotonic())


def test_nothing_is_tried_again_before_the_next_change(
    workers: Successive, launched: Launched
) -> None:
    workers.balance(0.0)
    until_it_has_ended(workers)
    for later in (1.0, 1000.0, 1e9):
        workers.balance(later)
    assert launched.number == 1
    assert not workers.ending
    workers.renew(Config())
    workers.balance(1e9)
    assert launched.number == 2
    until_it_has_ended(workers)


def test_a_change_while_it_starts_has_it_end_and_another_start(
    workers: Successive, launched: Launched
) -> None:
    workers.balance(0.0)
    workers.renew(Config())
    for _ in range(3):
        workers.balance(0.0)
        assert launched.number == 1  # the first is still to be waited for
    until_it_has_ended(workers)
    workers.balance(0.0)
    assert launched.number == 2
    until_it_has_ended(workers)

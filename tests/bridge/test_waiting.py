"""What waits for a thread can be taken back, and what waited for too long is not run (S9, A16)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import cast

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.waiting import withdraw, withdraw_older
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.bridge.test_exchange import Around
from tests.switching import switching


class Queued:
    """Stands for an exchange: only its identity and its age are looked at."""

    def __init__(self, queued: float) -> None:
        self.queued = queued


def exchanges(*times: float) -> deque[Exchange]:
    return deque(cast("Exchange", Queued(time)) for time in times)


def test_one_that_was_taken_back_is_gone_and_the_others_keep_their_order() -> None:
    queue = exchanges(1, 2, 3)
    first, second, third = queue
    assert withdraw(queue, second)
    assert list(queue) == [first, third]


def test_one_that_a_drain_has_taken_cannot_be_taken_back() -> None:
    queue = exchanges(1, 2)
    first = queue.popleft()
    assert not withdraw(queue, first)
    assert len(queue) == 1


def test_those_that_are_older_than_a_moment_are_taken_the_oldest_first() -> None:
    queue = exchanges(1, 2, 3, 4)
    assert [each.queued for each in withdraw_older(queue, 3)] == [1, 2]
    assert [each.queued for each in queue] == [3, 4]
    assert withdraw_older(exchanges(), 10) == []


def test_each_goes_to_a_drain_or_is_taken_back_and_never_both() -> None:
    for _ in range(20):
        queue = exchanges(*range(500))
        everything = list(queue)
        run: list[Exchange] = []

        def drain(queue: deque[Exchange] = queue, run: list[Exchange] = run) -> None:
            while queue:
                try:
                    run.append(queue.popleft())
                except IndexError:
                    return

        threads = [threading.Thread(target=drain) for _ in range(2)]
        with switching(1e-6):
            for thread in threads:
                thread.start()
            back = [each for each in reversed(everything) if withdraw(queue, each)]
            for thread in threads:
                thread.join()
        assert sorted(map(id, run + back)) == sorted(map(id, everything))


def test_what_a_thread_takes_too_late_gets_a_503_and_is_not_run() -> None:
    called: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        called.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    for started, status in ((3.0, b"200"), (3.1, b"503")):
        around = Around(app)
        around.exchange._application.patience = 2.0
        around.exchange.queued, around.exchange.started = 1.0, started
        around.exchange.run()
        assert around.kernel.sent[9:12] == status
        assert around.exchange.done
        assert around.ended == [around.exchange]
    assert b"\r\nRetry-After: " in around.kernel.sent
    assert b"\r\nConnection: close\r\n" in around.kernel.sent
    assert called == ["/p"]

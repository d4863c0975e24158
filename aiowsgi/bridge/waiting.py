"""Takes exchanges back from the dispatcher's queue: on the loop thread, while drains take them too.

One call of `deque.remove` decides who has an exchange: a drain, which runs it, or the caller, who
ends it.
"""

from __future__ import annotations

from collections import deque

from aiowsgi.bridge.exchange import Exchange


def withdraw(queue: deque[Exchange], exchange: Exchange) -> bool:
    """Take one back; False where a drain has it already."""
    while True:
        try:
            queue.remove(exchange)
        except ValueError:
            return False
        except IndexError:  # without a GIL: a drain took another while we looked
            continue
        return True


def skip_all(queue: deque[Exchange]) -> None:
    """End all that no drain has taken: none of them will run."""
    while queue:
        try:
            exchange = queue.popleft()
        except IndexError:  # a drain was faster
            return
        exchange.skip()


def withdraw_older(queue: deque[Exchange], moment: float) -> list[Exchange]:
    """Take back those that were queued before this (monotonic seconds); the oldest is first."""
    found: list[Exchange] = []
    while True:
        try:
            first = queue[0]
        except IndexError:
            return found
        if first.queued >= moment:
            return found
        if withdraw(queue, first):
            found.append(first)

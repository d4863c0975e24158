"""What a server has done since it began; counting costs a request nothing that its id does not."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from aiowsgi.bridge.application import ids
from aiowsgi.bridge.exchange import Exchange


class Done(NamedTuple):
    """The requests of one server, or of several.

    `served`: the application had them, and was not cut; `cut`: they had begun, and patience ended
    before their clients had the whole answer. `untold`: how many workers died before they could
    tell the two; nobody guesses theirs.
    """

    served: int = 0
    cut: int = 0
    untold: int = 0

    def plus(self, other: Done) -> Done:
        """Those of both."""
        return Done(*map(sum, zip(self, other, strict=True)))

    def in_words(self, seconds: float) -> str:
        """What was done in that time, for the last line of a log."""
        told = f"{number_of(self.served, 'request')} served in {seconds:.1f} seconds"
        if self.cut:
            told += f", {self.cut} cut"
        if self.untold:
            told += f"; not counted: those of {number_of(self.untold, 'worker')} that died"
        return told


class Account:
    """Counts the requests of one server, and its time; the loop thread's.

    `counts`, set before the start, is told the number of each request, on its pool thread.
    """

    def __init__(self) -> None:
        self.counts: Callable[[int], None] | None = None
        self.done = Done()  # at the end
        self._began = time.monotonic()
        self._numbers = itertools.count(1)
        self._looks = 0

    def request_ids(self) -> Iterator[str]:
        """Yield an id for each request that the application gets, for any thread that asks.

        Each is one step of an itertools.count: no lock of ours, and exact under a GIL.
        """
        self._began = time.monotonic()
        counts = self.counts
        if counts is None:
            return ids(self._numbers)

        def counted(number: int) -> int:
            counts(number)
            return number

        return ids(map(counted, self._numbers))

    @property
    def begun(self) -> int:
        """How many ids were given. A look takes a number, too: a gap in the ids harms nobody."""
        number = next(self._numbers) - 1 - self._looks
        self._looks += 1
        return number

    def close(self, cut: Sequence[Exchange | None]) -> None:
        """It is the end. `cut` is what had begun; None for a request without an exchange yet."""
        had_begun = sum(each is not None and bool(each.started and each.request_id) for each in cut)
        self.done = Done(self.begun - had_begun, len(cut))

    def __str__(self) -> str:
        return self.done.in_words(time.monotonic() - self._began)


def number_of(number: int, what: str) -> str:
    """Such as "1 thread" and "2 threads"."""
    return f"{number} {what}{'s' * (number != 1)}"

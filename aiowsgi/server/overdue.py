"""What has been inside the application for long: looked at once per sweep, without a timer each.

An application that runs past its timeout has its client answered, its stack logged and its place
given to another thread (S10).

An exchange that waits for its client, or has sent to it for `stream_after` seconds, gives its place
in the pool back and is a stream from then on. Where the places of streams are spent and a request
waits, the client that has made no progress for longest is cut, as often as a place is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiowsgi.bridge.exchange import ASKS, RUNS, STREAMS, Exchange
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.server.phases import often_enough
from aiowsgi.watch.numbers import SHED, TIMEOUTS
from aiowsgi.watch.stacks import stack_of
from aiowsgi.watch.tally import Tally

logger = logging.getLogger("aiowsgi.error")


class Overdue:
    """Watches over the exchanges of one dispatcher; the loop thread's.

    `stream_after`: seconds from the head of a response until it counts as a stream; `timeout`:
    seconds that an application may run, but for streams; `slow`: seconds after which a warning says
    where one is, once for each exchange; None = never.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        stream_after: float | None,
        timeout: float | None,
        slow: float | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._tally = tally or Tally()
        self._stream_after = stream_after
        self._timeout = timeout
        self._slow = slow
        self._warned: set[Exchange] = set()
        self._sending: dict[Exchange, float] = {}  # since when its head is out, as of a sweep
        # What each client has done so far, and when it last did something, as of a sweep.
        self._moved: dict[Exchange, tuple[tuple[int, ...], float]] = {}
        self._cut: list[Exchange] = []  # those that leave now
        self._told = False  # whether the log has said that nothing can be done

    def tick(self) -> float:
        """How often to look, in seconds."""
        return often_enough((self._stream_after, self._timeout, self._slow))

    @property
    def answers(self) -> bool:
        """Whether an application may have its answer taken away."""
        return self._timeout is not None

    def sweep(self, now: float) -> None:
        """Look at everything that runs; `now` in monotonic seconds."""
        threads = self._dispatcher.threads
        if not threads and not self._moved:
            return
        self._note_progress(threads.values(), now)
        self._cut.clear()  # who has not left by now is held by its application
        self._told = self._told and any(each.standing == ASKS for each in threads.values())
        for thread, exchange in threads.items():
            if exchange.standing != STREAMS and not exchange.done:
                self._look(thread, exchange, now)

    def _look(self, thread: int, exchange: Exchange, now: float) -> None:
        asks = exchange.standing == ASKS
        if asks or exchange.awaits_client or self._streams(exchange, now):
            self._dispatcher.give_place(exchange)
        elif self._timeout is not None and now - exchange.started >= self._timeout:
            self._expire(thread, exchange, now)
        elif self._slow is not None and now - exchange.started >= self._slow:
            self._warn(thread, exchange, now)

    def _warn(self, thread: int, exchange: Exchange, now: float) -> None:
        if exchange in self._warned:
            return
        self._warned.add(exchange)
        stack = stack_of(thread)
        if not exchange.done:
            age = now - exchange.started
            logger.warning("%s is slow: %.1fs so far. It is in:\n%s", exchange, age, stack)

    def _expire(self, thread: int, exchange: Exchange, now: float) -> None:
        stack = stack_of(thread)
        exchange.expire()
        if exchange.done:  # just now
            return
        self._tally.note(TIMEOUTS, "application")
        logger.error(
            "%s has run for %.1fs, past its timeout; a new thread takes its place. It is in:\n%s",
            exchange,
            now - exchange.started,
            stack,
        )
        self._dispatcher.give_place(exchange)

    def _streams(self, exchange: Exchange, now: float) -> bool:
        """Whether its response has been on its way for long enough."""
        since = self._sending.get(exchange)
        return (
            since is not None
            and self._stream_after is not None
            and (now - since >= self._stream_after)
        )

    def _note_progress(self, running: Iterable[Exchange], now: float) -> None:
        self._warned.intersection_update(running)
        before, self._moved = self._moved, {}
        sending, self._sending = self._sending, {}
        for exchange in running:
            moved = exchange.moved
            then = before.get(exchange)
            self._moved[exchange] = then if then and then[0] == moved else (moved, now)
            if exchange.writer.open:
                self._sending[exchange] = sending.get(exchange, now)

    def make_room(self) -> None:
        """A place for a stream is asked for, and there is none: cut whoever is stalled longest."""
        running = self._dispatcher.running
        self._cut = [each for each in self._cut if not each.done]
        asking = sum(each.standing == ASKS for each in running)
        if not self._dispatcher.waiting or len(self._cut) >= asking:
            return
        clients = [
            each
            for each in running
            if each.standing != RUNS and not each.writer.gone and not each.writer.over
        ]
        if not clients:
            if not self._told:
                logger.warning("No request gets a thread: the application is stuck in all of them")
            self._told = True
            return
        victim = min(clients, key=self._last_moved)
        logger.warning("All threads for streams are taken: cut %s, which stalled longest", victim)
        self._cut.append(victim)
        self._tally.note(SHED, "streams_full")
        victim.condemn("the server needed the thread for others")

    def _last_moved(self, exchange: Exchange) -> tuple[float, float]:
        known = self._moved.get(exchange)
        return (exchange.started if known is None else known[1]), exchange.started


def log_stuck(dispatcher: Dispatcher, now: float) -> None:
    """Log what still runs when patience is over, with its stack; `now` in monotonic seconds."""
    for thread, exchange in dispatcher.threads.items():
        stack, age = stack_of(thread), now - exchange.started
        logger.warning("Still running at the end: %s, for %.1fs, in:\n%s", exchange, age, stack)

"""Who is where in the pool: the drains, which hold its places, and the streams, which do not.

A place belongs to running application code. A *stream* is an exchange that waits for its client, or
sends to it for as long as the client likes: it has given its place to another drain and keeps its
thread until its end, when that thread takes a free place or leaves. Where all places for streams
are taken, an exchange that should give its place *asks*: the next stream that ends makes room.
"""

from __future__ import annotations

from aiowsgi.bridge.exchange import ASKS, STREAMS, Exchange


class Places:
    """The table of one Dispatcher, guarded by its lock; each method is called with that held.

    `running` has a key for each drain that has begun, and what it runs: the keys change under the
    lock only, while a drain replaces the value of its own.
    """

    __slots__ = ("_most_streams", "asking", "drains", "running", "streams", "threads")

    def __init__(self, threads: int, most_streams: int) -> None:
        self.threads = threads
        self._most_streams = most_streams
        self.drains = 0  # begun, or on their way to the deque
        self.running: dict[int, Exchange | None] = {}
        self.streams: dict[int, Exchange] = {}
        self.asking: list[Exchange] = []  # among the running: at most `threads`

    @property
    def exchanges(self) -> dict[int, Exchange]:
        """What runs now, with the threads."""
        running = {thread: each for thread, each in self.running.items() if each is not None}
        return {**running, **self.streams}

    @property
    def room(self) -> int:
        """How many drains more there may be."""
        return self.threads - self.drains

    def all_blocked(self) -> bool:
        """Whether every drain was noted to be blocked."""
        if len(self.running) < self.drains:
            return False  # one is on its way to the deque
        return all(each is not None and each.blocked for each in self.running.values())

    def note_blocked(self, since: float) -> None:
        """Note as blocked each exchange that was begun before `since` (monotonic seconds)."""
        for exchange in self.running.values():
            if exchange is not None and exchange.started < since:
                exchange.blocked = True

    def give(self, exchange: Exchange) -> bool:
        """Make a running exchange a stream; where there is no room for it, it asks from now on."""
        thread = next((key for key, each in self.running.items() if each is exchange), None)
        if thread is None:  # not begun, or over, or a stream already
            return False
        room = len(self.streams) < self._most_streams
        asked = exchange.standing == ASKS
        if not exchange.stand(STREAMS if room else ASKS):
            return False
        if room:
            del self.running[thread]
            self.streams[thread] = exchange
            self.drains -= 1
        if asked and room:
            self.asking.remove(exchange)
        elif not asked and not room:
            self.asking.append(exchange)
        return room

    def end(self, thread: int, exchange: Exchange) -> bool:
        """An exchange that was a stream or asked is over; whether its thread has a place now."""
        if exchange.standing == ASKS:
            self.asking.remove(exchange)
            self.running[thread] = None
            return True
        del self.streams[thread]
        any(self.give(each) for each in list(self.asking))  # the first that is not over
        if self.room <= 0:
            return False
        self.drains += 1
        self.running[thread] = None
        return True

    def leave(self, thread: int) -> None:
        """End a drain."""
        self.drains -= 1
        del self.running[thread]

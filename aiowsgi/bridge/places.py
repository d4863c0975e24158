"""Who is where in the pool: the drains, which hold its places, and the streams, which do not.

A place belongs to running application code. A *stream* is an exchange that waits for its client, or
sends to it for as long as the client likes: it has given its place to another drain and keeps its
thread until its end, when that thread takes a free place or leaves. Where all places for streams
are taken, an exchange that should give its place *asks*: the next stream that ends makes room.
"""

from __future__ import annotations

from aiowsgi.bridge.exchange import ASKS, STREAMS, Exchange


class Drain:
    """A thread that works off the deque; `exchange` is what it runs now, and its own to replace."""

    __slots__ = ("exchange", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread  # its identity
        self.exchange: Exchange | None = None


class Places:
    """The table of one Dispatcher, guarded by its lock; each method is called with that held.

    `running` has each drain that has begun, by its thread. One that is a stream is not among them.
    """

    __slots__ = ("_most_streams", "asking", "drains", "running", "streams", "threads")

    def __init__(self, threads: int, most_streams: int) -> None:
        self.threads = threads
        self._most_streams = most_streams
        self.drains = 0  # begun, or on their way to the deque
        self.running: dict[int, Drain] = {}
        self.streams: dict[int, Exchange] = {}
        self.asking: list[Exchange] = []  # among the running: at most `threads`

    @property
    def exchanges(self) -> dict[int, Exchange]:
        """What runs now, with the threads."""
        found = dict(self.streams)
        for thread, drain in self.running.items():
            if (exchange := drain.exchange) is not None:  # looked at once: it may change meanwhile
                found[thread] = exchange
        return found

    @property
    def room(self) -> int:
        """How many drains more there may be."""
        return self.threads - self.drains

    def all_blocked(self) -> bool:
        """Whether every drain was noted to be blocked."""
        if len(self.running) < self.drains:
            return False  # one is on its way to the deque
        now = [drain.exchange for drain in self.running.values()]
        return all(each is not None and each.blocked for each in now)

    def note_blocked(self, since: float) -> None:
        """Note as blocked each exchange that was begun before `since` (monotonic seconds)."""
        for drain in self.running.values():
            exchange = drain.exchange
            if exchange is not None and exchange.started < since:
                exchange.blocked = True

    def give(self, exchange: Exchange) -> bool:
        """Make a running exchange a stream; where there is no room for it, it asks from now on."""
        all_of_them = self.running.items()
        thread = next((key for key, each in all_of_them if each.exchange is exchange), None)
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

    def end(self, drain: Drain, exchange: Exchange) -> bool:
        """An exchange that was a stream or asked is over; whether its drain has a place now."""
        drain.exchange = None
        if exchange.standing == ASKS:
            self.asking.remove(exchange)
            return True
        del self.streams[drain.thread]
        any(self.give(each) for each in list(self.asking))  # the first that is not over
        if self.room <= 0:
            return False
        self.drains += 1
        self.running[drain.thread] = drain
        return True

    def leave(self, drain: Drain) -> None:
        """End a drain."""
        self.drains -= 1
        del self.running[drain.thread]

"""The in-flight table: each request that is not over, what it does now, and since when.

A row is plain values, so that a worker can tell it to its supervisor. Nothing secret is in it: no
header field, no query, no value of a variable. The oldest are first, and there is a most, so that
an overload does not make a table that nobody could read, or send.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.watch.stacks import stacks_of

QUEUED = "queued"  # no thread was free yet
RUNNING = "in the application"  # which has not begun to answer
SENDING = "sending"  # the application has begun to answer
SPOOLED = "spooled"  # the application is through, and the loop sends what waits

MOST = 200  # rows of one process
_OURS = "aiowsgi"  # how the names of our own threads begin


class Row(NamedTuple):
    """One request; seconds, and empty text where there is nothing to say."""

    worker: int  # the process
    thread: str  # empty where none has it
    method: str
    path: str
    state: str
    age: float  # since it was whole
    waited: float  # of these, for a thread
    client: str
    request_id: str
    stack: str = ""


class Thread(NamedTuple):
    """A thread that runs no request."""

    worker: int
    thread: str
    stack: str


def in_flight(
    worker: int,
    waiting: Iterable[Exchange],
    running: Mapping[int, Exchange],
    sent: Mapping[Exchange, str],
    now: float,
) -> dict[Exchange, Row]:
    """Make the table without stacks, the oldest first; `now` in monotonic seconds.

    `waiting` and `running` are looked at in this order, so that none is missed that a thread takes
    meanwhile; `sent`: those whose thread is through, with their clients.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found: dict[Exchange, tuple[str, str]] = dict.fromkeys(waiting, (QUEUED, ""))
    for thread, exchange in running.items():
        state = RUNNING if exchange.writer.head is None else SENDING
        found[exchange] = state, names.get(thread, "")
    for exchange in sent:
        found.setdefault(exchange, (SPOOLED, ""))
    oldest = sorted(found.items(), key=lambda item: item[0].queued)[:MOST]
    made = {exchange: _row(worker, exchange, now, *how) for exchange, how in oldest}
    for exchange in made.keys() & sent.keys():  # which do not know it any more
        made[exchange] = made[exchange]._replace(client=sent[exchange])
    return made


def with_stacks(rows: Mapping[Exchange, Row], running: Mapping[int, Exchange]) -> list[Row]:
    """The rows, with the stacks of those that a thread runs."""
    stacks = stacks_of(running)
    by_exchange = {exchange: stacks.get(thread, "") for thread, exchange in running.items()}
    return [
        # One that is over by now has a thread that is elsewhere.
        row if exchange.done else row._replace(stack=by_exchange.get(exchange, ""))
        for exchange, row in rows.items()
    ]


def other_threads(worker: int, running: Mapping[int, Exchange]) -> list[Thread]:
    """What the application's own threads do: whoever is stuck may wait for one of them."""
    others = {
        thread.ident: thread.name
        for thread in threading.enumerate()
        if thread.ident is not None
        and thread.ident not in running
        and not thread.name.startswith(_OURS)
        and thread.ident != threading.get_ident()
    }
    stacks = stacks_of(others)
    return [Thread(worker, name, stacks.get(ident, "")) for ident, name in others.items()][:MOST]


def _row(worker: int, exchange: Exchange, now: float, state: str, thread: str) -> Row:
    queued = exchange.queued or now  # what the loop has answered never was
    began = exchange.started or now
    return Row(
        worker,
        thread,
        exchange.head.method,
        exchange.head.shown_path,
        state,
        round(max(0.0, now - queued), 3),
        round(max(0.0, began - queued), 3),
        exchange.client,
        exchange.request_id,
    )

"""Drain: the one graceful end of serving, whatever it comes from; on the loop thread (S8).

A signal, a reload, a worker that has done enough and `Server.stop` all come here. Nobody new is
taken in, but for those whom the kernel has accepted already and nobody else would serve; requests
under way are finished, and their answers say that they are the last of their connections. A client
that was answered a moment ago may have sent its next request: it is waited for shortly.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.server.acceptor import Acceptor
from aiowsgi.server.farewell import take_no_new
from aiowsgi.server.phases import LAST_CHANCE, Phase
from aiowsgi.server.service import Service
from aiowsgi.server.sockets import Listener

_LOOK = 0.02  # how often to look whether it is over, in seconds


async def drain(
    service: Service,
    acceptor: Acceptor,
    listeners: Sequence[Listener],
    patience: float | None,
    killed: Callable[[], bool],
) -> None:
    """Return when all is finished, `patience` seconds are over (None = no limit), or when killed.

    `listeners` are those whose waiting clients nobody else would take; they are closed.
    """
    service.draining = True
    if service.pages is not None:
        service.pages.end_streams()
    for listener in listeners:
        if not listener.borrowed:
            take_no_new(listener.socket)
    await acceptor.accept_no_more()
    if listeners and not killed():
        await asyncio.sleep(_LOOK)  # who is in the midst of a handshake comes to its end
    for listener in listeners:
        await acceptor.take_waiting(listener, lambda: not killed())
        listener.close()
    now = time.monotonic()
    deadline = math.inf if patience is None else now + patience
    last_chance = min(deadline, now + LAST_CHANCE)
    for connection in list(service.connections):
        connection.drain()

    def over() -> bool:
        nonlocal last_chance
        now = time.monotonic()
        if now > last_chance:
            last_chance = math.inf
            service.sweep()  # closes who has sent nothing since
        waits = service.busy or (acceptor.shaking_hands and last_chance < math.inf)
        return not waits or killed() or now > deadline

    await until(over)


def unfinished(service: Service) -> list[Exchange | None]:
    """The requests that have begun and are not answered in full: to end now would cut them.

    None stands for one whose body is still read before it becomes an exchange.
    """
    found = []
    for connection in service.connections:
        phase, exchange, _ = connection.look()
        if phase is Phase.BODY or (exchange is not None and not exchange.writer.sent):
            found.append(exchange)
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds. Polled: what ends it happens on pool threads, too."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)

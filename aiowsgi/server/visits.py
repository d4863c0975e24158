"""What operators ask of a worker, at the addresses of its clients, and its supervisor answers.

A worker knows its own numbers and nobody else's. So it passes what is asked on over its line, and
the answer back, whole or piece by piece; it never waits, and neither does its supervisor. Each
visit has a number of its worker's.

    worker: VISIT number, question          supervisor: SHOW number, the answer
                                                        SHOW number, the beginning; then pieces
            LEFT number                     (nobody reads the pieces any more)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiowsgi.server.asked import OK, TEXT, Asked, Fields, Question, Routes, Status, answer_by
from aiowsgi.server.child import Child
from aiowsgi.server.lifeline import LEFT, SHOW, VISIT

Say = Callable[[str, str], None]

_PATIENCE = 5.0  # seconds: a table takes one where a worker does not answer


class Relay:
    """A worker's side; the loop thread's. `say` says a word and a text to the supervisor."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._asked: dict[int, Asked] = {}  # what waits for its answer
        self._sends: dict[int, Callable[[bytes], bool]] = {}  # to who sees a stream
        self._last = 0  # the number of the last visit

    def ask(self, asked: Asked) -> None:
        """Have the supervisor answer; a Route."""
        self._last += 1
        self._asked[self._last] = asked
        asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, self._last)
        self._say(VISIT, f"{self._last} {json.dumps(asked.question)}")

    def heard(self, text: str) -> None:
        """Pass on what the supervisor has said."""
        start, _, rest = text.partition(" ")
        number, told = int(start), json.loads(rest)
        if "piece" in told:
            send = self._sends.get(number)
            if send is not None and not send(told["piece"].encode()):
                del self._sends[number]
                self._say(LEFT, start)
            return
        asked = self._asked.pop(number, None)
        if asked is None:  # it came too late
            self._say(LEFT, start)
        elif "body" in told:
            status, fields = tuple(told["status"]), [tuple(field) for field in told["fields"]]
            asked.answer(told["body"].encode(), told["kind"], status=status, fields=fields)
        else:
            self._sends[number] = asked.stream(told["kind"])

    def _give_up(self, number: int) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None:
            status = (503, "Service Unavailable")
            asked.answer(b"The supervisor does not answer\n", TEXT, status=status)


class Visits:
    """A supervisor's side; of its one thread. `say` says a word and a text to a worker."""

    def __init__(self, routes: Routes, say: Callable[[Child, str, str], None]) -> None:
        self._routes = routes
        self._say = say

    def heard(self, child: Child) -> None:
        """Answer what operators have asked of a worker."""
        while child.visits:
            start, _, rest = child.visits.pop(0).partition(" ")
            visit = _Visit(Question(*json.loads(rest)), int(start), child, self._say)
            answer_by(self._routes, visit)


class _Visit(Asked):
    """A request that came in at a worker."""

    def __init__(
        self, question: Question, number: int, child: Child, say: Callable[[Child, str, str], None]
    ) -> None:
        super().__init__(question)
        self._number = number
        self._child = child
        self._say = say

    def answer(
        self, body: bytes, kind: str, *, status: Status = OK, fields: Fields | None = None
    ) -> None:
        self._tell(body=body.decode(), kind=kind, status=status, fields=fields or ())

    def stream(self, kind: str) -> Callable[[bytes], bool]:
        self._child.looking.add(self._number)
        self._tell(kind=kind)

        def send(piece: bytes) -> bool:
            there = self._number in self._child.looking and not self._child.line.ended
            if there:
                self._tell(piece=piece.decode())
            return there

        return send

    def _tell(self, **told: Any) -> None:
        self._say(self._child, SHOW, f"{self._number} {json.dumps(told)}")

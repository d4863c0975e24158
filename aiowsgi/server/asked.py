"""One request of an operator, wherever it came in, and the tables of what can be asked.

A route answers at once, later, or bit by bit; it does not know whether who asks is connected to
this process or to another, which passes on what is said here (visits.py).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

JSON, TEXT, EVENTS = "application/json", "text/plain; charset=utf-8", "text/event-stream"

Status = tuple[int, str]
Fields = list[tuple[str, str]]
OK: Status = (200, "OK")


class Question(NamedTuple):
    """What is asked; `accept` and `host` are the fields of these names, empty where there is none.

    HEAD is asked as GET is: whoever sends the answer leaves its body out.
    """

    method: str
    path: str
    query: str
    accept: str
    host: str


class Asked(ABC):
    """One request of an operator: `answer` it once, or `stream` to it."""

    def __init__(self, question: Question) -> None:
        self.method = question.method
        self.path = question.path
        self.query = dict(parse_qsl(question.query, keep_blank_values=True))
        self.accept = question.accept
        self.host = question.host
        self.question = question

    @abstractmethod
    def answer(
        self, body: bytes, kind: str, *, status: Status = OK, fields: Fields | None = None
    ) -> None:
        """Send the whole answer; `kind` is its media type."""

    @abstractmethod
    def stream(self, kind: str) -> Callable[[bytes], bool]:
        """Begin an answer without an end; what sends a piece of it, and says whether to go on."""

    def answer_json(self, value: Any, status: Status = OK) -> None:
        """Send a value as JSON."""
        self.answer(json.dumps(value).encode() + b"\n", JSON, status=status)

    def refuse(self, message: str) -> None:
        """Say why what was asked for is not done."""
        self.answer_json({"error": message}, (409, "Conflict"))


Route = Callable[[Asked], None]
# By method and path; a path that ends in /* takes whatever follows.
Routes = Mapping[tuple[str, str], Route]


def answer_by(routes: Routes, asked: Asked) -> None:
    """Answer by the route for what is asked, or say that there is none."""
    stem = asked.path.rpartition("/")[0]
    found = routes.get((asked.method, asked.path)) or routes.get((asked.method, stem + "/*"))
    if found is None:
        asked.answer(b"Not Found\n", TEXT, status=(404, "Not Found"))
    else:
        found(asked)

"""What may stand in an access line, of an exchange or of a request that was refused.

It is made for formats that ask for other things than the combined one, once per request.
"""

from __future__ import annotations

from time import time
from typing import Final

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.combined import CLIENT_LEFT

_NO_FIELDS: Final[dict[str, str]] = {}
_NO_ANSWER: Final[list[tuple[str, str]]] = []


class Entry:
    """One request that is over. Text is as it came: whoever makes a line escapes it (S14).

    Times are in seconds, -1.0 where there is none; `when` since the epoch.
    """

    def __init__(self, client: str, line: str, status: int, sent: int) -> None:
        self.when = time()
        self.client = client
        self.line = line
        self.status = status
        self.sent = sent
        self.received = 0
        self.method = self.target = self.path = self.query = self.version = ""
        self.fields = _NO_FIELDS
        self.answer = _NO_ANSWER
        self.seconds = self.queued = self.first = -1.0
        self.request_id = ""
        self.aborted = False
        self.kept = False  # whether the connection stays open
        self.printable = False  # whether what the client sent is known to be printable ASCII


def of_exchange(exchange: Exchange) -> Entry:
    """The entry of an exchange that is over."""
    head, writer = exchange.head, exchange.writer
    line = f"{head.method} {head.target} HTTP/{head.version}"
    status = CLIENT_LEFT if writer.head is None else writer.head.status
    entry = Entry(exchange.client, line, status, writer.body_bytes)
    entry.method, entry.target = head.method, head.target
    entry.path, entry.query, entry.version = head.path, head.query, head.version
    entry.fields = head.fields
    if writer.head is not None:
        entry.answer = writer.head.fields
    since = exchange.queued
    if since:  # what the loop answered by itself never was
        if exchange.started:
            entry.queued = exchange.started - since
        if writer.first:
            entry.first = writer.first - since
        if writer.ended:
            entry.seconds = writer.ended - since
    entry.received = exchange.received
    entry.request_id = exchange.request_id
    entry.aborted = writer.aborted
    entry.printable = head.printable
    entry.kept = writer.keep_alive and not writer.aborted
    return entry


def of_refusal(client: str, error: ProtocolError, sent: int) -> Entry:
    """The entry of a request that never became an exchange."""
    entry = Entry(client, error.line.decode("latin-1"), error.status, sent)
    words = entry.line.split(" ")
    if len(words) == 3:
        entry.method, entry.target = words[0], words[1]
        entry.path, _, entry.query = entry.target.partition("?")
        entry.version = words[2].removeprefix("HTTP/")
    return entry

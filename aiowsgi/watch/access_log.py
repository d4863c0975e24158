"""The access log: one line per request in the combined format, written off the hot path.

A pool thread or the loop only appends a tuple; a thread of the log's own makes the line and gives
it to the logger, batch by batch, so that a slow disk or terminal holds neither clients nor the
application. Where the log cannot keep up, lines are dropped and counted, never memory filled.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError

_MOST = 100_000  # lines that wait to be written
_BATCH_SECONDS = 0.05
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\]')


class Line(NamedTuple):
    """What one line says."""

    when: float  # seconds since the epoch
    client: str
    request: str
    status: int
    sent: int  # bytes of the body
    referer: str
    agent: str


class AccessLog:
    """Notes from any thread, lines from its own; `close` writes what is left."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lines: deque[Line] = deque()
        self._dropped = 0
        self._closed = False
        self._some = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="aiowsgi-log", daemon=True)
        self._thread.start()

    # -- any thread --

    def answered(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""
        head, answer = exchange.head, exchange.writer.head
        referer = head.fields.get("HTTP_REFERER", "")
        agent = head.fields.get("HTTP_USER_AGENT", "")
        request = f"{head.method} {head.target} HTTP/{head.version}"
        status = 0 if answer is None else answer.status
        sent = exchange.writer.body_bytes
        self._note(Line(time.time(), exchange.client, request, status, sent, referer, agent))

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that the server refused by itself."""
        line = error.line.decode("latin-1")
        self._note(Line(time.time(), client, line, error.status, sent, "", ""))

    def _note(self, line: Line) -> None:
        if len(self._lines) >= _MOST:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._some.is_set():
            self._some.set()

    def close(self) -> None:
        """Write what waits and end."""
        self._closed = True
        self._some.set()
        self._thread.join(timeout=2)

    # -- the log's own thread --

    def _write_all(self) -> None:
        while not self._closed or self._lines:
            self._some.wait()
            self._some.clear()
            while self._lines:
                with suppress(Exception):  # a handler that raises does not end the log
                    self._logger.info("%s", combined(self._lines.popleft()))
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._logger.warning("%d lines were dropped: the log is too slow", dropped)
            if not self._closed:
                time.sleep(_BATCH_SECONDS)


def combined(line: Line) -> str:
    """The line in the combined format of Apache's httpd; nothing of a request forges it (S14)."""
    when = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(line.when))
    return (
        f'{line.client or "-"} - - [{when}] "{_safe(line.request)}" {line.status or "-"} '
        f'{line.sent} "{_safe(line.referer)}" "{_safe(line.agent)}"'
    )


def _safe(text: str) -> str:
    """Printable ASCII; quotes, backslashes and everything else as \\xNN."""
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text) if text else "-"

"""The access log: one line per request in the combined format, written off the hot path.

Who ends an exchange makes its line and appends it; a thread of the log's own writes what waits,
batch by batch, so that a slow disk or terminal holds neither clients nor the application. Where the
log cannot keep up, lines are dropped and counted, never memory filled.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from contextlib import suppress

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.logs import ERROR_LOG, only_output

errors = logging.getLogger(ERROR_LOG)

_MOST = 100_000  # lines that wait to be written
_BATCH = 256  # lines: about what a pipe takes at once
_BATCH_SECONDS = 0.05
_PATIENCE = 2.0  # of `close` with an output that hangs, in seconds
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_is_plain = re.compile(r"[ !#-\[\]-~]*").fullmatch
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\]')


class AccessLog:
    """Lines from any thread, written by its own; `close` writes what is left."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._broken = False  # the last batch could not be written
        self._stamp = (0, "")  # in one piece: several threads read and replace it
        self._closed = threading.Event()
        self._some = threading.Event()
        self._idle = True  # the thread wants to be woken for the next line
        self._writer = threading.Thread(target=self._write_all, name="aiowsgi-log", daemon=True)
        self._writer.start()

    # -- any thread --

    def answered(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""
        head, writer = exchange.head, exchange.writer
        answer, fields = writer.head, head.fields
        line = combined(
            self._now(),
            exchange.client,
            f"{head.method} {head.target} HTTP/{head.version}",
            0 if answer is None else answer.status,
            writer.body_bytes,
            referer=fields.get("HTTP_REFERER", ""),
            agent=fields.get("HTTP_USER_AGENT", ""),
        )
        self._note(line)

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that the server refused by itself."""
        line = error.line.decode("latin-1")
        self._note(combined(self._now(), client, line, error.status, sent))

    def _now(self) -> str:
        """The time as lines have it; text is made of it once a second."""
        now = int(time.time())
        second, text = self._stamp
        if now != second:
            text = stamp(now)
            self._stamp = (now, text)
        return text

    def _note(self, line: str) -> None:
        if len(self._lines) >= _MOST:
            self._dropped += 1
            return
        self._lines.append(line)
        if self._idle:
            self._idle = False
            self._some.set()

    def close(self) -> None:
        """Write what waits and end; what an output that hangs has not taken is counted."""
        self._closed.set()
        self._some.set()
        self._writer.join(_PATIENCE)
        if self._writer.is_alive():
            lost = len(self._lines) + self._dropped
            errors.warning("The access log hangs: at least %d lines were not written", lost)

    # -- the log's own thread --

    def _write_all(self) -> None:
        while not self._closed.is_set() or self._lines:
            self._await_some()
            # Those that wait now: to run after each new one would be a write for each.
            dropped = self._dropped
            for _ in range(0, len(self._lines), _BATCH):
                self._write([self._lines.popleft() for _ in range(min(len(self._lines), _BATCH))])
            if dropped:
                self._dropped -= dropped
                with suppress(Exception):
                    self._logger.warning("%d lines were dropped: the log is too slow", dropped)
            self._closed.wait(_BATCH_SECONDS)

    def _await_some(self) -> None:
        self._some.clear()
        self._idle = True
        # Looked at after `_idle` was set: who appends looks the other way round.
        if not self._lines and not self._closed.is_set():
            self._some.wait()
        self._idle = False

    def _write(self, lines: list[str]) -> None:
        logger = self._logger
        if not logger.isEnabledFor(logging.INFO):
            return
        if output := only_output(logger):
            try:
                output.write(lines)
                self._broken = False
            except Exception as error:  # an output that raises does not end the log
                if not self._broken:
                    self._broken = True
                    errors.warning("The access log cannot be written: %s", error)
            return
        for line in lines:
            with suppress(Exception):
                logger.info("%s", line)


def combined(
    when: str,
    client: str,
    request: str,
    status: int,
    sent: int,
    *,
    referer: str = "",
    agent: str = "",
) -> str:
    """The line in the combined format of Apache's httpd; nothing of a request forges it (S14).

    `sent` is in bytes; 0 is no status, and what is empty becomes `-`.
    """
    # In one look at all of them: this is done for each request.
    if not _is_plain(f"{request}{referer}{agent}"):
        request, referer, agent = escaped(request), escaped(referer), escaped(agent)
    return (
        f'{client or "-"} - - [{when}] "{request or "-"}" {status or "-"} {sent} '
        f'"{referer or "-"}" "{agent or "-"}"'
    )


def escaped(text: str) -> str:
    """Printable ASCII; quotes, backslashes and everything else as \\xNN."""
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def stamp(now: int) -> str:
    """A time in seconds since the epoch as log lines have it, English under any locale."""
    local = time.localtime(now)
    hours, minutes = divmod(abs(local.tm_gmtoff) // 60, 60)
    sign = "-" if local.tm_gmtoff < 0 else "+"
    return (
        f"{local.tm_mday:02}/{_MONTHS[local.tm_mon - 1]}/{local.tm_year}:"
        f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02} {sign}{hours:02}{minutes:02}"
    )

"""The access log: one line per request in the combined format, written off the hot path.

Who ends an exchange makes its line and notes it; a thread of the log's own (log_thread.py) writes
what waits, batch by batch, so that a slow disk or terminal holds neither clients nor the
application.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.log_thread import LogThread
from aiowsgi.watch.logs import ERROR_LOG, only_output

errors = logging.getLogger(ERROR_LOG)

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_is_plain = re.compile(r"[ !#-\[\]-~]*").fullmatch
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\]')


class AccessLog:
    """Lines from any thread, written by its own; `close` writes what is left."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._broken = False  # the last batch could not be written
        self._stamp = (0, "")  # in one piece: several threads read and replace it
        self._notes = LogThread(self._write, self._dropped)

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
        self._notes.note(line)

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that the server refused by itself."""
        line = error.line.decode("latin-1")
        self._notes.note(combined(self._now(), client, line, error.status, sent))

    def _now(self) -> str:
        """The time as lines have it; text is made of it once a second."""
        now = int(time.time())
        second, text = self._stamp
        if now != second:
            text = stamp(now)
            self._stamp = (now, text)
        return text

    def close(self) -> None:
        """Write what waits and end."""
        self._notes.close()

    # -- the log's own thread --

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

    def _dropped(self, number: int) -> None:
        self._logger.warning("%d lines were dropped: the log is too slow", number)


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

"""The access log: one line per request, written off the hot path.

Who ends an exchange makes its line and notes it; a thread of the log's own (log_thread.py) writes
what waits, batch by batch, so that a slow disk or terminal holds neither clients nor the
application.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.lines import Lines
from aiowsgi.watch.log_thread import LogThread
from aiowsgi.watch.logs import ERROR_LOG, only_output

errors = logging.getLogger(ERROR_LOG)


class AccessLog:
    """Lines from any thread, written by its own; `close` writes what is left."""

    def __init__(self, logger: logging.Logger, lines: Lines) -> None:
        self._logger = logger
        self._lines = lines
        self.timed = lines.timed
        self._broken = False  # the last batch could not be written
        self._notes = LogThread(self._write, self._dropped)

    # -- any thread --

    def answered(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""
        self._notes.note(self._lines.answered(exchange))

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that the server refused by itself."""
        self._notes.note(self._lines.rejected(client, error, sent))

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

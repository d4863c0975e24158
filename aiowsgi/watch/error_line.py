"""The line of the error log: time, process, level, message; for people its level in a colour."""

from __future__ import annotations

import logging

from aiowsgi.watch.colours import CYAN, DIM, GREEN, PLAIN, RED, YELLOW

_COLOURS = {"DEBUG": CYAN, "INFO": GREEN, "WARNING": YELLOW, "ERROR": RED, "CRITICAL": RED}


class ErrorLine(logging.Formatter):
    """Makes the lines, coloured or not; any thread."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__(
            "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", "%Y-%m-%d %H:%M:%S %z"
        )
        self._coloured = coloured

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name for it
        """Make the line but for a traceback; the record, which others may get, stays as it is."""
        line = super().formatMessage(record)
        level = f"[{record.levelname}]"
        colour = _COLOURS.get(record.levelname)
        if not self._coloured or colour is None:
            return line
        before, _, message = line.partition(level)
        return f"{DIM}{before.rstrip()}{PLAIN} {colour}{level}{PLAIN}{message}"


PLAIN_LINE = ErrorLine(coloured=False)
COLOURED_LINE = ErrorLine(coloured=True)

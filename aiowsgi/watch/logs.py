"""The two loggers, set up for a terminal: errors to stderr, the access log to stdout.

Only a process that the server itself started is set up (the command, `run()`); where a program uses
`Server` inside, its own logging decides. The root logger is never touched, and a logger that was
given something to write to keeps it.
"""

from __future__ import annotations

import logging
import sys

ERROR_LOG = "aiowsgi.error"
ACCESS_LOG = "aiowsgi.access"

_ERROR_LINE = logging.Formatter(
    "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", "%Y-%m-%d %H:%M:%S %z"
)
_ACCESS_LINE = logging.Formatter("%(message)s")


class TerminalOutput(logging.Handler):
    """Writes to sys.stderr or sys.stdout as it is at the time: programs and tests replace them."""

    def __init__(self, stream: str, line: logging.Formatter) -> None:
        super().__init__()
        self._stream = stream
        self.setFormatter(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as a line of its own."""
        try:
            stream = getattr(sys, self._stream)
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # a closed terminal, or none: a log never breaks its caller
            self.handleError(record)


def set_up_logs(level: str) -> None:
    """Let the error log be written from `level` ("info") on, and the access log whole.

    A second call only re-levels. Called after the application was loaded: its own logging.config
    may have disabled every logger that it found.
    """
    _set_up(ERROR_LOG, level.upper(), TerminalOutput("stderr", _ERROR_LINE))
    _set_up(ACCESS_LOG, "INFO", TerminalOutput("stdout", _ACCESS_LINE))


def _set_up(name: str, level: str, output: logging.Handler) -> None:
    logger = logging.getLogger(name)
    logger.disabled = False
    logger.setLevel(level)
    if not logger.handlers:
        logger.addHandler(output)
        # The application's root logger often writes to a terminal, too: once is enough.
        logger.propagate = False

"""The logger of the server, set up for a terminal: `[time] [pid] [LEVEL] message` on stderr.

Only a process that the server itself started is set up (the command, `run()`); where a program uses
`Server` inside, its own logging decides. The root logger is never touched, and a logger that has
been given something to write to keeps it.
"""

from __future__ import annotations

import logging
import sys

ERROR_LOG = "aiowsgi.error"

_FORMAT = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"
_DATE = "%Y-%m-%d %H:%M:%S %z"


class StderrOutput(logging.Handler):
    """Writes to sys.stderr as it is at the time of the call, which programs and tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as a line of its own."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging's own rule: a log never breaks its caller
            self.handleError(record)


def set_up_logs(level: str) -> None:
    """Let the error logger write to stderr from `level` ("info") on; a second call only re-levels.

    Called after the application was loaded: its own logging.config may have disabled every logger
    that it found.
    """
    logger = logging.getLogger(ERROR_LOG)
    logger.disabled = False
    logger.setLevel(level.upper())
    if not logger.handlers:
        output = StderrOutput()
        output.setFormatter(logging.Formatter(_FORMAT, _DATE))
        logger.addHandler(output)
        # The application's root logger often writes to stderr too: once is enough.
        logger.propagate = False

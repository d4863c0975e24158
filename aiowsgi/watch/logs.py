"""The two loggers, set up for a terminal: errors to stderr, the access log to stdout.

Only a process that the server itself started is set up (the command, `run()`); where a program uses
`Server` inside, its own logging decides. The root logger is never touched, and a logger that was
given something to write to keeps it.
"""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext

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
            self._put(self.format(record) + "\n")
        except Exception:  # a closed terminal, or none: a log never breaks its caller
            self.handleError(record)

    def write(self, lines: list[str]) -> None:
        """Write lines that are no records, at once. Raises what the stream raises."""
        with self.lock or nullcontext():
            self._put("\n".join([*lines, ""]))

    def _put(self, text: str) -> None:
        stream = getattr(sys, self._stream)
        stream.write(text)
        stream.flush()


def set_up_logs(level: str) -> None:
    """Let the error log be written from `level` ("info") on, and the access log whole.

    A second call only re-levels. Called after the application was loaded: its own logging.config
    may have disabled every logger that it found.
    """
    _set_up(ERROR_LOG, level.upper(), TerminalOutput("stderr", _ERROR_LINE))
    _set_up(ACCESS_LOG, "INFO", TerminalOutput("stdout", _ACCESS_LINE))


def reopen_logs() -> None:
    """Have every output of the two loggers that writes to a file open it anew, if it knows how.

    For log rotation: an output tells by a method `reopenIfNeeded`, the name that it has in the
    standard library (logging.handlers.WatchedFileHandler).
    """
    for name in (ERROR_LOG, ACCESS_LOG):
        for handler in logging.getLogger(name).handlers:
            reopen = getattr(handler, "reopenIfNeeded", None)
            if reopen is not None:
                with handler.lock or nullcontext():
                    reopen()


def only_output(logger: logging.Logger) -> TerminalOutput | None:
    """The output that writes what `logger` is told as it is, where nothing else wants records.

    None where a program hung outputs or filters of its own on the logger: those get a record each.
    """
    if type(logger) is not logging.Logger or logger.filters or logger.propagate:
        return None
    if len(logger.handlers) != 1:
        return None
    [output] = logger.handlers
    if type(output) is not TerminalOutput or output.filters or output.level > logging.INFO:
        return None
    return output if output.formatter is _ACCESS_LINE else None


def _set_up(name: str, level: str, output: logging.Handler) -> None:
    logger = logging.getLogger(name)
    logger.disabled = False
    logger.setLevel(level)
    if not logger.handlers:
        logger.addHandler(output)
        # The application's root logger often writes to a terminal, too: once is enough.
        logger.propagate = False

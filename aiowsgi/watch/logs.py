"""The two loggers, set up: errors to stderr or a file, the access log to stdout or a file.

Only a process that the server itself started is set up (the command, `run()`); where a program uses
`Server` inside, its own logging decides. The root logger is never touched, and a logger that was
given something to write to keeps it.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import NamedTuple

from aiowsgi.watch.error_line import PLAIN_LINE
from aiowsgi.watch.outputs import FileOutput, Output, TerminalOutput

ERROR_LOG = "aiowsgi.error"
ACCESS_LOG = "aiowsgi.access"

_ACCESS_LINE = logging.Formatter("%(message)s")


class Places(NamedTuple):
    """Where the logs go and how: files, None = stderr and stdout; the lines of the error log.

    `inherits`: a logger without an output of its own is content with the root's.
    """

    error: str | None = None
    access: str | None = None
    error_line: logging.Formatter = PLAIN_LINE
    inherits: bool = False


PLAIN = Places()


def set_up_logs(level: str, places: Places = PLAIN) -> None:
    """Let the error log be written from `level` ("info") on, and the access log whole.

    A second call takes the places anew. Called after the application was loaded: its own
    logging.config may have disabled every logger that it found. Raises OSError where a file cannot
    be opened.
    """
    line = places.error_line
    errors = _output(places.error, "stderr", line)
    _set_up(ERROR_LOG, level.upper(), errors, inherits=places.inherits)
    access = _output(places.access, "stdout", _ACCESS_LINE)
    _set_up(ACCESS_LOG, "INFO", access, inherits=places.inherits)


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


def only_output(logger: logging.Logger) -> Output | None:
    """The output that writes what `logger` is told as it is, where nothing else wants records.

    None where a program hung outputs or filters of its own on the logger: those get a record each.
    """
    if type(logger) is not logging.Logger or logger.filters or logger.propagate:
        return None
    if len(logger.handlers) != 1:
        return None
    [output] = logger.handlers
    if type(output) not in (TerminalOutput, FileOutput) or output.filters:
        return None
    if output.level > logging.INFO or output.formatter is not _ACCESS_LINE:
        return None
    return output if isinstance(output, Output) else None


def _output(file: str | None, stream: str, line: logging.Formatter) -> Output:
    return TerminalOutput(stream, line) if file is None else FileOutput(file, line)


def _set_up(name: str, level: str, output: Output, *, inherits: bool) -> None:
    logger = logging.getLogger(name)
    logger.disabled = False
    logger.setLevel(level)
    for old in [each for each in logger.handlers if isinstance(each, Output)]:
        if old.place == output.place and old.formatter is output.formatter:
            break  # with what a program may have hung on it
        logger.removeHandler(old)
        old.close()
    if logger.handlers or (inherits and logger.propagate and logger.hasHandlers()):
        output.close()
        return
    logger.addHandler(output)
    # The application's root logger often writes to a terminal, too: once is enough.
    logger.propagate = False

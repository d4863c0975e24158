"""What the logs are written to: a terminal or pipe, or a file that can be opened anew."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from typing import BinaryIO


class Output(logging.Handler):
    """Takes records, and lines that are no records; `place` is a stream's name or a path."""

    def __init__(self, place: str, line: logging.Formatter) -> None:
        super().__init__()
        self.place = place
        self.setFormatter(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as a line of its own."""
        try:
            self.put(self.format(record) + "\n")
        except Exception:  # a closed terminal, or none: a log never breaks its caller
            self.handleError(record)

    def write(self, lines: list[str]) -> None:
        """Write lines that are no records, at once. Raises what the stream raises."""
        with self.lock or nullcontext():
            self.put("\n".join([*lines, ""]))

    def put(self, text: str) -> None:
        """Write text that ends a line."""
        raise NotImplementedError


class TerminalOutput(Output):
    """Writes to sys.stderr or sys.stdout as it is at the time: programs and tests replace them."""

    def put(self, text: str) -> None:
        """Write text that ends a line."""
        stream = getattr(sys, self.place)
        stream.write(text)
        stream.flush()


class FileOutput(Output):
    """Appends to a file; several processes may have the same one, since each write is whole.

    Raises OSError where the file cannot be opened.
    """

    def __init__(self, path: str, line: logging.Formatter) -> None:
        super().__init__(os.path.abspath(path), line)  # wherever the process goes
        self._file = _append(self.place)

    def put(self, text: str) -> None:
        """Write text that ends a line, in one system call: no line is torn by another process."""
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:  # a disk that is nearly full takes a part
            rest = rest[self._file.write(rest) :]

    def reopenIfNeeded(self) -> None:  # noqa: N802 - the name that the standard library has for it
        """Open the file anew, after it was moved away; the old one stays where that fails."""
        try:
            new = _append(self.place)
        except OSError as error:
            logging.getLogger("aiowsgi.error").error(
                "The log goes on in its old file: cannot open %r: %s", self.place, error.strerror
            )
            return
        old, self._file = self._file, new
        old.close()

    def close(self) -> None:
        """Close the file."""
        with self.lock or nullcontext():
            self._file.close()
        super().close()


def _append(path: str) -> BinaryIO:
    return open(path, "ab", buffering=0)  # noqa: SIM115 - it is kept

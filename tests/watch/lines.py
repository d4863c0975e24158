"""What the tests of the access log share: lines taken apart, an output that keeps them, notes."""

from __future__ import annotations

import logging
import re
import threading

from aiowsgi.errors import ProtocolError
from aiowsgi.watch.access_log import AccessLog
from aiowsgi.watch.logs import ACCESS_LOG

ACCESS = logging.getLogger(ACCESS_LOG)

COMBINED = re.compile(
    r"(?P<client>\S+) - - \[(?P<when>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<request>[^"]*)" (?P<status>\d{3}|-) (?P<sent>\d+) '
    r'"(?P<referer>[^"]*)" "(?P<agent>[^"]*)"'
)


class Kept(logging.Handler):
    """Keeps each line; may be held up, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.reached = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def emit(self, record: logging.LogRecord) -> None:
        self.reached.set()
        assert self.go.wait(20)
        self.lines.append(record.getMessage())


def parts(line: str) -> dict[str, str]:
    match = COMBINED.fullmatch(line)
    assert match is not None, line
    return match.groupdict()


def note(log: AccessLog, number: int) -> None:
    log.rejected("192.0.2.1", ProtocolError(400, "bad", b"GET /%d HTTP/1.1" % number), 5)

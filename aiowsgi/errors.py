"""Who is at fault: the peer, a client that left, the application, the operator.

A peer's error is a *value*, the parser's last event, since a server meets it in its ordinary work;
the other three are exceptions.
"""

from __future__ import annotations

from typing import NamedTuple


class ProtocolError(NamedTuple):
    """What a peer did against RFC 9110 or RFC 9112, and the answer it gets.

    `reason` is for the log and never echoes bytes of the request (S13); `line` is the request line
    as far as it was read, for the access log.
    """

    status: int
    reason: str
    line: bytes = b""


class ClientDisconnected(ConnectionError):  # noqa: N818 - the field's word is an event's, not an error's
    """The client left: before its body was whole (P19), or before it had the answer (S7)."""


class ApplicationError(Exception):
    """The application broke PEP 3333; the message says which rule and what was given."""


class ConfigError(Exception):
    """The operator asked for what cannot be: what was wrong, what was expected, how to fix it.

    `exit_code` is the process's: 1 for a failed bind, 2 for usage, 3 for a worker that died before
    it could serve, 4 for an application that does not load.
    """

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

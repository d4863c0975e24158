"""gunicorn's logs: what aiowsgi says goes there, request lines in the format that gunicorn knows.

Requests are told to `Logger.access`, in gunicorn's own terms, so that `--access-logformat`, a
logger class of somebody's own and statsd work; on a thread of the log's own, as a slow output may
not hold the loop. Nothing of a request forges a line (S14): all that is text in it is escaped
before, which gunicorn leaves to its formats.
"""

from __future__ import annotations

import base64
import logging
from binascii import Error as Base64Error
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.http11.messages import RequestHead, ResponseHead
from aiowsgi.watch.lines import escaped
from aiowsgi.watch.log_thread import LogThread
from aiowsgi.watch.logs import ERROR_LOG


def hear_errors(log: Any) -> None:
    """Have gunicorn's log say what ours would, from the level on that it was told."""
    logger = logging.getLogger(ERROR_LOG)
    logger.handlers[:] = [ErrorOutput(log)]
    logger.propagate = logger.disabled = False
    logger.setLevel(getattr(log, "loglevel", logging.INFO))


def is_heard(log: Any) -> bool:
    """Whether anybody wants to be told of requests; a class of somebody's own may count them."""
    from gunicorn.glogging import Logger  # not above: who has no gunicorn is told so elsewhere

    return type(log) is not Logger or bool(getattr(log, "access_log_enabled", True))


class ErrorOutput(logging.Handler):
    """Says each record by gunicorn's own logger object, whatever class that is."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Say one."""
        try:
            self._log.log(record.levelno, self.format(record))
        except Exception:  # a log never breaks its caller
            self.handleError(record)


class Answer(NamedTuple):
    """A response, by the names that gunicorn's logger looks for; `sent` in bytes of the body."""

    status: str
    headers: list[tuple[str, str]]
    sent: int


class Request(NamedTuple):
    """A request, by the name that gunicorn's logger looks for."""

    headers: list[tuple[str, str]]


class Ended(NamedTuple):
    """What is known of an exchange that is over."""

    client: str
    head: RequestHead
    answer: ResponseHead | None
    sent: int
    seconds: float


class Refused(NamedTuple):
    """What is known of a request that never became an exchange."""

    client: str
    error: ProtocolError
    sent: int


class AccessLog:
    """Notes from any thread, told to gunicorn's logger by a thread of its own."""

    timed = True

    def __init__(self, log: Any) -> None:
        self._log = log
        self._notes: LogThread[Ended | Refused] = LogThread(self._write, self._dropped)

    # -- any thread --

    def answered(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""
        writer = exchange.writer
        since = exchange.queued or writer.ended  # a health check is never queued
        self._notes.note(
            Ended(
                exchange.client,
                exchange.head,
                writer.head,
                writer.body_bytes,
                writer.ended - since,
            )
        )

    def rejected(self, client: str, error: ProtocolError, sent: int) -> None:
        """Note a request that the server refused by itself."""
        self._notes.note(Refused(client, error, sent))

    def close(self) -> None:
        """Write what waits and end."""
        self._notes.close()

    # -- the log's own thread --

    def _write(self, notes: list[Ended | Refused]) -> None:
        for note in notes:
            with suppress(Exception):  # an output that raises does not end the log
                self._log.access(*(_ended(note) if isinstance(note, Ended) else _refused(note)))

    def _dropped(self, number: int) -> None:
        self._log.warning("%d requests are not in the access log: it is too slow", number)


# What Logger.access takes: response, request, environ, duration.
Told = tuple[Answer, Request, dict[str, Any], timedelta]


def _ended(note: Ended) -> Told:
    head, answer = note.head, note.answer
    fields = {name: escaped(value) for name, value in head.fields.items()}
    if authorization := head.fields.get("HTTP_AUTHORIZATION"):
        fields["HTTP_AUTHORIZATION"] = with_escaped_user(authorization)
    environ = {
        **fields,
        "REMOTE_ADDR": note.client or "-",
        "REQUEST_METHOD": escaped(head.method),
        "RAW_URI": escaped(head.target),
        "PATH_INFO": escaped(head.path),  # as it was sent: decoded, it may hold anything
        "QUERY_STRING": escaped(head.query),
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
    }
    headers = [(_as_sent(name), value) for name, value in fields.items()]
    if answer is None:
        response = Answer("-", [], note.sent)
    else:
        given = [(name, escaped(value)) for name, value in answer.fields]
        response = Answer(f"{answer.status} {answer.reason}", given, note.sent)
    return response, Request(headers), environ, timedelta(seconds=note.seconds)


def _refused(note: Refused) -> Told:
    words = escaped(note.error.line.decode("latin-1")).split(" ", 2)
    method, target, protocol = [*words, "-", "-"][:3]
    environ = {
        "REMOTE_ADDR": note.client or "-",
        "REQUEST_METHOD": method or "-",
        "RAW_URI": target,
        "SERVER_PROTOCOL": protocol,
    }
    return Answer(str(note.error.status), [], note.sent), Request([]), environ, timedelta()


def with_escaped_user(authorization: str) -> str:
    """Return the credentials of RFC 7617 with a name that gunicorn may decode into its line."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(credentials.strip()).partition(b":")
    except (Base64Error, ValueError):
        return escaped(authorization)
    name = escaped(user.decode("latin-1")).encode()
    return f"{escaped(scheme)} {base64.b64encode(name + b':' + password).decode()}"


def _as_sent(name: str) -> str:
    return name.removeprefix("HTTP_").replace("_", "-")

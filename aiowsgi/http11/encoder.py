"""A response -> bytes: status line, header section, framing (RFC 9112 6); no output of its own.

The law: the framing says what the bytes are (P41), nothing follows the head of a response that has
no body, and the verdict on the connection is told to the client and to the caller alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiowsgi.http11.encoding import Encoder
from aiowsgi.http11.messages import ResponseDefaults, ResponseHead

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# RFC 9110 15.3.5, 15.4.5: these end with their head, as does each answer to HEAD.
_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304
RETRY_AFTER: Final = "1"  # seconds


class ResponseEncoder(Encoder):
    """One response; `keep_alive` is the verdict once `start` was called."""

    __slots__ = (
        "_chunked",
        "_defaults",
        "_id",
        "_id_name",
        "_newer",
        "_size",
        "_size_line",
        "bodiless",
    )

    def __init__(
        self, method: str, version: str, keep_alive: bool, defaults: ResponseDefaults
    ) -> None:
        self._newer = version == "1.1"
        self.informs = self._newer  # HTTP/1.0 knows no interim response (RFC 9110 15.2)
        self._defaults = defaults
        self._chunked = False
        self._id = self._id_name = ""
        self._size, self._size_line = 0, b""  # of the last chunk
        self.keep_alive = keep_alive
        self.bodiless = method == "HEAD"

    def identify(self, line: str, name: str) -> None:
        """Have the head say by this line which request it answers, unless it does itself."""
        self._id, self._id_name = line, name

    def interim(self, status: int, fields: Sequence[tuple[str, str]]) -> bytes:
        """An interim response (RFC 9110 15.2) such as 103 Early Hints (RFC 8297)."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
        return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode("latin-1")

    def start(self, head: ResponseHead, whole_length: int | None = None) -> bytes:
        """The head; `whole_length` is the length of the body where all of it is known (P6)."""
        status = head.status
        if status in (_NO_CONTENT, _NOT_MODIFIED):
            self.bodiless = True
        if head.close:
            self.keep_alive = False
        fields = "".join([f"{name}: {value}\r\n" for name, value in head.fields])
        framing = ""
        if head.content_length is None:
            framing = self._frame(status, whole_length)
        elif status == _NO_CONTENT:  # RFC 9110 8.6
            fields = _without_length(head.fields)
        ours = self._defaults.lines
        if head.has_server or head.has_date:
            ours = _without_own(self._defaults, head)
        connection = "" if self.keep_alive and self._newer else self._connection()
        own = self._id
        if own and self._id_name in fields.lower() and _has(head.fields, self._id_name):
            own = ""
        text = f"HTTP/1.1 {status} {head.reason}\r\n{fields}{own}{ours}{framing}{connection}\r\n"
        return text.encode("latin-1")

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> list[bytes]:
        """Make the buffers of a response that is all there: its head says how long it is (P6)."""
        said = head.content_length is not None
        start = self.start(head, None if said else sum(map(len, blocks)))
        return [start] if self.bodiless else [start, *blocks]

    def data(self, block: bytes) -> list[bytes]:
        """The buffers that carry one block; none where the response has no body."""
        if self.bodiless or not block:
            return []
        if not self._chunked:
            return [block]
        if len(block) != self._size:  # most blocks of a response are as large as the last one
            self._size = len(block)
            self._size_line = b"%x\r\n" % self._size
        return [self._size_line, block, b"\r\n"]

    def end(self) -> bytes:
        """What follows the last block."""
        return b"0\r\n\r\n" if self._chunked else b""

    def _frame(self, status: int, whole_length: int | None) -> str:
        if self.bodiless:
            # An empty body to HEAD or with 304 does not tell what GET would have said.
            if whole_length and status != _NO_CONTENT:
                return f"Content-Length: {whole_length}\r\n"
            return ""
        if whole_length is not None:
            return f"Content-Length: {whole_length}\r\n"
        if self._newer:
            self._chunked = True
            return "Transfer-Encoding: chunked\r\n"
        self.keep_alive = False  # RFC 9112 6.3: the end of the connection ends the body (H14)
        return ""

    def _connection(self) -> str:
        if not self.keep_alive:
            return "Connection: close\r\n"
        return "" if self._newer else "Connection: keep-alive\r\n"


def error_response(
    status: int, defaults: ResponseDefaults, *, keep_alive: bool = False, head_only: bool = False
) -> bytes:
    """A whole answer of the server itself; nothing of the request is echoed in it (S13)."""
    phrase = HTTPStatus(status).phrase
    body = f"{phrase}\n".encode()
    retry = f"Retry-After: {RETRY_AFTER}\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    close = "" if keep_alive else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{retry}{close}{defaults.lines}\r\n"
    )
    return head.encode("latin-1") + (b"" if head_only else body)


def _without_own(defaults: ResponseDefaults, head: ResponseHead) -> str:
    """Leave out what the application says itself (P34)."""
    server = "" if head.has_server else defaults.server
    date = "" if head.has_date else defaults.date
    return server + date + defaults.extra


def _has(fields: list[tuple[str, str]], lower: str) -> bool:
    return any(name.lower() == lower for name, _ in fields)


def _without_length(fields: list[tuple[str, str]]) -> str:
    kept = [(name, value) for name, value in fields if name.lower() != "content-length"]
    return "".join([f"{name}: {value}\r\n" for name, value in kept])

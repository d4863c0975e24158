"""A response as ASGI messages: `http.response.start` and what the body's bytes may be (A4, A5).

The law: framing is the host's, so no byte of a body is changed; and as over HTTP/1.1, nothing
follows the head of a response that has no body, and HEAD keeps what GET would say (P41).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiowsgi.http11.encoding import Encoder
from aiowsgi.http11.messages import ResponseHead

Message = dict[str, Any]

_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304


class MessageEncoder(Encoder):
    """One response. The pool thread's, but for `head` and `hints`, which the loop takes.

    Each is set before the loop is woken for it, and only then looked at. `informs`: whether the
    host takes early hints; `says_close`: whether `Connection: close` means something to it, which
    HTTP/2 forbids.
    """

    __slots__ = ("bodiless", "head", "hints", "says_close")

    def __init__(self, method: str, *, informs: bool, says_close: bool) -> None:
        self.bodiless = method == "HEAD"
        self.keep_alive = True  # connections are the host's
        self.informs = informs
        self.says_close = says_close
        self.head: Message | None = None
        self.hints: list[Message] = []

    def identify(self, line: str, name: str) -> None:
        """Say nothing: ids are the host's to tell."""

    def interim(self, status: int, fields: Sequence[tuple[str, str]]) -> bytes:
        """Early hints, of which a host takes the links (RFC 8297)."""
        links = [value.encode("latin-1") for name, value in fields if name.lower() == "link"]
        self.hints.append({"type": "http.response.early_hint", "links": links})
        return b""

    def start(self, head: ResponseHead, whole_length: int | None = None) -> bytes:
        """Make the message that begins the response; no bytes."""
        if head.status in (_NO_CONTENT, _NOT_MODIFIED):
            self.bodiless = True
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.fields
        ]
        if head.status == _NO_CONTENT:  # RFC 9110 8.6
            headers = [pair for pair in headers if pair[0] != b"content-length"]
        elif head.content_length is None and whole_length is not None:
            # An empty body to HEAD or with 304 does not tell what GET would have said.
            if whole_length or not self.bodiless:
                headers.append((b"content-length", b"%d" % whole_length))
        if head.close and self.says_close:
            headers.append((b"connection", b"close"))
        self.head = {"type": "http.response.start", "status": head.status, "headers": headers}
        return b""

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> list[bytes]:
        """The blocks of a body that is all there, after a head of no bytes."""
        self.start(head, sum(map(len, blocks)))
        return [b""] if self.bodiless else [b"", *blocks]

    def data(self, block: bytes) -> list[bytes]:
        """A block, as it is."""
        return [] if self.bodiless else [block]

    def end(self) -> bytes:
        """Nothing: the last message says so."""
        return b""


def body(data: bytes, *, more: bool) -> Message:
    """Make the message of a part of the body."""
    return {"type": "http.response.body", "body": data, "more_body": more}

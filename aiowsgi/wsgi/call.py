"""One call of a WSGI application: start_response, write(), the iterable, its close().

The law: what reaches the output is a response that PEP 3333 allows, as long as its head says, and
given on at once; what breaks the rules raises here, so that the exchange above can still answer
500, or cut what was begun. `close()` of what the application returned is called exactly once,
however the call ends (P7).

Call flow: run -> app -> start_response -> (write ...) -> list: whole / file: file / else: start,
data ..., end -> close.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from aiowsgi.errors import ApplicationError
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.filewrapper import FileRegion, FileWrapper, region
from aiowsgi.wsgi.response import announce_length, response_head
from aiowsgi.wsgi.types import Environ, Given, StartResponse, Write, WSGIApplication

logger = logging.getLogger("aiowsgi.error")

# RFC 9110 6.4.1: responses that end with their head, as those to HEAD do.
_BODILESS: Final = (204, 304)
_NOTHING: Final[Environ] = {}  # the environ of a call that is over


class Output(Protocol):
    """Where a response goes (bridge.writer). Any method may raise ClientDisconnected."""

    def start(self, head: ResponseHead, block: bytes) -> None:
        """Send the head and the first block together (P26); the block may be empty."""

    def data(self, block: bytes) -> None:
        """Send a block, never empty, at once (P36)."""

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        """Send head, complete body and end in one write; the length of the body is known (P6)."""

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        """Take over head, body and end; False: not possible here, the file is to be read.

        The file is closed when this has returned: what is sent later needs its own descriptor.
        """

    def end(self) -> None:
        """Note that the body is complete."""


class Call:
    """One call of `app` for one request; made, run and dropped on one pool thread.

    bodiless says that the request is a HEAD. `started`: the head went to the output; `complete`: so
    did the end, and an error after that is only for the log.
    """

    __slots__ = (
        "_app",
        "_bodiless",
        "_environ",
        "_head",
        "_head_only",
        "_left",
        "_output",
        "_over",
        "complete",
        "started",
    )

    def __init__(
        self, app: WSGIApplication, environ: Environ, output: Output, *, bodiless: bool
    ) -> None:
        self._app = app
        self._environ = environ
        self._output = output
        self._head_only = bodiless
        self._head: ResponseHead | None = None
        self._bodiless = False  # known with the head
        self._left: int | None = None  # bytes until the Content-Length is reached; None: no bound
        self._over = False
        self.started = False
        self.complete = False

    def run(self) -> None:
        """Call the application and send what it gives; whatever it raises goes on from here.

        Raises ApplicationError where it broke PEP 3333, ClientDisconnected where the client left.
        """
        result: Given = None
        answered = False
        try:
            result = self._app(self._environ, self.start_response)
            self._answer(result)
            answered = True
        finally:
            self._over = True
            # A plain list has none, and to look for it costs as much as all else here.
            close = None if type(result) is list else getattr(result, "close", None)
            # What the application keeps of this call (start_response, write) keeps no more alive.
            self._app, self._environ, self._head = _no_app, _NOTHING, None
            if close is not None:
                _close(close, answered)

    def start_response(self, status: Given, headers: Given, exc_info: Given = None) -> Write:
        """PEP 3333's start_response: check the head and keep it until there is a body to send."""
        try:
            if exc_info:
                if self.started and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])  # P28
            elif self._head is not None:
                raise ApplicationError("start_response was called twice, without exc_info")
            if self._over or self.started:
                raise ApplicationError("start_response was called when the response had been sent")
            self._head = None  # P27: the old head is gone, even where the new one is refused
            self._head = head = response_head(status, headers)
            self._bodiless = self._head_only or head.status in _BODILESS
            self._left = None if self._bodiless else head.content_length
            return self.write
        finally:
            exc_info = None  # P30: its traceback holds this frame

    def write(self, block: Given) -> None:
        """PEP 3333's write(): send `block` at once, before what is yielded later (P35)."""
        if not isinstance(block, bytes):
            raise _not_bytes("write() was given", block)
        if self._over:
            raise ApplicationError("write() was called when the response had been sent")
        head = self._known_head()
        if self._bodiless:
            if not self.complete:
                self._whole(head, ())
            return
        if self._left is not None and len(block) > self._left:
            raise ApplicationError(
                f"write() was given {len(block)} bytes where {self._left} were left of the"
                f" Content-Length of {head.content_length}"
            )
        if block or not self.started:
            self._put(head, block)

    # -- the body --

    def _answer(self, result: Given) -> None:
        if not self.started:
            if isinstance(result, (list, tuple)):
                self._send_list(result)
                return
            if type(result) is FileWrapper and self._send_file(result):
                return
        self._iterate(result)

    def _send_list(self, result: Sequence[Given]) -> None:
        """Send a body that is all there (P6)."""
        # A subclass may iterate in its own way, and is asked once, like any iterable.
        blocks = result if type(result) is list or type(result) is tuple else list(result)
        size = 0
        for block in blocks:
            if not isinstance(block, bytes):
                raise _not_bytes("the application returned a list with", block)
            size += len(block)
        left = self._left
        if left is not None and size != left:
            self._refuse_short(left - size)
            self._warn_long()
            blocks = [b"".join(blocks)[:left]]
        self._whole(self._known_head(), blocks)

    def _send_file(self, result: FileWrapper) -> bool:
        """Let the output send a real file by itself; False: it has to be read (P45)."""
        head = self._known_head()
        found = region(result.file)
        if found is None or head.status in _BODILESS:
            return False
        if head.content_length is None:
            announce_length(head, found.length)
            self._left = None if self._head_only else found.length
        if self._head_only:
            return False
        left = self._left or 0
        self._refuse_short(left - found.length)
        self.started = True
        self.started = self.complete = self._output.file(head, found._replace(length=left))
        return self.complete

    def _iterate(self, result: Given) -> None:
        """Send block by block, each before the next is asked for (P36)."""
        if not self._bodiless:
            for block in _iterator(result):
                if not isinstance(block, bytes):
                    raise _not_bytes("the iterable gave", block)
                if self._bodiless:  # the head may come as late as the first block (P4)
                    break
                if not block:  # no end, and no reason to send the head (P26, P38)
                    continue
                left = self._left
                if left is not None and len(block) > left:
                    if type(result) is not FileWrapper:  # P45: a longer file is an ordinary case
                        self._warn_long()
                    if left:
                        self._put(self._known_head(), block[:left])
                    break
                self._put(self._known_head(), block)
        self._end()

    def _end(self) -> None:
        """The iterable is through: the end, if nothing is missing (P40)."""
        if self.complete:
            return
        self._refuse_short(self._left or 0)
        if not self.started:
            self._whole(self._known_head(), ())
            return
        self._output.end()
        self.complete = True

    def _put(self, head: ResponseHead, block: bytes) -> None:
        if self._left is not None:
            self._left -= len(block)
        if self.started:
            self._output.data(block)
        else:
            self.started = True
            self._output.start(head, block)

    def _whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        self.started = True
        self._output.whole(head, blocks)
        self.complete = True

    def _known_head(self) -> ResponseHead:
        if self._head is None:
            raise ApplicationError("start_response was not called before there was a body (P47)")
        return self._head

    def _refuse_short(self, missing: int) -> None:
        if missing > 0:
            raise ApplicationError(
                f"the body ended {missing} bytes short of the Content-Length of"
                f" {self._known_head().content_length}"
            )

    def _warn_long(self) -> None:
        """P39: what is past the Content-Length is not sent, and not silently."""
        logger.warning(
            "The application gave more than its Content-Length of %s: the rest is dropped",
            self._known_head().content_length,
        )


def _iterator(result: Given) -> Iterator[Given]:
    """Ask the application's iterable for its iterator; a bytes or str is a frequent slip."""
    message = (
        f"the application returned {type(result).__name__}; it must be an iterable of bytes,"
        " like [b'Hello'] (P47)"
    )
    if isinstance(result, (bytes, str)):
        raise ApplicationError(message)
    try:
        return iter(result)
    except TypeError as error:
        raise ApplicationError(message) from error


def _not_bytes(where: str, block: object) -> ApplicationError:
    return ApplicationError(f"{where} {type(block).__name__} where only bytes may be")


def _close(close: Callable[[], object], answered: bool) -> None:
    """Close what the application returned; an error that is under way stays the one that counts."""
    if answered:
        close()
        return
    try:
        close()
    except Exception:
        logger.exception("close() of the response failed, after the error that ended it")


def _no_app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Stand in for the application once it has been called: once per request (P1)."""
    raise RuntimeError("a Call runs once")

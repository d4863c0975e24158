"""Bytes of one client in, events out; no input and output of its own.

The law: what comes out depends on the bytes alone, never on how reads cut them, and no byte after
the end of a message is looked at until `resume()` (H2, H8, H20, H24). Nothing raises: a peer's
error is the last event.

    feed(data) -> [RequestHead] [bytes ...] END      then wait for resume(), which parses on
    whole(data) -> RequestHead                       the same for a message that is all there
               -> ... ProtocolError                  and nothing ever after

A head is collected up to its empty line, bounded, and refused as soon as its first bad byte is
there (walk.py); whole, it goes to llhttp in one piece (head.py). Body bytes never go to llhttp:
sized bodies are counted here, chunked ones are taken apart in chunked.py.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.chunked import ChunkedBody
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import RequestHead
from aiowsgi.http11.walk import Walk


class End(Enum):
    """The event that says: the message is complete."""

    END = "end"


END: Final = End.END
Event = RequestHead | bytes | End | ProtocolError


class ParserState(Enum):
    """Where a parser stands."""

    IDLE = "idle"  # between messages, no byte of the next one is here
    HEAD = "head"
    BODY = "body"
    COMPLETE = "complete"  # END was given and resume() is awaited
    CLOSED = "closed"  # after an error, or after the last message: bytes are dropped


_IDLE: Final = ParserState.IDLE
_HEAD: Final = ParserState.HEAD
_BODY: Final = ParserState.BODY
_COMPLETE: Final = ParserState.COMPLETE
_CLOSED: Final = ParserState.CLOSED

_MOST_EMPTY_LINES: Final = 8  # H17


class RequestParser:
    """The requests of one connection."""

    __slots__ = (
        "_at",
        "_chunked",
        "_empty_lines",
        "_head",
        "_keep_alive",
        "_left",
        "_reader",
        "_walk",
        "_waiting",
        "state",
    )

    def __init__(self, reader: HeadReader) -> None:
        self._reader = reader
        self.state = _IDLE
        self._head = bytearray()  # HEAD: the beginning of a head that a read has cut
        self._walk: Walk | None = None  # what has been seen of it
        self._empty_lines = 0  # before the request line
        self._left = 0  # BODY: bytes of a sized body still to come
        self._chunked: ChunkedBody | None = None  # BODY: set where the body is chunked
        self._keep_alive = True  # of the message under way
        self._waiting = b""  # COMPLETE: what came after END, from _at on
        self._at = 0

    @property
    def waiting(self) -> int:
        """How many bytes are kept unparsed; whoever reads the socket bounds it by not reading."""
        return len(self._waiting) - self._at

    def whole(self, data: bytes) -> RequestHead | None:
        """The short way for the ordinary message: no body, and nothing in `data` but it.

        None says that it is not one, and that nothing was taken: `feed` it.
        """
        if self.state is not _IDLE or data.find(b"\r\n\r\n") != len(data) - 4:
            return None
        found = self._reader.read(data)
        if not isinstance(found, RequestHead) or found.chunked or found.content_length:
            return None
        self._empty_lines = 0
        self._keep_alive = found.keep_alive
        self.state = _COMPLETE if found.keep_alive else _CLOSED
        return found

    def feed(self, data: bytes) -> list[Event]:
        """Take what was read and return what it means; pieces of a body come joined (S19)."""
        state = self.state
        events: list[Event] = []
        if state is _IDLE:
            self._begin(data, 0, events)
        elif state is _BODY:
            self._take_body(data, 0, events)
        elif state is _HEAD:
            self._go_on(data, events)
        elif state is _COMPLETE:
            self._waiting = self._waiting[self._at :] + data
            self._at = 0
        return events

    def resume(self) -> list[Event]:
        """Go on to the next message, now that the exchange of the last one is over."""
        events: list[Event] = []
        if self.state is _COMPLETE:
            data, at = self._waiting, self._at
            self.state = _IDLE
            self._waiting = b""
            self._at = 0
            if data:
                self._begin(data, at, events)
        return events

    # -- head --

    def _begin(self, data: bytes, at: int, events: list[Event]) -> None:
        """Parse from between two messages."""
        while data.startswith(b"\r\n", at):
            at += 2
            self._empty_lines += 1
            if self._empty_lines > _MOST_EMPTY_LINES:
                self._refuse(ProtocolError(400, "too many empty lines"), events)
                return
        end = data.find(b"\r\n\r\n", at) + 4
        if end > 3:
            self._take_head(data[at:end], events)
            if self.state is _BODY:
                self._take_body(data, end, events)
            else:
                self._keep(data, end)
        elif at < len(data):
            self.state = _HEAD
            self._head += data[at:]
            self._look(events)

    def _go_on(self, data: bytes, events: list[Event]) -> None:
        """Parse a head further that earlier reads have begun."""
        head = self._head
        before = len(head)
        head += data
        if head[:2] == b"\r\n":
            # An empty line that was cut in its middle: still between two messages.
            self.state = _IDLE
            self._head = bytearray()
            self._begin(bytes(head), 0, events)
            return
        end = head.find(b"\r\n\r\n", max(0, before - 3)) + 4
        if end <= 3:
            self._look(events)
            return
        self._head = bytearray()
        self._walk = None
        self._take_head(bytes(head[:end]), events)
        if self.state is _BODY:
            self._take_body(data, end - before, events)
        else:
            self._keep(data, end - before)

    def _look(self, events: list[Event]) -> None:
        """Refuse an unfinished head that is bad already: its client may wait for our answer."""
        if self._walk is None:
            self._walk = self._reader.walk()
        if error := self._walk.look(self._head):
            self._refuse(error, events)

    def _take_head(self, head: bytes, events: list[Event]) -> None:
        found = self._reader.read(head)
        if not isinstance(found, RequestHead):
            self._refuse(found, events)
            return
        events.append(found)
        self._empty_lines = 0
        self._keep_alive = found.keep_alive
        if found.chunked:
            self._chunked = ChunkedBody(self._reader.limits)
            self.state = _BODY
        elif found.content_length:
            self._left = found.content_length
            self.state = _BODY
        else:
            self._finish(events)

    # -- body --

    def _take_body(self, data: bytes, at: int, events: list[Event]) -> None:
        if self._chunked is not None:
            self._take_chunks(self._chunked, data, at, events)
            return
        # In compiled code a slice of all of it is a copy.
        piece = data if not at and len(data) <= self._left else data[at : at + self._left]
        if piece:
            events.append(piece)
            self._left -= len(piece)
        if not self._left:
            self._finish(events)
            self._keep(data, at + len(piece))

    def _take_chunks(self, chunked: ChunkedBody, data: bytes, at: int, events: list[Event]) -> None:
        pieces: list[bytes] = []
        stop = chunked.feed(data, at, pieces)
        if pieces:
            events.append(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if isinstance(stop, ProtocolError):
            self._refuse(stop, events)
        elif chunked.done:
            self._chunked = None
            self._finish(events)
            self._keep(data, stop)

    # -- between --

    def _finish(self, events: list[Event]) -> None:
        events.append(END)
        self.state = _COMPLETE if self._keep_alive else _CLOSED

    def _keep(self, data: bytes, at: int) -> None:
        """Keep what came after the end of a message; after the last one nothing is kept (H24)."""
        if self.state is _COMPLETE and at < len(data):
            self._waiting = data
            self._at = at

    def _refuse(self, error: ProtocolError, events: list[Event]) -> None:
        events.append(error)
        self.state = _CLOSED
        self._head = bytearray()
        self._walk = None
        self._chunked = None

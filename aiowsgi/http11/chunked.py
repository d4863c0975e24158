"""A chunked body is taken apart (RFC 9112 7.1), with bounds on all that is not body (H6).

Not llhttp's work: it says neither where the trailers begin nor how much of a line it has eaten, so
nothing around it could bound a trailer that follows a gigabyte of body. As in the head, the verdict
hangs on the bytes alone and not on how reads cut them.
"""

from __future__ import annotations

from typing import Final

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.grammar import CHUNK_BEGINNING, CHUNK_LINE
from aiowsgi.http11.messages import Limits
from aiowsgi.http11.walk import Walk

# What comes next: a size line, data, its CRLF, trailers.
_LINE: Final = 0
_DATA: Final = 1
_GAP: Final = 2
_TRAILERS: Final = 3

LONGEST_LINE: Final = 16 * 1024  # of a size with its extensions, in bytes
SPARE: Final = 64 * 1024  # how far all that is not body may be ahead of the body, in bytes


class ChunkedBody:
    """One chunked body: `feed` until `done`, or until it returns an error."""

    __slots__ = ("_held", "_left", "_limits", "_next", "_overhead", "_size", "_walk", "done")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._next = _LINE
        self._held = bytearray()  # the beginning of a line, or of the trailers, that a read has cut
        self._left = 0  # bytes of the chunk's data still to come
        self._size = 0  # of the body so far
        self._overhead = 0  # wire bytes that are not body so far
        self._walk: Walk | None = None
        self.done = False

    def feed(self, data: bytes, at: int, body: list[bytes]) -> int | ProtocolError:
        """Take `data` from `at` on, append decoded pieces to `body`; return where it stopped."""
        end = len(data)
        while at < end and not self.done:
            if self._next == _DATA:
                piece = data[at : at + self._left]
                body.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._next = _GAP
            elif self._next == _TRAILERS:
                found = self._trailers(data, at)
                if isinstance(found, ProtocolError):
                    return found
                at = found
            else:
                stop = data.find(b"\n", at) + 1 or end
                line = bytes(self._held) + data[at:stop] if self._held else data[at:stop]
                at = stop
                if line[-1:] != b"\n":
                    if error := self._hold(line):
                        return error
                    continue
                self._held.clear()
                if error := self._gap(line) if self._next == _GAP else self._size_line(line):
                    return error
        return at

    def _hold(self, line: bytes) -> ProtocolError | None:
        """Keep the beginning of a line until the rest comes."""
        if self._next == _GAP:
            good = line == b"\r"
        else:
            # One more than the longest line: perhaps the first half of its CRLF.
            good = (
                len(line) <= LONGEST_LINE + 1 and CHUNK_BEGINNING.fullmatch(line[:18]) is not None
            )
        if not good:
            return _malformed()
        self._held[:] = line
        return None

    def _gap(self, line: bytes) -> ProtocolError | None:
        if line != b"\r\n":
            return _malformed()
        self._next = _LINE
        return None

    def _size_line(self, line: bytes) -> ProtocolError | None:
        match = CHUNK_LINE.fullmatch(line)
        if match is None or len(line) > LONGEST_LINE + 2:
            return _malformed()
        size = int(match[1], 16)
        self._overhead += len(line) + 2
        if self._overhead > SPARE + self._size:
            return ProtocolError(400, "too little body in too many chunk bytes")
        self._size += size
        if self._limits.body is not None and self._size > self._limits.body:
            return ProtocolError(413, "the body is too large")
        self._left = size
        self._next = _DATA if size else _TRAILERS
        return None

    def _trailers(self, data: bytes, at: int) -> int | ProtocolError:
        """Read trailers to their empty line and drop them (H16), within the head's limits."""
        held = self._held
        before = len(held)
        held += data[at:]
        if held[:2] == b"\r\n":
            self.done = True
            return at + 2 - before
        end = held.find(b"\r\n\r\n", max(0, before - 3))
        self._walk = self._walk or Walk(self._limits, trailers=True)
        if end < 0:
            return self._walk.look(held) or len(data)
        if error := self._walk.look(held[: end + 4], whole=True):
            return error
        self.done = True
        return at + end + 4 - before


def _malformed() -> ProtocolError:
    return ProtocolError(400, "malformed chunk")

"""A header section is looked at line by line while it comes in, and refused at the first bad byte.

The verdict on a head depends on its bytes alone, never on how reads cut it: the walk over a whole
head and the walks over its growing beginnings find the same error, the one that stands first.
"""

from __future__ import annotations

from typing import Final

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.grammar import (
    ABSOLUTE,
    CONTROL,
    FIELD_LINE,
    METHODS,
    TARGET,
    TOKEN,
    VERSION,
    VERSIONS,
    valid_host,
)
from aiowsgi.http11.messages import Limits

# method, target, path, query, version, authority ("" but in absolute-form)
RequestLine = tuple[str, str, str, str, str, str]

_TLS_HANDSHAKE: Final = 0x16  # RFC 8446 5.1: ContentType handshake
_SLASH: Final = 0x2F
_CR: Final = 0x0D


def read_line(line: str) -> RequestLine | ProtocolError:
    """Take a request line apart (RFC 9112 3); `line` is latin-1, without its CRLF."""
    words = line.split(" ")
    if len(words) != 3:
        reason = "a request line is three words with one space between"
        return ProtocolError(400, reason, line.encode("latin-1"))
    method, target = words[0], words[1]
    version = VERSIONS.get(words[2])
    if version is None or method not in METHODS:
        return _explain_line(line.encode("latin-1"))
    # llhttp holds all other bytes, but bare LF ends a line of HTTP/0.9 for it, and a field follows.
    if target[:1] == "/" and "#" not in target and "\n" not in target:
        if "?" not in target:
            return method, target, target, "", version, ""
        path, _, query = target.partition("?")
        return method, target, path, query, version, ""
    return _other_form(line.encode("latin-1"), method, target, version)


def _explain_line(line: bytes) -> ProtocolError:
    method, target, version = line.split(b" ")
    if not TOKEN.fullmatch(method) or not TARGET.fullmatch(target):
        return ProtocolError(400, "malformed request line", line)
    if version.decode("latin-1") not in VERSIONS:
        if VERSION.fullmatch(version):
            return ProtocolError(505, "a version that is neither HTTP/1.1 nor HTTP/1.0", line)
        return ProtocolError(400, "malformed HTTP version", line)
    return ProtocolError(501, "unknown method", line)


def _other_form(line: bytes, method: str, target: str, version: str) -> RequestLine | ProtocolError:
    """absolute-form and asterisk-form (RFC 9112 3.2.2, 3.2.4; H3)."""
    if target == "*" and method == "OPTIONS":
        return method, target, "*", "", version, ""
    match = ABSOLUTE.fullmatch(target)
    if match is None or "#" in target or "\n" in target or not valid_host(match[1]):
        return ProtocolError(400, "malformed request target", line)
    return method, target, match[2] or "/", match[3] or "", version, match[1]


class Walk:
    """Looks at one header section as it grows; `trailers` has no request line before its fields."""

    __slots__ = ("_limits", "_lines", "_refuse_underscores", "_seen", "_start")

    def __init__(
        self, limits: Limits, *, trailers: bool = False, refuse_underscores: bool = False
    ) -> None:
        self._limits = limits
        self._lines = int(trailers)  # lines done; 0 = the request line is still to come
        self._start = 0  # where the unfinished line begins
        self._seen = 0  # up to where that line is known to be free of control characters
        self._refuse_underscores = refuse_underscores

    def look(self, data: bytes | bytearray, *, whole: bool = False) -> ProtocolError | None:
        """Look at `data`, which begins as the last time; `whole`: it ends with the empty line."""
        limit = self._limits.head
        over = limit is not None and len(data) > limit
        end = limit if over and limit is not None else len(data) - 2 * whole
        error = self._lines_of(data, end)
        if error is None and over:
            return self._refuse(431, "the header section is too long", data)
        return error

    def _lines_of(self, data: bytes | bytearray, end: int) -> ProtocolError | None:
        if not self._lines and data[:1] == b"\x16":
            # H15: 0x16 begins a TLS handshake and can begin no method.
            return ProtocolError(400, "a client speaks HTTPS to an HTTP port")
        while (at := data.find(b"\r\n", self._seen, end)) >= 0:
            line = bytes(data[self._start : at])
            if error := self._bytes_of(data, at) or self._rules_of(line, data):
                return error
            self._lines += 1
            self._start = self._seen = at + 2
        if end > self._start and data[end - 1] == _CR:
            end -= 1  # perhaps the first half of a CRLF
        return self._bytes_of(data, end)

    def _bytes_of(self, data: bytes | bytearray, end: int) -> ProtocolError | None:
        """Control characters and length of the line from `_start` to `end`, whichever is first."""
        limit = self._limits.field_size if self._lines else self._limits.request_line
        over = limit is not None and end - self._start > limit
        stop = self._start + limit if over and limit is not None else end
        if CONTROL.search(data, self._seen, stop):
            return self._refuse(400, "a control character in the head", data)
        self._seen = max(self._seen, stop)
        if not over:
            return None
        if self._lines:
            return self._refuse(431, "a field line is too long", data)
        return self._refuse(414, "the request line is too long", data)

    def _rules_of(self, line: bytes, data: bytes | bytearray) -> ProtocolError | None:
        if not self._lines:
            found = read_line(line.decode("latin-1"))
            if isinstance(found, ProtocolError):
                return found
            return None if TARGET.fullmatch(line.split(b" ")[1]) else _bad_target(line)
        if self._limits.fields is not None and self._lines > self._limits.fields:
            return self._refuse(431, "too many field lines", data)
        if not FIELD_LINE.fullmatch(line):
            return self._refuse(400, "malformed field line", data)
        if self._refuse_underscores and b"_" in line.partition(b":")[0]:
            return self._refuse(400, "a field name with an underscore", data)
        return None

    def _refuse(self, status: int, reason: str, data: bytes | bytearray) -> ProtocolError:
        return ProtocolError(status, reason, first_line(data, self._limits))


def _bad_target(line: bytes) -> ProtocolError:
    return ProtocolError(400, "malformed request target", line)


def first_line(data: bytes | bytearray, limits: Limits) -> bytes:
    """The request line at the beginning of `data` as far as it is there, bounded, for the log."""
    line = bytes(data[: limits.request_line]).partition(b"\r\n")[0]
    return line.rstrip(b"\r")
